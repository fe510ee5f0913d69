// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the descriptors of an operation's line: those that it made, those passed in its message,
 * the other end of a transfer. Also the lines for memory mappings and for messages already queued
 * when tracing began.
 */
#include "user/encode/encode.h"

/* Writes the descriptors that a call made and, for dup2(2), the one that it closed for them. */
void new_fds_field(struct encoder *encoder, const struct wire_fd new_fds[2], enum data_kind data)
{
	size_t count = data == DATA_ONTO ? 1 : 2;

	if (new_fds[0].mechanism != MECH_NONE ||
	    (count == 2 && new_fds[1].mechanism != MECH_NONE)) {
		json_key(&encoder->json, KEY(operation, new_fds));
		fds_value(encoder, new_fds, count);
	}
	if (count == 1 && new_fds[1].mechanism != MECH_NONE) {
		json_key(&encoder->json, KEY(operation, replaced));
		fds_value(encoder, &new_fds[1], 1);
	}
}

void left_field(struct json *json, const struct wire_operation *operation)
{
	if (operation->state == WIRE_COMPLETE && operation->left != WIRE_LEFT_UNKNOWN)
		json_field_bool(json, KEY(operation, last), operation->left == WIRE_LEFT_NONE);
}

/* Writes "fds":[4,5] and, for a receive, the channels that the caller now holds by them. */
void rights_fields(struct encoder *encoder, const struct call *call, enum role role)
{
	struct json *json = &encoder->json;

	if (call->rights_cut)
		json_field_bool(json, KEY(operation, fds_cut), true);
	if (!call->rights_count)
		return;
	json_key(json, KEY(operation, fds));
	json_array(json);
	for (size_t i = 0; i < call->rights_count; i++)
		json_uint(json, (uint64_t)call->rights[i].fd);
	json_end_array(json);
	if (role != ROLE_RECEIVE)
		return;
	json_key(json, KEY(operation, new_fds));
	fds_value(encoder, call->rights, call->rights_count);
}

/* Writes the descriptor that a transfer put its bytes into. */
void sink_fields(struct encoder *encoder, const struct wire_fd *sink)
{
	struct json *json = &encoder->json;
	const struct object *object = NULL;

	if (sink->mechanism != MECH_NONE)
		object = objects_get(encoder->objects, sink->object, sink->mechanism);
	json_field_int(json, KEY(operation, fd_out), sink->fd);
	if (object)
		json_field_text(json, KEY(operation, channel_out), object->id);
}

void encode_mapping(struct encoder *encoder, const struct wire_mapping *mapping)
{
	struct json *json = &encoder->json;
	const char *channel;

	encoder->now_ns = mapping->at_ns;
	channel = channel_of(encoder, &mapping->object.object, mapping->object.mechanism);
	if (!channel)
		return;
	line_begin(json, RECORD_mapping);
	json_field_uint(json, KEY(mapping, at_ns), mapping->at_ns);
	json_field_uint(json, KEY(mapping, pid), mapping->head.pid);
	json_field_text(json, KEY(mapping, channel), channel);
	json_field_text(json, KEY(mapping, access),
			access_name(mapping->object.access & ACCESS_BOTH));
	json_field_uint(json, KEY(mapping, address), mapping->address);
	json_field_uint(json, KEY(mapping, length), mapping->len);
	line_end(json);
}

void encode_stock(struct encoder *encoder, const struct wire_stock *stock)
{
	struct json *json = &encoder->json;
	const char *channel;

	encoder->now_ns = stock->at_ns;
	channel = channel_of(encoder, &stock->object.object, stock->object.mechanism);
	if (!channel)
		return;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), channel);
	json_field_uint(json, KEY(channel, at_ns), stock->at_ns);
	json_field_text(json, KEY(channel, mechanism),
			mechanism_info(stock->object.mechanism)->name);
	if (stock->unread == WIRE_STOCK_OF_TRACE)
		json_field_uint(json, KEY(channel, stock), stock->amount);
	else
		json_field_uint(json, KEY(channel, unread), stock->amount);
	if (stock->unread == WIRE_UNREAD_LEAST)
		json_field_bool(json, KEY(channel, unread_more), true);
	line_end(json);
}
