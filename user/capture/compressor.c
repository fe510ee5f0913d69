// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/compressor.h"

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
