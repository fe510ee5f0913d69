/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line of JSON becomes nodes: scanned, or parsed by cJSON where the scanner does not know it. */
#ifndef VIZ_READER_JSON_LINE_H
#define VIZ_READER_JSON_LINE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "viz/reader/json_node.h"

struct json_line {
	char *text; /* the scanner's copy of the line */
	struct json_node *nodes;
	size_t capacity; /* of the text */
	cJSON *parsed;	 /* by cJSON; NULL: scanned */
};

/*
 * Gives the object that the line is, valid until the next call; NULL: it is no JSON object. The
 * byte behind the line becomes a NUL.
 */
const struct json_node *json_line_read(struct json_line *line, char *text, size_t len);
const struct json_node *json_line_parse(struct json_line *line, char *text, size_t len); /* cJSON */
/* The scanner's copy of the text, as scan.h wants it; there is room for its nodes. */
char *json_line_copy(struct json_line *line, const char *text, size_t len);
void json_line_free(struct json_line *line);

#endif
