/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A stream whose bytes become a frame of Zstandard (RFC 8878). */
#ifndef VIZ_BASE_ZSTD_OUTPUT_H
#define VIZ_BASE_ZSTD_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* Whether a trace of this name is compressed. */
bool zstd_wanted(const char *path);

/*
 * A stream that compresses into `plain`, which it closes with itself; its fclose() fails, with
 * errno, where anything could not be written. NULL, with errno: there is no memory for it, and
 * `plain` is as it was.
 */
FILE *zstd_output(FILE *plain);

#endif
