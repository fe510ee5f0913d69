/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The names in what `ipclens top --json` prints, from top_lines.def. */
#ifndef VIZ_FORMAT_TOP_KEYS_H
#define VIZ_FORMAT_TOP_KEYS_H

enum top_line_type {
#define TOP_LINE(type, help) TOP_LINE_##type,
#define TOP_PART TOP_LINE
#define TOP_FIELD(...)
#include "viz/format/top_lines.def"
#undef TOP_FIELD
#undef TOP_PART
#undef TOP_LINE
	TOP_LINE_COUNT
};

enum top_line_key {
#define TOP_LINE(...)
#define TOP_PART(...)
#define TOP_FIELD(line, key, kind, presence, help) TOP_FIELD_##line##_##key,
#include "viz/format/top_lines.def"
#undef TOP_FIELD
#undef TOP_PART
#undef TOP_LINE
	TOP_FIELD_COUNT
};

/* A line's type and a key, which the compiler checks against the table. */
#define TOP_TYPE(line) ((void)TOP_LINE_##line, #line)
#define TOP_KEY(line, key) ((void)TOP_FIELD_##line##_##key, #key)

#endif
