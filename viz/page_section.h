/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A section of the page's data: a JSON object and columns of integers, that viz/page/decode.js
 * reads back. In the file it is gzip in base64, cut into <script type="text/plain"> of a few
 * megabytes: 7 times smaller than JSON and quicker to read.
 *
 * Unpacked: u32 little endian length of the JSON, the JSON, the columns one behind the other. The
 * JSON's last key "columns" lists [name, encoding, count, least, most, bytes]; where least is most,
 * that is each of its values, and there are no bytes.
 */
#ifndef VIZ_PAGE_SECTION_H
#define VIZ_PAGE_SECTION_H

#include <stdio.h>

#include "json.h"

enum page_encoding {
	PAGE_BYTE,   /* "b": as it is, 0 to 255 */
	PAGE_UINT,   /* "u": LEB128 */
	PAGE_SIGNED, /* "s": LEB128 of zigzag */
	PAGE_DELTA   /* "d": the same of the difference to the one before */
};

enum { PAGE_COLUMNS = 24 };

struct page_column {
	const char *name;
	enum page_encoding encoding;
	size_t count;
	size_t offset;	     /* of its first byte */
	size_t len;	     /* once the next one has begun */
	int64_t least, most; /* of its values */
};

struct page_section {
	struct json meta; /* the caller opens the object and writes its keys */
	unsigned char *bytes;
	size_t len;
	size_t capacity;
	struct page_column columns[PAGE_COLUMNS];
	size_t column_count;
	int64_t last; /* of a PAGE_DELTA column */
	bool failed;  /* out of memory: sticky */
};

void page_begin_column(struct page_section *section, const char *name, enum page_encoding encoding);
void page_put(struct page_section *section, int64_t value);
/* The bytes of a PAGE_BYTE column at once. */
void page_put_bytes(struct page_section *section, const void *bytes, size_t len);

/* Closes the JSON, writes all to the page and frees it. 0 or -errno. */
int page_end_section(struct page_section *section, const char *name, FILE *out);

#endif
