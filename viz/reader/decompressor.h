/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lines of a compressed trace: frames of Zstandard (RFC 8878), one behind the other. It is
 * hostile input: a frame that wants a window of more than 2^DECOMPRESSOR_WINDOW_LOG bytes is
 * refused, and what comes out is bounded by the room for it.
 */
#ifndef VIZ_READER_DECOMPRESSOR_H
#define VIZ_READER_DECOMPRESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* So many bytes tell what is compressed from what is not. */
#define DECOMPRESSOR_MAGIC_LEN 4
#define DECOMPRESSOR_INPUT_LEN ((size_t)64 << 10)

/* As much as zstd(1) itself accepts unless it is told to take more. */
#define DECOMPRESSOR_WINDOW_LOG 27

struct ZSTD_DCtx_s;

struct decompressor {
	struct ZSTD_DCtx_s *context;
	char input[DECOMPRESSOR_INPUT_LEN]; /* the caller fills it once all of it is taken */
	size_t at, end;			    /* the bytes of it that are not taken yet */
	size_t wants;			    /* so many bytes more make it give something */
	bool full;			    /* there may be more to give without more input */
	const char *damage; /* why nothing more can be given; NULL: nothing is wrong */
};

/* Whether a compressed trace may begin so; with fewer than DECOMPRESSOR_MAGIC_LEN bytes: yet. */
bool decompressor_begins(const char *bytes, size_t len);

struct decompressor *decompressor_new(void);
void decompressor_free(struct decompressor *decompressor); /* NULL is fine */

/* How many bytes of lines it put at `to`; 0: it needs more input, or there is damage. */
size_t decompressor_take(struct decompressor *d, char *to, size_t len);

#endif
