// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/html/gzip_base64.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "viz/base/memory.h"

enum {
	LEVEL = 5,
	WINDOW_GZIP = 15 + 16, /* deflateInit2(): with gzip header */
	CHUNK_LEN = 3 << 20,   /* 4 MB of base64, since browsers limit strings */
};

struct page_pack {
	FILE *out;
	const char *name;
	size_t len;
	z_stream zip;
	unsigned char *chunk; /* compressed, not yet written */
	char *text;
	int err;
};

static void encode(const unsigned char *in, size_t len, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; len >= 3; len -= 3, in += 3) {
		*out++ = digits[in[0] >> 2];
		*out++ = digits[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = digits[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = digits[in[2] & 63];
	}
	if (!len)
		return;
	*out++ = digits[in[0] >> 2];
	*out++ = digits[(in[0] & 3) << 4 | (len == 2 ? in[1] >> 4 : 0)];
	*out++ = len == 2 ? digits[(in[1] & 15) << 2] : '=';
	*out = '=';
}

static void write_chunk(struct page_pack *pack)
{
	size_t len = CHUNK_LEN - pack->zip.avail_out;
	size_t text_len = (len + 2) / 3 * 4;

	if (!len)
		return;
	encode(pack->chunk, len, pack->text);
	fprintf(pack->out, "<script type=\"text/plain\" data-section=\"%s\" data-len=\"%zu\">",
		pack->name, pack->len);
	if (fwrite(pack->text, 1, text_len, pack->out) != text_len)
		pack->err = -EIO;
	fputs("</script>\n", pack->out);
	pack->zip.next_out = pack->chunk;
	pack->zip.avail_out = CHUNK_LEN;
}

struct page_pack *page_pack_begin(const char *name, size_t len, FILE *out)
{
	struct page_pack *pack = memory_new(sizeof(*pack));

	pack->out = out;
	pack->name = name;
	pack->len = len;
	pack->chunk = memory_new(CHUNK_LEN);
	pack->text = memory_new((size_t)CHUNK_LEN / 3 * 4 + 4);
	/* It fails only without memory: the other arguments are constant. */
	if (deflateInit2(&pack->zip, LEVEL, Z_DEFLATED, WINDOW_GZIP, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		memory_need(false);
	pack->zip.next_out = pack->chunk;
	pack->zip.avail_out = CHUNK_LEN;
	return pack;
}

void page_pack_put(struct page_pack *pack, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	while (len) {
		size_t part = len < INT_MAX ? len : INT_MAX;

		pack->zip.next_in = (unsigned char *)(at);
		pack->zip.avail_in = (unsigned)part;
		while (pack->zip.avail_in) {
			deflate(&pack->zip, Z_NO_FLUSH);
			if (!pack->zip.avail_out)
				write_chunk(pack);
		}
		at += part;
		len -= part;
	}
}

int page_pack_end(struct page_pack *pack)
{
	int err;

	while (deflate(&pack->zip, Z_FINISH) != Z_STREAM_END)
		write_chunk(pack);
	write_chunk(pack);
	deflateEnd(&pack->zip);
	err = ferror(pack->out) ? -EIO : pack->err;
	free(pack->chunk);
	free(pack->text);
	free(pack);
	return err;
}
