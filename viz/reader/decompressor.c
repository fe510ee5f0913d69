// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/decompressor.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "viz/base/memory.h"

bool decompressor_begins(const char *bytes, size_t len)
{
	static const char magic[DECOMPRESSOR_MAGIC_LEN] = {0x28, (char)0xb5, 0x2f, (char)0xfd};

	return memcmp(bytes, magic, len < sizeof(magic) ? len : sizeof(magic)) == 0;
}

struct decompressor *decompressor_new(void)
{
	struct decompressor *decompressor = memory_new(sizeof(*decompressor));

	decompressor->context = ZSTD_createDCtx();
	memory_need(decompressor->context != NULL);
	decompressor->wants = 1;
	ZSTD_DCtx_setParameter(decompressor->context, ZSTD_d_windowLogMax, DECOMPRESSOR_WINDOW_LOG);
	return decompressor;
}

void decompressor_free(struct decompressor *decompressor)
{
	if (decompressor)
		ZSTD_freeDCtx(decompressor->context);
	free(decompressor);
}

/* What zstd suggests to give next is the rest of a block, and the header of the one behind it. */
static size_t rest_of_block(size_t suggested)
{
	const size_t header = 3;

	return suggested > header ? suggested - header : 1;
}

/*
 * One block at a time, as with an error nothing is given of what was decoded before it in the same
 * call. Without input zstd is asked only where it may still hold something: it takes repeated
 * asking for an error.
 */
size_t decompressor_take(struct decompressor *d, char *to, size_t len)
{
	ZSTD_outBuffer out = {to, len, 0};

	while (!d->damage && !out.pos && (d->at < d->end || d->full)) {
		size_t have = d->end - d->at;
		ZSTD_inBuffer in = {d->input + d->at, have < d->wants ? have : d->wants, 0};
		size_t result = ZSTD_decompressStream(d->context, &out, &in);

		if (ZSTD_isError(result))
			d->damage = ZSTD_getErrorName(result);
		d->wants = rest_of_block(result);
		d->full = out.pos == out.size;
		d->at += in.pos;
	}
	return out.pos;
}
