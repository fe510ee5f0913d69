// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes outside the trace: who was met at the other end of a channel, or holds an end. */
#include <string.h>

#include "encode.h"

void encode_outsider(struct encoder *encoder, const struct wire_outsider *record)
{
	struct json *json = &encoder->json;
	enum mechanism mechanism = record->object.mechanism;
	const char *id;

	encoder->now_ns = record->at_ns;
	id = channel_of(encoder, &record->object.object, mechanism);
	if (!id)
		return;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), id);
	json_field_uint(json, KEY(channel, at_ns), record->at_ns);
	json_field_text(json, KEY(channel, mechanism), mechanism_info(mechanism)->name);
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
