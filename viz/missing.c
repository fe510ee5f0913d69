// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "missing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As much of a line as tells what it is; the writer's keys have one order. */
#define HEAD_LEN 512

struct counts {
	uint64_t operations, signals;
	uint64_t said; /* by the trailer, of both */
	bool trailer;
};

static bool begins(const char *line, const char *type)
{
	return strncmp(line, type, strlen(type)) == 0;
}

static uint64_t number_of(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* The state stands before all that a program can choose. */
static bool is_unfinished(const char *line)
{
	const char *state = strstr(line, "\"state\":"), *payload = strstr(line, "\"payload\":");

	return state && (!payload || state < payload);
}

static void count_line(struct counts *counts, const char *line)
{
	if (begins(line, "{\"type\":\"operation\"")) {
		counts->operations += !is_unfinished(line);
	} else if (begins(line, "{\"type\":\"signal\"")) {
		counts->signals++;
	} else if (begins(line, "{\"type\":\"trailer\"")) {
		counts->trailer = true;
		counts->said = number_of(line, "\"operations\":") + number_of(line, "\"signals\":");
	}
}

static bool is_file(FILE *stream)
{
	struct stat status;

	return fstat(fileno(stream), &status) == 0 && S_ISREG(status.st_mode) &&
	       ftello(stream) == 0;
}

/* The heads of all lines, however long these are. */
static void count_lines(FILE *stream, struct counts *counts)
{
	char head[HEAD_LEN];
	bool whole = true; /* the piece begins a line */

	while (fgets(head, sizeof(head), stream)) {
		if (whole)
			count_line(counts, head);
		whole = strchr(head, '\n') != NULL;
	}
}

uint64_t missing_lines(FILE *stream)
{
	struct counts counts = {0};
	uint64_t found;

	if (!is_file(stream))
		return 0;
	count_lines(stream, &counts);
	rewind(stream);
	found = counts.operations + counts.signals;
	return counts.trailer && counts.said > found ? counts.said - found : 0;
}
