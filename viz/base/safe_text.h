/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Texts for people: makes hostile bytes harmless and quantities readable. Results are valid UTF-8
 * without C0 and C1 controls, DEL, and invisible or bidi format characters, which become \n, \x1b,
 * \u202e. A char * result is allocated and never NULL (memory.h): the caller frees it.
 * The functions with a `buf` give buf.
 */
#ifndef VIZ_BASE_SAFE_TEXT_H
#define VIZ_BASE_SAFE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SCENE_QUANTITY 32 /* enough for each of the quantities below */

/* The bytes made harmless, otherwise unchanged. Applying it twice gives the same text as once. */
char *scene_harmless(const void *bytes, size_t len);

/*
 * The bytes as a C string literal, in quotes; "abc"… if `total`, the original length, is more than
 * len.
 */
char *scene_quote(const void *bytes, size_t len, uint64_t total);

/* scene_harmless() of the bytes, with … behind them if `total`, their length, is more than len. */
char *scene_unquoted(const void *bytes, size_t len, uint64_t total);

/*
 * Writes a word of a command line as a shell would read it: quoted if needed, after a blank unless
 * it is the first.
 */
void scene_put_word(FILE *out, const char *word, size_t len, bool first);

/* "24 B", "64 KiB", "1.5 MiB" */
const char *scene_bytes(uint64_t bytes, char buf[SCENE_QUANTITY]);

/* "340 ns", "48.9 µs", "1.24 ms", "12.3 s" */
const char *scene_duration(uint64_t ns, char buf[SCENE_QUANTITY]);

/* "12,345" */
const char *scene_count(uint64_t n, char buf[SCENE_QUANTITY]);

#endif
