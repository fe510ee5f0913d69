// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/html/section.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/render/html/gzip_base64.h"

static const char letters[] = {
	[PAGE_BYTE] = 'b', [PAGE_UINT] = 'u', [PAGE_SIGNED] = 's', [PAGE_DELTA] = 'd'};

static void reserve(struct page_section *section, size_t len)
{
	size_t capacity = section->capacity ? section->capacity : 65536;

	if (section->capacity - section->len >= len)
		return;
	while (capacity - section->len < len)
		capacity *= 2;
	section->bytes = memory_resize(section->bytes, capacity, 1);
	section->capacity = capacity;
}

/* Ends a column. If all its values are equal, its bounds suffice and the bytes are dropped. */
static void end_column(struct page_section *section)
{
	struct page_column *column;

	if (!section->column_count)
		return;
	column = &section->columns[section->column_count - 1];
	if (column->least == column->most)
		section->len = column->offset;
	column->len = section->len - column->offset;
}

void page_begin_column(struct page_section *section, const char *name, enum page_encoding encoding)
{
	struct page_column *column = &section->columns[section->column_count];

	end_column(section);
	assert(section->column_count < PAGE_COLUMNS);
	*column = (struct page_column){.name = name, .encoding = encoding, .offset = section->len};
	section->column_count++;
	section->last = 0;
}

static void put_uint(struct page_section *section, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		section->bytes[section->len++] = (unsigned char)(value | 0x80);
	section->bytes[section->len++] = (unsigned char)value;
}

static uint64_t zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

void page_put(struct page_section *section, int64_t value)
{
	struct page_column *column = &section->columns[section->column_count - 1];

	reserve(section, 10);
	if (!column->count || value < column->least)
		column->least = value;
	if (!column->count || value > column->most)
		column->most = value;
	column->count++;
	switch (column->encoding) {
	case PAGE_BYTE:
		section->bytes[section->len++] = (unsigned char)value;
		break;
	case PAGE_UINT:
		put_uint(section, (uint64_t)value);
		break;
	case PAGE_SIGNED:
		put_uint(section, zigzag(value));
		break;
	case PAGE_DELTA:
		put_uint(section, zigzag((int64_t)((uint64_t)value - (uint64_t)section->last)));
		section->last = value;
		break;
	}
}

void page_put_bytes(struct page_section *section, const void *bytes, size_t len)
{
	struct page_column *column = &section->columns[section->column_count - 1];

	if (!len)
		return;
	reserve(section, len);
	memcpy(section->bytes + section->len, bytes, len);
	section->len += len;
	column->count += len;
	column->most = 255;
}

static void end_meta(struct page_section *section)
{
	struct json *j = &section->meta;

	end_column(section);
	json_key(j, "columns");
	json_array(j);
	for (size_t i = 0; i < section->column_count; i++) {
		const struct page_column *column = &section->columns[i];

		json_array(j);
		json_text(j, column->name);
		json_text(j, (char[]){letters[column->encoding], '\0'});
		json_uint(j, column->count);
		json_int(j, column->least);
		json_int(j, column->most);
		json_uint(j, column->len);
		json_end_array(j);
	}
	json_end_array(j);
	json_end_object(j);
}

int page_end_section(struct page_section *section, const char *name, FILE *out)
{
	struct json *meta = &section->meta;
	unsigned char len[4];
	struct page_pack *pack;
	int err;

	end_meta(section);
	pack = page_pack_begin(name, sizeof(len) + meta->len + section->len, out);
	for (size_t i = 0; i < sizeof(len); i++)
		len[i] = (unsigned char)(meta->len >> 8 * i);
	page_pack_put(pack, len, sizeof(len));
	page_pack_put(pack, meta->data, meta->len);
	page_pack_put(pack, section->bytes, section->len);
	err = page_pack_end(pack);
	if (meta->failed)
		err = -ENOMEM;
	json_free(meta);
	free(section->bytes);
	*section = (struct page_section){0};
	return err;
}
