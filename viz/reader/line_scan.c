// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/line_scan.h"

#include "viz/reader/scan_text.h"

void line_clear(struct trace_line *line)
{
	struct trace_value *values = &line->values[record_first_field(line->record)];

	for (size_t i = 0; i < LINE_GIVEN_WORDS; i++)
		for (uint64_t given = line->given[i]; given; given &= given - 1)
			values[64 * i + (size_t)__builtin_ctzll(given)] = (struct trace_value){0};
	memset(line->given, 0, sizeof(line->given));
}

bool line_has_required(const struct reader *reader, const struct trace_line *line)
{
	const uint64_t *required = reader->required[line->record];

	for (size_t i = 0; i < LINE_GIVEN_WORDS; i++)
		if (required[i] & ~line->given[i])
			return false;
	return true;
}

#define LINE_BEGIN "{\"" KEY_TYPE "\":\""

/* The record, from behind its opening quote; most lines are of the same one as the last. */
static enum record scan_record(struct scan *s, enum record last)
{
	const char *name = record_name(last);
	struct viz_bytes text;

	if (!scan_string(s, &text))
		return RECORD_NONE;
	return strcmp(text.data, name) == 0 ? last : record_by_name(text.data);
}

static struct field_entry *scan_new_key(struct reader *reader, struct scan *s, enum record record)
{
	struct viz_bytes key;

	if (s->at[0] != ',' || s->at[1] != '"')
		return NULL;
	s->at += 2;
	if (!scan_string(s, &key) || *s->at++ != ':')
		return NULL;
	return field_index_find(&reader->fields, record, key);
}

/* A comma and a key; gives the field that it is of, NULL: not known. */
static inline struct field_entry *scan_field_key(struct reader *reader, struct scan *s,
						 enum record record, struct field_entry *before)
{
	struct field_entry *field = field_index_expect(before, s->at);

	if (field) {
		s->at += field->lead_len;
		return field;
	}
	field = scan_new_key(reader, s, record);
	if (field)
		field_index_learn(before, field);
	return field;
}

/* The largest number that a value of this kind may be; 0: it is no number. */
static const uint64_t number_max[KIND_COUNT] = {
	[KIND_UINT] = UINT64_MAX,
	[KIND_U32] = UINT32_MAX,
	[KIND_TIME] = INT64_MAX,
	[KIND_INT] = INT64_MAX,
};

static bool scan_other_value(struct scan *s, enum field_kind kind, struct trace_value *value)
{
	struct json_node *node = s->free++;

	node->key = (struct viz_bytes){NULL, 0};
	return scan_value(s, node) && reader_value(kind, node, value);
}

_Static_assert(sizeof(uint64_t) == sizeof(((struct trace_value *)0)->integer), "INT has 64 bits");

static inline bool scan_field(struct scan *s, enum field_kind kind, struct trace_value *value)
{
	uint64_t most = number_max[kind];

	if (most && *s->at != '-')
		return scan_magnitude(s, &value->number) && value->number <= most;
	if ((kind == KIND_TEXT || kind == KIND_BYTES) && *s->at == '"') {
		s->at++;
		return scan_string(s, &value->bytes);
	}
	return scan_other_value(s, kind, value);
}

static bool scan_fields(struct reader *reader, struct scan *s, struct trace_line *line)
{
	struct field_entry *field = &reader->fields.first[line->record];

	while (*s->at == ',') {
		struct trace_value *value;

		field = scan_field_key(reader, s, line->record, field);
		if (!field)
			return false;
		value = &line->values[field->field];
		if (value->present)
			return false;
		value->present = true;
		line->given[field->bit / 64] |= (uint64_t)1 << field->bit % 64;
		if (!scan_field(s, field->kind, value))
			return false;
	}
	return *s->at++ == '}';
}

bool line_scan(struct reader *reader, const char *text, size_t len, struct trace_line *line)
{
	const size_t begin = sizeof(LINE_BEGIN) - 1;
	struct scan s = {.at = json_line_copy(&reader->json, text, len), .depth = 1};
	const char *end = s.at + len;

	s.free = reader->json.nodes;
	if (len < begin || memcmp(s.at, LINE_BEGIN, begin) != 0)
		return false;
	s.at += begin;
	line_clear(line);
	line->record = scan_record(&s, line->record);
	line->number = reader->number;
	return line->record != RECORD_NONE && scan_fields(reader, &s, line) && s.at == end &&
	       line_has_required(reader, line);
}
