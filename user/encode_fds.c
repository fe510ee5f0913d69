// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Descriptors in an operation's line: made by it, passed in its message, the other end of a
 * transfer. And what a process holds without any: memory.
 */
#include "encode.h"

void made_field(struct encoder *encoder, const struct wire_fd made[2])
{
	if (made[0].mechanism == MECH_NONE && made[1].mechanism == MECH_NONE)
		return;
	json_key(&encoder->json, KEY(operation, new_fds));
	fds_value(encoder, made, 2);
}

/* "fds":[4,5], and in a receive the channels that the caller now holds by them. */
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

/* Where a transfer put its bytes. */
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
