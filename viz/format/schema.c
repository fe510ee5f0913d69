// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/format/schema.h"

#include <stdio.h>

/* What is said more than once stands in "$defs", under these names. */
static void reference(struct json *j, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "#/$defs/%s", name);
	json_field_text(j, "$ref", path);
}

static void type(struct json *j, const char *name)
{
	json_field_text(j, "type", name);
}

static void uint_range(struct json *j)
{
	type(j, "integer");
	json_field_uint(j, "minimum", 0);
}

static void uint_up_to(struct json *j, uint64_t most)
{
	uint_range(j);
	json_field_uint(j, "maximum", most);
}

static void list_of(struct json *j, void (*element)(struct json *, const char *), const char *name)
{
	type(j, "array");
	json_key(j, "items");
	json_object(j);
	element(j, name);
	json_end_object(j);
}

static void uint_element(struct json *j, const char *name)
{
	(void)name;
	uint_range(j);
}

static void words(struct json *j, const struct word_list *list)
{
	json_key(j, "enum");
	json_array(j);
	for (int i = 1; i < list->count; i++)
		json_text(j, list->words[i].name);
	json_end_array(j);
}

/* The keywords for a value of that kind, into an object that is open. */
static void kind(struct json *j, enum field_kind kind)
{
	switch (kind) {
	case KIND_UINT:
		uint_range(j);
		break;
	case KIND_U32:
		uint_up_to(j, UINT32_MAX);
		break;
	case KIND_TIME:
		uint_up_to(j, INT64_MAX);
		break;
	case KIND_INT:
		type(j, "integer");
		break;
	case KIND_BOOL:
		type(j, "boolean");
		break;
	case KIND_TEXT:
		type(j, "string");
		break;
	case KIND_BYTES:
		reference(j, "bytes");
		break;
	case KIND_LIST:
		list_of(j, reference, "bytes");
		break;
	case KIND_UINTS:
		list_of(j, uint_element, NULL);
		break;
	case KIND_WAITS:
		list_of(j, reference, "wait");
		break;
	case KIND_THREAD:
		reference(j, "thread");
		break;
	case KIND_FDS:
		list_of(j, reference, "descriptor");
		break;
	case KIND_SEMS:
		list_of(j, reference, "semaphore");
		break;
	case KIND_CHUNKS:
		list_of(j, reference, "chunk");
		break;
	case KIND_MEMBERS:
		list_of(j, reference, "member");
		break;
	case KIND_OBJECT:
		type(j, "object");
		break;
	default:
		words(j, word_list(kind));
		break;
	}
}

static void property(struct json *j, const char *key, enum field_kind of, const char *help)
{
	json_key(j, key);
	json_object(j);
	kind(j, of);
	if (help)
		json_field_text(j, "description", help);
	json_end_object(j);
}

static void constant(struct json *j, const char *key, const char *value)
{
	json_key(j, key);
	json_object(j);
	json_field_text(j, "const", value);
	json_end_object(j);
}

static void close_properties(struct json *j)
{
	json_end_object(j);
	json_field_bool(j, "additionalProperties", false);
}

static void required(struct json *j, const char *const *keys, size_t count)
{
	json_key(j, "required");
	json_array(j);
	for (size_t i = 0; i < count; i++)
		json_text(j, keys[i]);
	json_end_array(j);
}

static void begin_object(struct json *j, const char *name, const char *help)
{
	json_key(j, name);
	json_object(j);
	type(j, "object");
	json_field_text(j, "description", help);
	json_key(j, "properties");
	json_object(j);
}

static void define_bytes(struct json *j)
{
	static const char *const keys[] = {"base64"};

	json_key(j, "bytes");
	json_object(j);
	json_field_text(j, "description",
			"any bytes: a string where they are UTF-8 without NUL, else base64");
	json_key(j, "oneOf");
	json_array(j);
	json_object(j);
	type(j, "string");
	json_end_object(j);
	json_object(j);
	type(j, "object");
	json_key(j, "properties");
	json_object(j);
	property(j, "base64", KIND_TEXT, NULL);
	close_properties(j);
	required(j, keys, 1);
	json_end_object(j);
	json_end_array(j);
	json_end_object(j);
}

static void define_thread(struct json *j)
{
	static const char *const keys[] = {"pid", "tid"};

	begin_object(j, "thread", "a thread of a process");
	property(j, "pid", KIND_U32, NULL);
	property(j, "tid", KIND_U32, NULL);
	close_properties(j);
	required(j, keys, 2);
	json_end_object(j);
}

static void define_descriptor(struct json *j)
{
	static const char *const keys[] = {"fd", "channel", "access"};

	begin_object(j, "descriptor", "an open descriptor");
	property(j, "fd", KIND_INT, "its number; -1 where the object has none");
	property(j, "channel", KIND_BYTES, "id of a channel line");
	property(j, "access", KIND_ACCESS, NULL);
	property(j, "last", KIND_BOOL, "exit: nobody else has an end of its kind");
	close_properties(j);
	required(j, keys, 3);
	json_end_object(j);
}

