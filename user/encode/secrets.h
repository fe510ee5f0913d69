/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is kept out of a trace beside the payload: names and arguments (--no-args), and whatever a
 * pattern fits (--redact).
 */
#ifndef USER_ENCODE_SECRETS_H
#define USER_ENCODE_SECRETS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "user/encode/payload_digest.h"
#include "viz/base/json.h"

#define SECRETS_PATTERNS 16

/* All zero: nothing is kept out. */
struct secrets {
	bool hides_names;
	struct digest_salt salt;
	regex_t patterns[SECRETS_PATTERNS];
	size_t count;
};

/*
 * From now on names are written as digests, by which equal ones are still known to be equal, and
 * arguments not at all. Returns 0 or -errno.
 */
int secrets_hide_names(struct secrets *secrets);

/*
 * From now on what an extended regular expression (regex(7)) fits is blanked, a '*' for each byte.
 * False, with the reason in `why`, if it is none, or there are SECRETS_PATTERNS already.
 */
bool secrets_add_pattern(struct secrets *secrets, const char *pattern, char *why, size_t why_len);

void secrets_free(struct secrets *secrets);

/* Write a value: bytes, without what the patterns fit; a path or the name of a socket or queue. */
void secret_bytes(struct json *json, const struct secrets *secrets, const void *bytes, size_t len);
void secret_name(struct json *json, const struct secrets *secrets, const void *name, size_t len);

/*
 * Writes a list of words, each of which ends with a NUL, of which the last may be cut. Patterns see
 * them with blanks between, so that one may fit an option with its argument.
 */
void secret_words(struct json *json, const struct secrets *secrets, const char *words, size_t len);

#endif
