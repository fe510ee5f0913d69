// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as lines, read in both ways: taken while they are scanned (viz/reader/line_scan.c), and
 * from the tree of their values. Lines, values and errors are the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/reader/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	FILE *stream;
	struct reader reader;
	struct trace_line line;
	struct viz_error error;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct reading *open_reading(const uint8_t *data, size_t size, bool whole_tree)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	require(reading);
	reading->stream = fmemopen((void *)data, size, "r");
	require(reading->stream);
	reader_init(&reading->reader, reading->stream, "fuzz", &reading->error);
	reading->reader.whole_tree = whole_tree;
	reading->reader.tolerant = true;
	return reading;
}

static void close_reading(struct reading *reading)
{
	reader_free(&reading->reader);
	fclose(reading->stream);
	free(reading);
}

static void compare_trees(const struct json_node *a, const struct json_node *b)
{
	const struct json_node *x, *y = json_first(b);

	require(a->type == b->type);
	if (a->type == JSON_STRING)
		require(viz_bytes_equal(a->text, b->text));
	if (a->type == JSON_INTEGER)
		require(a->magnitude == b->magnitude && a->negative == b->negative);
	json_for_each(x, a)
	{
		require(y && viz_bytes_equal(x->key, y->key));
		compare_trees(x, y);
		y = y->next;
	}
	require(!y);
}

static void compare_values(enum field field, const struct trace_value *a,
			   const struct trace_value *b)
{
	const enum field_kind kind = field_info(field)->kind;

	require(a->present == b->present);
	if (kind == KIND_TEXT || kind == KIND_BYTES)
		require(viz_bytes_equal(a->bytes, b->bytes) && !a->bytes.data == !b->bytes.data);
	else if (kind == KIND_BOOL)
		require(a->flag == b->flag);
	else if (kind <= KIND_INT || word_list(kind)->count)
		require(a->number == b->number);
	else if (a->present)
		compare_trees(a->json, b->json);
}

static void compare_lines(const struct trace_line *a, const struct trace_line *b)
{
	enum field end = record_end_field(a->record);

	require(a->record == b->record && a->number == b->number);
	require(memcmp(a->given, b->given, sizeof(a->given)) == 0);
	for (enum field field = record_first_field(a->record); field < end; field++)
		compare_values(field, &a->values[field], &b->values[field]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading *a, *b;
	int result;

	if (!size)
		return 0;
	a = open_reading(data, size, false);
	b = open_reading(data, size, true);
	do {
		result = reader_next(&a->reader, &a->line);
		require(reader_next(&b->reader, &b->line) == result);
		if (result == 1)
			compare_lines(&a->line, &b->line);
	} while (result == 1);
	require(a->reader.wrong == b->reader.wrong && a->reader.skipped == b->reader.skipped);
	require(strcmp(a->reader.first_wrong.text, b->reader.first_wrong.text) == 0);
	close_reading(a);
	close_reading(b);
	return 0;
}
