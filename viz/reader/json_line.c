// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/json_line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/reader/scan.h"

/* cJSON keeps numbers as doubles, which hold every integer below this one exactly. */
#define EXACT_END 0x1p53

#define CAPACITY_MIN ((size_t)4096)

static void make_room(struct json_line *line, size_t len)
{
	size_t capacity = line->capacity ? line->capacity : CAPACITY_MIN;

	if (line->capacity && len <= line->capacity)
		return;
	while (capacity < len)
		capacity *= 2;
	free(line->text);
	free(line->nodes);
	line->text = memory_array(capacity + SCAN_PADDING, 1);
	line->nodes = memory_array(SCAN_NODES(capacity), sizeof(*line->nodes));
	line->capacity = capacity;
}

static void put_number(struct json_node *node, double number)
{
	if (isfinite(number) && fabs(number) < EXACT_END && (double)(int64_t)number == number) {
		node->type = JSON_INTEGER;
		node->negative = number < 0;
		node->magnitude = (uint64_t)fabs(number);
	} else {
		node->type = JSON_REAL;
		node->real = number;
	}
}

static void put_scalar(struct json_node *node, const cJSON *json)
{
	if (cJSON_IsString(json)) {
		node->type = JSON_STRING;
		node->text = viz_bytes_of(json->valuestring);
	} else if (cJSON_IsNumber(json)) {
		put_number(node, json->valuedouble);
	} else if (cJSON_IsBool(json)) {
		node->type = cJSON_IsTrue(json) ? JSON_TRUE : JSON_FALSE;
	} else {
		node->type = JSON_NULL;
	}
}

/* Puts the tree into nodes; gives the next free one. */
static struct json_node *put_tree(struct json_node *node, const cJSON *json)
{
	struct json_node *free_node = node + 1, **end = &node->child;
	const cJSON *item;

	node->next = NULL;
	node->key = viz_bytes_of(json->string);
	if (!cJSON_IsArray(json) && !cJSON_IsObject(json)) {
		put_scalar(node, json);
		return free_node;
	}
	node->type = cJSON_IsArray(json) ? JSON_ARRAY : JSON_OBJECT;
	*end = NULL;
	cJSON_ArrayForEach(item, json)
	{
		*end = free_node;
		free_node = put_tree(free_node, item);
		end = &(*end)->next;
	}
	return free_node;
}

/* Passes the NUL to cJSON too: older versions read one byte beyond the length. */
const struct json_node *json_line_parse(struct json_line *line, char *text, size_t len)
{
	const char *end = NULL;

	make_room(line, len);
	cJSON_Delete(line->parsed);
	text[len] = '\0';
	line->parsed = cJSON_ParseWithLengthOpts(text, len + 1, &end, false);
	if (!line->parsed || !cJSON_IsObject(line->parsed))
		return NULL;
	while (end < text + len && strchr(" \t\r", *end) && *end)
		end++;
	if (end != text + len)
		return NULL;
	put_tree(line->nodes, line->parsed);
	return line->nodes;
}

char *json_line_copy(struct json_line *line, const char *text, size_t len)
{
	make_room(line, len);
	memcpy(line->text, text, len);
	line->text[len] = '\0';
	return line->text;
}

const struct json_node *json_line_read(struct json_line *line, char *text, size_t len)
{
	json_line_copy(line, text, len);
	if (scan_object(line->text, len, line->nodes))
		return line->nodes;
	return json_line_parse(line, text, len);
}

void json_line_free(struct json_line *line)
{
	cJSON_Delete(line->parsed);
	free(line->text);
	free(line->nodes);
	*line = (struct json_line){0};
}
