/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Digests of payloads, for traces that must not hold what was said (--no-payload): equal bytes have
 * equal digests within one trace, and without the salt, which is nowhere written, nobody can try
 * out what the bytes may have been.
 */
#ifndef USER_DIGEST_H
#define USER_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest_salt {
	uint64_t words[2];
};

/* A salt that nobody else has. 0 or -errno. */
int digest_salt_make(struct digest_salt *salt);

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of `len` bytes. */
uint64_t digest_of(const struct digest_salt *salt, const void *data, size_t len);

#endif
