/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Digests of payloads for traces without their content (--no-payload). Equal bytes have equal
 * digests within one trace. The salt is never written, so candidate contents cannot be tested
 * against a digest.
 */
#ifndef USER_ENCODE_PAYLOAD_DIGEST_H
#define USER_ENCODE_PAYLOAD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest_salt {
	uint64_t words[2];
};

/* Fills in a random salt from getrandom(2). Returns 0 or -errno. */
int digest_salt_make(struct digest_salt *salt);

/* Returns the SipHash-2-4 (Aumasson and Bernstein, 2012) of `len` bytes. */
uint64_t digest_of(const struct digest_salt *salt, const void *data, size_t len);

#endif
