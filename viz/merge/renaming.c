// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/renaming.h"

#include <stdlib.h>

#include "viz/reader/json_copy.h"

enum meaning {
	MEANING_NONE,
	MEANING_PID,
	MEANING_OPERATION,
	MEANING_CHANNEL,
	MEANING_MOMENT,
	MEANING_SAME,
	MEANING_NETWORK,
	MEANING_INODE
};

static const enum meaning meanings[FIELD_COUNT] = {
#define MEANING(record, key, meaning) [FIELD_##record##_##key] = MEANING_##meaning,
#define INSIDE(...)
#include "viz/merge/keys.def"
#undef MEANING
#undef INSIDE
};

static const struct {
	const char *key;
	enum meaning meaning;
} members[] = {
#define MEANING(...)
#define INSIDE(key, meaning) {key, MEANING_##meaning},
#include "viz/merge/keys.def"
#undef MEANING
#undef INSIDE
};

static enum meaning meaning_of_field(enum field field)
{
	if (meanings[field] == MEANING_NONE && field_info(field)->kind == KIND_TIME)
		return MEANING_MOMENT;
	return meanings[field];
}

static enum meaning meaning_of_member(struct viz_bytes key)
{
	for (size_t i = 0; key.data && i < sizeof(members) / sizeof(*members); i++)
		if (viz_bytes_equal(key, viz_bytes_of(members[i].key)))
			return members[i].meaning;
	return MEANING_NONE;
}

/* --- numbers --- */

/* 0 is no process. */
static bool rename_pid(const struct renaming *r, uint64_t *number)
{
	if (*number && r->hosts) {
		if (*number >= MERGE_PID_STEP)
			return false;
		*number += r->trace->host->pid_base;
	}
	return true;
}

/* A call keeps the processor that its number names, among the processors of all traces. */
static bool rename_operation(const struct renaming *r, uint64_t *number)
{
	uint64_t row = *number / r->own_processors;

	return !__builtin_mul_overflow(row, r->processors, &row) &&
	       !__builtin_add_overflow(row, r->trace->first_processor + *number % r->own_processors,
				       number);
}

/* 0 is not known; what lies before the first machine's start becomes the first moment. */
static bool rename_moment(const struct renaming *r, uint64_t *number)
{
	int64_t time;

	if (*number > INT64_MAX)
		return false;
	time = merge_host_time(r->trace->host, *number);
	if (*number)
		*number = time < 1 ? 1 : (uint64_t)time;
	return true;
}

/* Inodes of namespaces have 32 bits. */
static void rename_network(const struct renaming *r, uint64_t *number)
{
	if (r->hosts)
		*number = (*number & UINT32_MAX) | ((uint64_t)(r->trace->host->index + 1) << 32);
}

static void rename_inode(const struct renaming *r, uint64_t *number)
{
	if (r->hosts)
		*number = (*number + ((uint64_t)r->trace->host->index << 40)) & JSON_UINT_MOST;
}

static bool rename_number(const struct renaming *r, enum meaning meaning, uint64_t *number)
{
	switch (meaning) {
	case MEANING_PID:
		return rename_pid(r, number);
	case MEANING_OPERATION:
		return rename_operation(r, number);
	case MEANING_MOMENT:
		return rename_moment(r, number);
	case MEANING_NETWORK:
		rename_network(r, number);
		return true;
	case MEANING_INODE:
		rename_inode(r, number);
		return true;
	default:
		return true;
	}
}

/* --- channels --- */

static void id_add(struct renaming *r, size_t *len, const char *text, size_t more)
{
	if (*len + more > r->id_room) {
		r->id_room = 2 * (*len + more);
		r->id = memory_resize(r->id, r->id_room, 1);
	}
	if (more)
		memcpy(r->id + *len, text, more);
	*len += more;
}

/*
 * The same object has the same id in all traces of a host, unless the tracer counted it: those
 * without a number of their own (~1), and later ones of one number (#2).
 */
static bool is_counted(struct viz_bytes id)
{
	return id.len && (memchr(id.data, '~', id.len) || memchr(id.data, '#', id.len));
}

static void write_channel(struct renaming *r, struct json *json, struct viz_bytes id)
{
	size_t len = 0;
	char number[24];

	id_add(r, &len, id.data, id.len);
	if (r->shares_host && is_counted(id)) {
		snprintf(number, sizeof(number), "/%zu", r->index + 1);
		id_add(r, &len, number, strlen(number));
	}
	if (r->hosts) {
		id_add(r, &len, "@", 1);
		id_add(r, &len, r->trace->host->name.data, r->trace->host->name.len);
	}
	json_bytes(json, r->id, len);
}

/* --- values --- */

/* `arguments`: these are numbers of a call, of which pids are. */
static bool write_value(struct renaming *r, struct json *json, const struct json_node *node,
			enum meaning meaning, bool arguments);

static bool write_members(struct renaming *r, struct json *json, const struct json_node *node,
			  enum meaning meaning, bool arguments)
{
	const struct json_node *item;
	bool object = json_is(node, JSON_OBJECT), fits = true;

	if (object)
		json_object(json);
	else
		json_array(json);
	json_for_each(item, node)
	{
		enum meaning own = object ? meaning_of_member(item->key) : meaning;

		if (object && !json_copy_keeps_key(item->key))
			continue;
		if (object)
			json_key_len(json, item->key.data, item->key.len);
		if (arguments && own != MEANING_PID)
			own = MEANING_NONE;
		fits &= write_value(r, json, item, own, arguments);
	}
	if (object)
		json_end_object(json);
	else
		json_end_array(json);
	return fits;
}

