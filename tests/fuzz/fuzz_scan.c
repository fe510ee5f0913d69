// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any lines to the scanner of viz/reader and to cJSON: whatever the scanner takes, cJSON takes
 * too, and finds the same in it. Whole numbers that a double does not hold are exact in the
 * scanner alone.
 */
#include <stdint.h>
#include <stdlib.h>

#include "viz/reader/json_line.h"
#include "viz/reader/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static double number_of(const struct json_node *node)
{
	if (node->type == JSON_REAL)
		return node->real;
	return node->negative ? -(double)node->magnitude : (double)node->magnitude;
}

static bool same_text(struct viz_bytes a, struct viz_bytes b)
{
	require(!a.data || a.data[a.len] == '\0');
	if (!a.data || !b.data)
		return !a.data && !b.data;
	return viz_bytes_equal(a, b);
}

static void compare(const struct json_node *scanned, const struct json_node *parsed)
{
	const struct json_node *a, *b = json_first(parsed);

	require(same_text(scanned->key, parsed->key));
	if (scanned->type == JSON_INTEGER)
		require(json_is_number(parsed) && number_of(scanned) == number_of(parsed));
	else
		require(scanned->type == parsed->type);
	if (scanned->type == JSON_STRING)
		require(same_text(scanned->text, parsed->text));
	json_for_each(a, scanned)
	{
		require(b);
		compare(a, b);
		b = b->next;
	}
	require(!b);
}

static void check_line(const char *bytes, size_t len)
{
	struct json_line line = {0};
	struct json_node *nodes = calloc(SCAN_NODES(len), sizeof(*nodes));
	char *scanned = calloc(len + SCAN_PADDING, 1), *parsed = malloc(len + 1);

	if (!nodes || !scanned || !parsed)
		abort();
	if (len) {
		memcpy(scanned, bytes, len);
		memcpy(parsed, bytes, len);
	}
	if (scan_object(scanned, len, nodes)) {
		const struct json_node *json = json_line_parse(&line, parsed, len);

		require(json);
		compare(nodes, json);
	}
	json_line_free(&line);
	free(nodes);
	free(scanned);
	free(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);

		check_line(at, len);
		at += len + 1;
	}
	return 0;
}
