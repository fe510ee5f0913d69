// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/json_copy.h"

#include "viz/reader/reader.h"

bool json_copy_keeps_key(struct viz_bytes key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.data[i] < ' ' || key.data[i] > '~' || strchr("\"\\", key.data[i]))
			return false;
	return key.data;
}

static void copy_scalar(struct json *json, const struct json_node *node)
{
	int64_t number = 0;

	if (json_is(node, JSON_STRING))
		json_bytes(json, node->text.data, node->text.len);
	else if (json_is(node, JSON_TRUE) || json_is(node, JSON_FALSE))
		json_bool(json, json_is(node, JSON_TRUE));
	else if (json_is(node, JSON_INTEGER) && !node->negative)
		json_uint(json, node->magnitude);
	else if (reader_nearest(node, &number))
		json_int(json, number);
	else
		json_null(json);
}

static void copy_members(struct json *json, const struct json_node *object)
{
	const struct json_node *member;

	json_object(json);
	json_for_each(member, object)
	{
		if (!json_copy_keeps_key(member->key))
			continue;
		json_key_len(json, member->key.data, member->key.len);
		json_copy(json, member);
	}
	json_end_object(json);
}

static void copy_elements(struct json *json, const struct json_node *array)
{
	const struct json_node *element;

	json_array(json);
	json_for_each(element, array) json_copy(json, element);
	json_end_array(json);
}

void json_copy(struct json *json, const struct json_node *node)
{
	if (json_is(node, JSON_OBJECT))
		copy_members(json, node);
	else if (json_is(node, JSON_ARRAY))
		copy_elements(json, node);
	else
		copy_scalar(json, node);
}