static bool write_number(struct renaming *r, struct json *json, const struct json_node *node,
			 enum meaning meaning)
{
	uint64_t number;

	if (!reader_uint(node, &number)) {
		json_copy(json, node);
		return true;
	}
	if (number || meaning != MEANING_OPERATION) /* operation 0 is none */
		if (!rename_number(r, meaning, &number))
			return false;
	json_uint(json, number);
	return true;
}

static bool write_value(struct renaming *r, struct json *json, const struct json_node *node,
			enum meaning meaning, bool arguments)
{
	if (json_is(node, JSON_STRING) && meaning == MEANING_CHANNEL)
		write_channel(r, json, node->text);
	else if (json_is(node, JSON_ARRAY) || json_is(node, JSON_OBJECT))
		return write_members(r, json, node, meaning, arguments);
	else if (json_is(node, JSON_INTEGER))
		return write_number(r, json, node, meaning);
	else
		json_copy(json, node);
	return true;
}

/* A text may have any bytes, as readers take it; no other form of it is known. */
static void write_text(struct json *json, struct viz_bytes bytes)
{
	const unsigned char *from = (const unsigned char *)bytes.data;
	char *text = memory_array(bytes.len + 1, 1);
	size_t len = 0;

	for (size_t at = 0; at < bytes.len;) {
		const size_t whole = from[at] ? utf8_sequence_len(from + at, bytes.len - at) : 0;

		if (!whole)
			text[len++] = '?';
		for (size_t i = 0; i < whole; i++)
			text[len++] = (char)from[at + i];
		at += whole ? whole : 1;
	}
	json_bytes(json, text, len);
	free(text);
}

void renaming_name(struct json *json, enum field field, struct viz_bytes bytes)
{
	if (field_info(field)->kind == KIND_TEXT)
		write_text(json, bytes);
	else
		json_bytes(json, bytes.data, bytes.len);
}

/* The reader has decoded what bytes are not text: its value is written, and not the node. */
static bool write_field(struct renaming *r, struct json *json, const struct trace_input *input,
			enum field field, const struct json_node *node)
{
	const struct trace_value *value = &input->line->values[field];
	enum field_kind kind = field_info(field)->kind;
	enum meaning meaning = meaning_of_field(field);
	uint64_t id;

	if (kind == KIND_BYTES && meaning == MEANING_CHANNEL) {
		write_channel(r, json, value->bytes);
		return true;
	}
	if (kind == KIND_BYTES || kind == KIND_TEXT) {
		renaming_name(json, field, value->bytes);
		return true;
	}
	if (field == FIELD_operation_id) {
		id = value->number;
		if (!rename_operation(r, &id))
			return false;
		json_uint(json, id);
		return true;
	}
	return write_value(r, json, node, meaning, field == FIELD_operation_args);
}

/* A process outside its own trace may be in another one of the host. */
static bool is_inside(const struct renaming *r, const struct json_node *outsider)
{
	uint64_t pid;

	return reader_uint(json_member(outsider, "pid"), &pid) &&
	       map_get_uint(&r->trace->host->processes, pid);
}

static bool is_left_out(const struct renaming *r, enum field field, const struct json_node *node)
{
	return (field == FIELD_channel_outside || field == FIELD_channel_held_outside) &&
	       is_inside(r, node);
}

/*
 * The merged trace is of version 2, where the absence of these keys has a meaning: in a line of
 * version 1 it had none.
 */
static void add_unknown(struct json *json, const struct trace_input *input)
{
	static const enum field fields[] = {FIELD_operation_requested, FIELD_operation_readers,
					    FIELD_operation_writers};
	const size_t count = sizeof(fields) / sizeof(*fields);

	json_key(json, KEY(operation, unknown));
	json_array(json);
	for (size_t i = 0; i < count; i++)
		if (!input->line->values[fields[i]].present)
			json_text(json, field_info(fields[i])->key);
	json_end_array(json);
}

/* What only the merged trace tells, as the host of a process, and that addresses are of a host. */
static void add_own(const struct renaming *r, struct json *json, const struct trace_input *input)
{
	const struct merge_host *host = r->trace->host;
	uint64_t network = 0;

	if (input->line->record == RECORD_operation && input->facts->version < 2)
		add_unknown(json, input);
	if (!r->hosts)
		return;
	if (input->line->record == RECORD_process) {
		json_field_bytes(json, KEY(process, host), host->name.data, host->name.len);
		json_field_uint(json, KEY(process, host_pid),
				INPUT_VALUE(input, process, pid)->number);
	}
	if (input->line->record == RECORD_channel &&
	    !INPUT_VALUE(input, channel, network)->present) {
		rename_network(r, &network);
		json_field_uint(json, KEY(channel, network), network);
	}
}

bool renaming_line(struct renaming *r, const struct trace_input *input, struct json *json)
{
	const struct json_node *item;
	bool fits = true;

	json_object(json);
	json_for_each(item, trace_input_object(input))
	{
		const struct field_entry *entry = field_index_find(&input->reader->fields,
								   input->line->record, item->key);

		if (!json_copy_keeps_key(item->key) ||
		    (entry && is_left_out(r, entry->field, item)))
			continue;
		json_key_len(json, item->key.data, item->key.len);
		if (entry)
			fits &= write_field(r, json, input, entry->field, item);
		else
			json_copy(json, item);
	}
	add_own(r, json, input);
	json_end_object(json);
	json_newline(json);
	return fits && !json->failed;
}

void renaming_free(struct renaming *r)
{
	free(r->id);
}