static void event_element(struct json *j, const char *name)
{
	(void)name;
	words(j, word_list(KIND_POLL_EVENT));
}

static void define_wait(struct json *j)
{
	static const char *const keys[] = {"fd", "events"};

	begin_object(j, "wait", "a descriptor waited for");
	property(j, "fd", KIND_INT, "its number");
	property(j, "channel", KIND_BYTES, "id of a channel line; absent: no IPC object");
	json_key(j, "events");
	json_object(j);
	list_of(j, event_element, NULL);
	json_end_object(j);
	close_properties(j);
	required(j, keys, 2);
	json_end_object(j);
}

static void define_semaphore(struct json *j)
{
	static const char *const keys[] = {"number", "change", "flags"};

	begin_object(j, "semaphore", "one change that semop asks for");
	property(j, "number", KIND_UINT, "which semaphore of the set");
	property(j, "change", KIND_INT, "added to its value; 0 waits until that is 0");
	property(j, "flags", KIND_UINT, "IPC_NOWAIT, SEM_UNDO");
	close_properties(j);
	required(j, keys, 3);
	json_end_object(j);
}

static void define_chunk(struct json *j)
{
	static const char *const keys[] = {"operation"};

	begin_object(j, "chunk", "what a receive took of one send");
	property(j, "operation", KIND_UINT, "the send's id");
	property(j, "message", KIND_UINT, "which message of a sendmmsg, 0 if absent");
	property(j, "offset", KIND_UINT, "where in the message");
	property(j, "bytes", KIND_UINT, "how many; absent: the whole message");
	property(j, "buffer_bytes", KIND_UINT,
		 "streams, where offset counts from the buffer's beginning: how many it had");
	property(j, "buffer", KIND_UINT, "streams: which of the message's buffers, 0 if absent");
	property(j, "from", KIND_UINT,
		 "streams: how many bytes of the send its messages before this one had, 0 if "
		 "absent");
	property(j, "at", KIND_UINT, "streams: where in the receive's own bytes, 0 if absent");
	property(j, "at_ns", KIND_UINT, "UDP, recvmmsg: when the message had been taken");
	property(j, "proved", KIND_BOOL, "UDP: it has taken this one, whatever others saw");
	property(j, "before", KIND_BOOL,
		 "queues: it lay there before anybody of the trace met the queue");
	json_key(j, "or");
	json_object(j);
	json_field_text(
		j, "description",
		"UDP: others of several receives at once it may have taken instead, in order");
	list_of(j, reference, "chunk");
	json_end_object(j);
	close_properties(j);
	required(j, keys, 1);
	json_end_object(j);
}

static void required_fields(struct json *j, const struct line_info *line)
{
	json_key(j, "required");
	json_array(j);
	if (!line->part)
		json_text(j, KEY_TYPE);
	for (size_t i = 0; i < line->count; i++)
		if (line->fields[i].presence == PRESENCE_ALWAYS)
			json_text(j, line->fields[i].key);
	json_end_array(j);
}

static void define_line(struct json *j, const struct line_info *line)
{
	begin_object(j, line->name, line->help);
	if (!line->part)
		constant(j, KEY_TYPE, line->name);
	for (size_t i = 0; i < line->count; i++)
		property(j, line->fields[i].key, line->fields[i].kind, line->fields[i].help);
	close_properties(j);
	required_fields(j, line);
	json_end_object(j);
}

static void one_of_lines(struct json *j, const struct line_set *set)
{
	json_key(j, "oneOf");
	json_array(j);
	for (size_t i = 0; i < set->count; i++) {
		const struct line_info line = set->line(i);

		if (line.part)
			continue;
		json_object(j);
		reference(j, line.name);
		json_end_object(j);
	}
	json_end_array(j);
}

static bool has_kind(const struct line_set *set, enum field_kind kind)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct line_info line = set->line(i);

		for (size_t k = 0; k < line.count; k++)
			if (line.fields[k].kind == kind)
				return true;
	}
	return false;
}

/* The objects that fields of these lines consist of; all of them may have bytes. */
static void define_kinds(struct json *j, const struct line_set *set)
{
	static const struct {
		enum field_kind kind;
		void (*define)(struct json *j);
	} rows[] = {
		{KIND_THREAD, define_thread}, {KIND_FDS, define_descriptor},
		{KIND_WAITS, define_wait},    {KIND_SEMS, define_semaphore},
		{KIND_CHUNKS, define_chunk},
	};

	define_bytes(j);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (has_kind(set, rows[i].kind))
			rows[i].define(j);
}

static void definitions(struct json *j, const struct line_set *set)
{
	json_key(j, "$defs");
	json_object(j);
	define_kinds(j, set);
	for (size_t i = 0; i < set->count; i++) {
		const struct line_info line = set->line(i);

		define_line(j, &line);
	}
	json_end_object(j);
}

void schema_write(struct json *j, const struct line_set *set)
{
	json_object(j);
	json_field_text(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_field_text(j, "title", set->title);
	json_field_text(j, "description", set->about);
	one_of_lines(j, set);
	definitions(j, set);
	json_end_object(j);
	json_newline(j);
}
