/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text for scenes: hostile bytes made harmless, quantities made readable. What these give is valid
 * UTF-8 without C0 and C1 controls, DEL, invisible and bidi format characters; those become \n,
 * \x1b, \u202e. Results are allocated; NULL means out of memory.
 */
#ifndef VIZ_SCENE_TEXT_H
#define VIZ_SCENE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SCENE_QUANTITY 32 /* room for any quantity below */

/* A name as it is, but harmless. Applying it twice changes nothing more. */
char *scene_harmless(const void *bytes, size_t len);

/*
 * Bytes as a C string literal would write them, in quotes; "abc"… where `total` is more than len.
 */
char *scene_quote(const void *bytes, size_t len, uint64_t total);

/* A word of a command line as a shell would read it: quoted where it must be, after a blank. */
void scene_put_word(FILE *out, const char *word, size_t len, bool first);

/* "24 B", "64 KiB", "1.5 MiB" */
const char *scene_bytes(uint64_t bytes, char buf[SCENE_QUANTITY]);

/* "340 ns", "48.9 µs", "1.24 ms", "12.3 s" */
const char *scene_duration(uint64_t ns, char buf[SCENE_QUANTITY]);

/* "12,345" */
const char *scene_count(uint64_t n, char buf[SCENE_QUANTITY]);

#endif
