// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/zstd_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define ROOM 65536

struct zstd_output {
	FILE *plain;
	ZSTD_CCtx *context;
	char room[ROOM];
};

bool zstd_wanted(const char *path)
{
	const char *ending = strrchr(path, '.');

	return ending && ending != path && strcmp(ending, ".zst") == 0;
}

/* Until all of `in` is taken, or with ZSTD_e_end until the frame is whole. False, with errno. */
static bool compress(struct zstd_output *output, ZSTD_inBuffer in, ZSTD_EndDirective how)
{
	size_t left;

	do {
		ZSTD_outBuffer out = {output->room, ROOM, 0};

		left = ZSTD_compressStream2(output->context, &out, &in, how);
		if (ZSTD_isError(left)) {
			errno = ENOMEM; /* it has no other reason to fail here */
			return false;
		}
		if (fwrite(output->room, 1, out.pos, output->plain) != out.pos)
			return false;
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return true;
}

static ssize_t take(void *cookie, const char *bytes, size_t len)
{
	return compress(cookie, (ZSTD_inBuffer){bytes, len, 0}, ZSTD_e_continue) ? (ssize_t)len : 0;
}

static int end(void *cookie)
{
	struct zstd_output *output = cookie;
	bool whole = compress(output, (ZSTD_inBuffer){NULL, 0, 0}, ZSTD_e_end);
	int number = errno;

	ZSTD_freeCCtx(output->context);
	if (fclose(output->plain) && whole) {
		number = errno;
		whole = false;
	}
	free(output);
	errno = number;
	return whole ? 0 : -1;
}

FILE *zstd_output(FILE *plain)
{
	struct zstd_output *output = calloc(1, sizeof(*output));
	FILE *stream = NULL;

	if (output)
		output->context = ZSTD_createCCtx();
	if (output && output->context) {
		output->plain = plain;
		stream = fopencookie(output, "w",
				     (cookie_io_functions_t){.write = take, .close = end});
	}
	if (!stream) {
		ZSTD_freeCCtx(output ? output->context : NULL);
		free(output);
		errno = ENOMEM;
	}
	return stream;
}
