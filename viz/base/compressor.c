// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/compressor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* What a tracer that is killed takes with it. Less time makes smaller blocks, which pack worse. */
#define READABLE_EVERY_NS 100000000

/*
 * They keep up with a program that does nothing but talk. A line resembles the last one of the same
 * call most of all: a small table remembers that one alone, always at the same distance, which
 * costs less to tell than where a longer match may lie. The window is what that table can hold.
 */
static const struct {
	ZSTD_cParameter what;
	int value;
} settings[] = {
	{ZSTD_c_compressionLevel, 1}, {ZSTD_c_windowLog, 17},	{ZSTD_c_hashLog, 11},
	{ZSTD_c_minMatch, 7},	      {ZSTD_c_checksumFlag, 1},
};

bool compressor_wanted(const char *path)
{
	const char *ending = strrchr(path, '.');

	return ending && ending != path && strcmp(ending, ".zst") == 0;
}

struct compressor *compressor_new(void)
{
	struct compressor *compressor = calloc(1, sizeof(*compressor));

	if (!compressor)
		return NULL;
	compressor->capacity = ZSTD_CStreamOutSize();
	compressor->data = malloc(compressor->capacity);
	compressor->context = ZSTD_createCCtx();
	if (!compressor->data || !compressor->context) {
		compressor_free(compressor);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		ZSTD_CCtx_setParameter(compressor->context, settings[i].what, settings[i].value);
	return compressor;
}

void compressor_free(struct compressor *compressor)
{
	if (!compressor)
		return;
	ZSTD_freeCCtx(compressor->context);
	free(compressor->data);
	free(compressor);
}

static ZSTD_EndDirective directive(const struct compressor *compressor, uint64_t now_ns)
{
	if (compressor->ends)
		return ZSTD_e_end;
	if (compressor->holds && now_ns >= compressor->readable_ns + READABLE_EVERY_NS)
		return ZSTD_e_flush;
	return ZSTD_e_continue;
}

bool compressor_next(struct compressor *compressor, const char *lines, size_t len, size_t *taken,
		     uint64_t now_ns)
{
	ZSTD_inBuffer in = {lines, len, *taken};
	ZSTD_outBuffer out = {compressor->data, compressor->capacity, 0};
	ZSTD_EndDirective how;
	size_t left;

	if (compressor->ended || compressor->failed)
		return false;
	compressor->holds |= in.pos < in.size;
	how = directive(compressor, now_ns);
	left = ZSTD_compressStream2(compressor->context, &out, &in, how);
	compressor->failed = ZSTD_isError(left);
	if (left == 0 && how != ZSTD_e_continue) {
		compressor->holds = false;
		compressor->readable_ns = now_ns;
		compressor->ended = how == ZSTD_e_end;
	}
	*taken = in.pos;
	compressor->len = out.pos;
	compressor->written = 0;
	return out.pos > 0;
}

/* --- a stream --- */

struct packed {
	struct compressor *compressor;
	FILE *plain;
};

/* Writes what comes out of these bytes. It is never made readable on the way. False, with errno. */
static bool pack(const struct packed *packed, const char *bytes, size_t len)
{
	struct compressor *compressor = packed->compressor;
	size_t taken = 0;

	while (compressor_next(compressor, bytes, len, &taken, 0))
		if (fwrite(compressor->data, 1, compressor->len, packed->plain) != compressor->len)
			return false;
	if (compressor->failed)
		errno = ENOMEM;
	return !compressor->failed;
}

static ssize_t packed_write(void *packed, const char *bytes, size_t len)
{
	return pack(packed, bytes, len) ? (ssize_t)len : 0;
}

static int packed_close(void *cookie)
{
	struct packed *packed = cookie;
	int number = 0;

	packed->compressor->ends = true;
	if (!pack(packed, NULL, 0))
		number = errno;
	if (fclose(packed->plain) && !number)
		number = errno;
	compressor_free(packed->compressor);
	free(packed);
	errno = number;
	return number ? -1 : 0;
}

FILE *compressor_stream(FILE *plain)
{
	static const cookie_io_functions_t calls = {.write = packed_write, .close = packed_close};
	struct packed *packed = calloc(1, sizeof(*packed));
	FILE *stream = NULL;

	if (packed)
		packed->compressor = compressor_new();
	if (packed && packed->compressor) {
		packed->plain = plain;
		stream = fopencookie(packed, "w", calls);
	}
	if (!stream) {
		compressor_free(packed ? packed->compressor : NULL);
		free(packed);
		errno = ENOMEM;
	}
	return stream;
}
