// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/format/lines.h"

#include "viz/format/top_keys.h"

static struct line_info trace_line(size_t i)
{
	enum record record = (enum record)(RECORD_NONE + 1 + i);
	enum field first = record_first_field(record);

	return (struct line_info){
		.name = record_name(record),
		.help = record_help(record),
		.fields = field_info(first),
		.count = (size_t)(record_end_field(record) - first),
	};
}

const struct line_set trace_lines = {
	.name = "trace",
	.title = "A line of an ipclens trace",
	.about = "A trace is lines of JSON (NDJSON), each valid by this schema. It says what "
		 "this version writes: readers must skip keys and line types that they do not "
		 "know, for later versions add some.",
	.line = trace_line,
	.count = RECORD_COUNT - RECORD_NONE - 1,
};

static const struct field_info top_fields[TOP_FIELD_COUNT] = {
#define TOP_LINE(...)
#define TOP_PART(...)
#define TOP_FIELD(line, key, kind, presence, help)                                                 \
	[TOP_FIELD_##line##_##                                                                     \
		key] = {#key, #kind, help, RECORD_NONE, KIND_##kind, PRESENCE_##presence},
#include "viz/format/top_lines.def"
#undef TOP_FIELD
#undef TOP_PART
#undef TOP_LINE
};

/* FIRST_x is the number of line x's first field: BACK_x makes its row take no number itself. */
enum {
#define TOP_LINE(type, help) FIRST_##type, BACK_##type = FIRST_##type - 1,
#define TOP_PART TOP_LINE
#define TOP_FIELD(line, key, kind, presence, help) PLACE_##line##_##key,
#include "viz/format/top_lines.def"
#undef TOP_FIELD
#undef TOP_PART
#undef TOP_LINE
};

static const struct {
	const char *name, *help;
	size_t first;
	bool part;
} top_types[TOP_LINE_COUNT + 1] = {
#define TOP_LINE(type, help) [TOP_LINE_##type] = {#type, help, FIRST_##type, false},
#define TOP_PART(type, help) [TOP_LINE_##type] = {#type, help, FIRST_##type, true},
#define TOP_FIELD(...)
#include "viz/format/top_lines.def"
#undef TOP_FIELD
#undef TOP_PART
#undef TOP_LINE
	[TOP_LINE_COUNT] = {.first = TOP_FIELD_COUNT},
};

static struct line_info top_line(size_t i)
{
	return (struct line_info){
		.name = top_types[i].name,
		.help = top_types[i].help,
		.fields = &top_fields[top_types[i].first],
		.count = top_types[i + 1].first - top_types[i].first,
		.part = top_types[i].part,
	};
}

const struct line_set top_lines = {
	.name = "top",
	.title = "A line of ipclens top --json",
	.about = "ipclens top --json prints lines of JSON (NDJSON), each valid by this schema. "
		 "It says what this version prints: readers must skip keys and line types that "
		 "they do not know, for later versions add some.",
	.line = top_line,
	.count = TOP_LINE_COUNT,
};
