// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/line_count.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "viz/reader/line_source.h"

/* The first bytes of a line tell its type and state, as the writer has its keys in one order. */
#define HEAD_LEN 511

struct counts {
	uint64_t operations, signals;
	uint64_t reported; /* the trailer's sum of operations and signals */
	bool trailer;
};

/* The beginning of a line; a NUL follows it. */
struct head {
	const char *text;
	size_t len;
};

#define BEGINS(head, type)                                                                         \
	((head)->len >= sizeof(type) - 1 && memcmp((head)->text, type, sizeof(type) - 1) == 0)

static uint64_t number_of(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* The writer puts "state" before everything that a traced program can choose. */
static bool has_state(const struct head *head)
{
	const char *state = strstr(head->text, "\"state\":");
	const char *payload = strstr(head->text, "\"payload\":");

	return state && (!payload || state < payload);
}

#define KEYS_BEFORE_EXIT 12

/*
 * The writer puts "exit_ns" where "state" would stand, so it is looked for among the first keys
 * before all of the head is searched.
 */
static bool is_unfinished(const struct head *head)
{
	const char *at = head->text, *end = at + head->len;

	for (int i = 0; i < KEYS_BEFORE_EXIT && at; i++) {
		if (end - at > 10 && memcmp(at, ",\"exit_ns\":", 11) == 0)
			return false;
		at = memchr(at + 1, ',', (size_t)(end - at - 1));
	}
	return has_state(head);
}

static void count_line(struct counts *counts, const struct head *head)
{
	if (BEGINS(head, "{\"type\":\"operation\"")) {
		counts->operations += !is_unfinished(head);
	} else if (BEGINS(head, "{\"type\":\"signal\"")) {
		counts->signals++;
	} else if (BEGINS(head, "{\"type\":\"trailer\"")) {
		counts->trailer = true;
		counts->reported = number_of(head->text, "\"operations\":") +
				   number_of(head->text, "\"signals\":");
	}
}

static void count_lines(struct line_source *source, struct counts *counts)
{
	int result = 1;

	while (result > 0) {
		struct head head;
		char *line;

		result = line_source_next(source, &line, &head.len);
		if (result < 0 || (result == 0 && head.len == 0))
			return;
		if (head.len > HEAD_LEN)
			head.len = HEAD_LEN;
		line[head.len] = '\0';
		head.text = line;
		count_line(counts, &head);
	}
}

uint64_t missing_lines(FILE *stream)
{
	struct counts counts = {0};
	struct line_source source;
	uint64_t found;

	line_source_init(&source, stream);
	if (source.fd >= 0 && source.at == 0)
		count_lines(&source, &counts);
	line_source_free(&source);
	found = counts.operations + counts.signals;
	return counts.trailer && counts.reported > found ? counts.reported - found : 0;
}
