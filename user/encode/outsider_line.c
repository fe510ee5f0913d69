// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes channel lines about processes outside the trace, which were met at the other end of a
 * channel or hold an end, and about ends that are in flight in a message.
 */
#include <string.h>

#include "user/encode/encode.h"

static void line_of(struct encoder *encoder, const struct wire_outsider *record, const char *id)
{
	struct json *json = &encoder->json;

	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), id);
	json_field_uint(json, KEY(channel, at_ns), record->at_ns);
	json_field_text(json, KEY(channel, mechanism),
			mechanism_info(record->object.mechanism)->name);
}

static void flight_write(struct encoder *encoder, const struct wire_outsider *record,
			 const char *id)
{
	struct json *json = &encoder->json;
	const char *socket = channel_of(encoder, &record->socket.object, record->socket.mechanism);

	if (!socket)
		return;
	line_of(encoder, record, id);
	json_key(json, KEY(channel, in_flight));
	json_object(json);
	json_field_text(json, "channel", socket);
	json_field_text(json, "access", access_name(record->object.access & ACCESS_BOTH));
	json_end_object(json);
	line_end(json);
}

static void outsider_write(struct encoder *encoder, const struct wire_outsider *record,
			   const char *id)
{
	struct json *json = &encoder->json;

	line_of(encoder, record, id);
	json_key(json, record->held ? KEY(channel, held_outside) : KEY(channel, outside));
	json_object(json);
	json_field_uint(json, "pid", record->pid);
	json_field_bytes(json, "comm", record->comm, strnlen(record->comm, sizeof(record->comm)));
	if (record->held) {
		json_field_int(json, "fd", record->object.fd);
		json_field_text(json, "access", access_name(record->object.access & ACCESS_BOTH));
	}
	json_end_object(json);
	line_end(json);
}

void encode_outsider(struct encoder *encoder, const struct wire_outsider *record)
{
	const char *id;

	encoder->now_ns = record->at_ns;
	id = channel_of(encoder, &record->object.object, record->object.mechanism);
	if (id && record->socket.mechanism != MECH_NONE)
		flight_write(encoder, record, id);
	else if (id)
		outsider_write(encoder, record, id);
}
