// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/payload_digest.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int digest_salt_make(struct digest_salt *salt)
{
	return getrandom(salt, sizeof(*salt), 0) == sizeof(*salt) ? 0 : -errno;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix_rounds(uint64_t v[4], unsigned rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void mix_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix_rounds(v, 2);
	v[0] ^= word;
}

/* Assembles up to eight bytes, in little-endian order. */
static uint64_t word_of(const unsigned char *bytes, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

uint64_t digest_of(const struct digest_salt *salt, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	uint64_t v[4] = {
		salt->words[0] ^ 0x736f6d6570736575,
		salt->words[1] ^ 0x646f72616e646f6d,
		salt->words[0] ^ 0x6c7967656e657261,
		salt->words[1] ^ 0x7465646279746573,
	};
	size_t at = 0;

	for (; at + 8 <= len; at += 8)
		mix_word(v, word_of(bytes + at, 8));
	mix_word(v, word_of(bytes + at, len - at) | (uint64_t)len << 56);
	v[2] ^= 0xff;
	mix_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
