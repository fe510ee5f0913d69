/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes a frame of Zstandard (RFC 8878) of the lines of a trace. From time to time, and at its end,
 * all that it was given is made readable, so that of a tracer that was killed the trace is there up
 * to a moment before.
 */
#ifndef VIZ_BASE_COMPRESSOR_H
#define VIZ_BASE_COMPRESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ZSTD_CCtx_s;

struct compressor {
	struct ZSTD_CCtx_s *context;
	char *data; /* what came out last */
	size_t len, capacity;
	size_t written;	      /* bytes of it that the caller has written */
	uint64_t readable_ns; /* when all that had gone in was last made readable */
	bool holds;	      /* something has gone in since then */
	bool ends;	      /* set by the caller: no lines come any more */
	bool ended, failed;   /* failed: there was no memory for it */
};

/* Whether a trace of this name is compressed. */
bool compressor_wanted(const char *path);

/* NULL: there is no memory for it. */
struct compressor *compressor_new(void);
void compressor_free(struct compressor *compressor); /* NULL is fine */

/*
 * Takes in lines from `*taken` on, which it moves, and puts what comes out of them in place of
 * what came out before, which must be written by then. `now_ns` decides whether it is time to make
 * all of them readable. False: nothing more comes out for now.
 */
bool compressor_next(struct compressor *compressor, const char *lines, size_t len, size_t *taken,
		     uint64_t now_ns);

/*
 * A stream that compresses into `plain`, which it closes with itself; its fclose() fails, with
 * errno, where anything could not be written. NULL, with errno: there is no memory for it, and
 * `plain` is as it was.
 */
FILE *compressor_stream(FILE *plain);

#endif
