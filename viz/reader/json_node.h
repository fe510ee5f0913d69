/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The JSON values of one line. Unlike cJSON's, a whole number is exact in all of its 64 bits, and a
 * string knows its length. All are borrowed from the reader and valid until the next line.
 */
#ifndef VIZ_READER_JSON_NODE_H
#define VIZ_READER_JSON_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "viz/base/bytes.h"

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_INTEGER, /* a whole number: magnitude and sign */
	JSON_REAL,    /* any other number; also a whole one that is beyond 64 bits */
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_node {
	struct json_node *next; /* in its array or object */
	struct viz_bytes key;	/* of a member of an object; data NULL: it is none */
	enum json_type type;
	bool negative; /* JSON_INTEGER */
	union {
		uint64_t magnitude;	 /* JSON_INTEGER */
		double real;		 /* JSON_REAL */
		struct viz_bytes text;	 /* JSON_STRING */
		struct json_node *child; /* JSON_ARRAY, JSON_OBJECT: the first one; NULL: empty */
	};
};

static inline bool json_is(const struct json_node *node, enum json_type type)
{
	return node && node->type == type;
}

static inline bool json_is_number(const struct json_node *node)
{
	return json_is(node, JSON_INTEGER) || json_is(node, JSON_REAL);
}

/* The first element or member; NULL: there is none, or `list` is neither array nor object. */
static inline const struct json_node *json_first(const struct json_node *list)
{
	return json_is(list, JSON_ARRAY) || json_is(list, JSON_OBJECT) ? list->child : NULL;
}

/* Goes through the elements of an array or the members of an object; of anything else none. */
#define json_for_each(node, list) for ((node) = json_first(list); (node); (node) = (node)->next)

/* The member with this key; NULL: there is none, or `object` is no object. */
static inline const struct json_node *json_member(const struct json_node *object, const char *key)
{
	struct viz_bytes wanted = viz_bytes_of(key);

	if (!json_is(object, JSON_OBJECT))
		return NULL;
	for (const struct json_node *node = object->child; node; node = node->next)
		if (viz_bytes_equal(node->key, wanted))
			return node;
	return NULL;
}

/* Whether the object has a member of that key which is true. */
static inline bool json_member_is_true(const struct json_node *object, const char *key)
{
	return json_is(json_member(object, key), JSON_TRUE);
}

/* The text of a string; data NULL: it is none. */
static inline struct viz_bytes json_string(const struct json_node *node)
{
	return json_is(node, JSON_STRING) ? node->text : (struct viz_bytes){NULL, 0};
}

#endif
