// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a call moved: its first bytes, or what stands for them. */
#include <stdio.h>

#include "encode.h"
#include "syscalls.h"

static void digest_fields(struct encoder *encoder, const unsigned char *payload, size_t len)
{
	uint64_t digest = digest_of(&encoder->salt, payload, len);
	char text[17];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)digest);
	json_field_text(&encoder->json, KEY(operation, digest), text);
	json_field_uint(&encoder->json, KEY(operation, digest_len), len);
}

/* Counts and numbers of signals are what these tell, nobody's words. */
static bool is_count(enum mechanism mechanism)
{
	return mechanism == MECH_EVENTFD || mechanism == MECH_SIGNALFD || mechanism == MECH_TIMERFD;
}

static bool is_terminal_write(const struct wire_operation *operation)
{
	return operation->object.mechanism == MECH_PTY &&
	       syscall_info(operation->nr)->role == ROLE_SEND;
}

/*
 * Of the rest of what is written to a terminal only this is told: where lines end, which the
 * terminal writes as two bytes.
 */
static void line_feeds_field(struct json *json, const unsigned char *payload, size_t kept,
			     size_t len)
{
	json_key(json, KEY(operation, line_feeds));
	json_array(json);
	for (size_t i = kept; i < len; i++)
		if (payload[i] == '\n')
			json_uint(json, i);
	json_end_array(json);
}

void payload_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const unsigned char *payload, size_t len)
{
	const struct syscall_info *call = syscall_info(operation->nr);
	bool hide = encoder->hides_payload && !is_count(operation->object.mechanism);
	bool cut = is_terminal_write(operation) && len > encoder->payload_len;
	size_t kept = cut ? encoder->payload_len : len;
	struct json *json = &encoder->json;

	if (call->data == DATA_PATH)
		json_field_bytes(json, KEY(operation, path), payload, len);
	else if (kept && hide)
		digest_fields(encoder, payload, kept);
	else if (kept)
		json_field_bytes(json, KEY(operation, payload), payload, kept);
	if (cut && operation->returned == (int64_t)len)
		line_feeds_field(json, payload, kept, len);
}
