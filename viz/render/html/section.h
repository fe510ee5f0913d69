/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A section of the page's data: a JSON object and columns of integers, which
 * viz/render/html/page/decode.js reads. In the file it is gzip in base64, split into <script
 * type="text/plain"> elements of a few megabytes: 7 times smaller than JSON and quicker to read.
 *
 * Unpacked: the length of the JSON (u32, little endian), the JSON, the columns back to back. The
 * JSON's last key "columns" lists [name, encoding, count, least, most, bytes]; if least equals
 * most, all values are that, and there are no bytes.
 */
#ifndef VIZ_RENDER_HTML_SECTION_H
#define VIZ_RENDER_HTML_SECTION_H

#include <stdio.h>

#include "viz/base/json.h"

enum page_encoding {
	PAGE_BYTE,   /* "b": as it is, 0 to 255 */
	PAGE_UINT,   /* "u": LEB128 */
	PAGE_SIGNED, /* "s": LEB128 of zigzag */
	PAGE_DELTA   /* "d": as "s", of the difference to the previous value */
};

enum { PAGE_COLUMNS = 24 };

struct page_column {
	const char *name;
	enum page_encoding encoding;
	size_t count;
	size_t offset;	     /* of its first byte */
	size_t len;	     /* in bytes, set once the next one has begun */
	int64_t least, most; /* range of its values */
};

struct page_section {
	struct json meta; /* the caller opens the object and writes its keys */
	unsigned char *bytes;
	size_t len;
	size_t capacity;
	struct page_column columns[PAGE_COLUMNS];
	size_t column_count;
	int64_t last; /* previous value in a PAGE_DELTA column */
};

/* Begins a column, and adds a value to the column begun last. */
void page_begin_column(struct page_section *section, const char *name, enum page_encoding encoding);
void page_put(struct page_section *section, int64_t value);
/* Adds several bytes to a PAGE_BYTE column. */
void page_put_bytes(struct page_section *section, const void *bytes, size_t len);

/* Closes the JSON, writes the section to the page and frees it. Returns 0 or -errno. */
int page_end_section(struct page_section *section, const char *name, FILE *out);

#endif
