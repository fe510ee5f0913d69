// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes what a call moved: the first bytes, or a digest of them. */
#include <stdio.h>

#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

static void digest_fields(struct encoder *encoder, const unsigned char *payload, size_t len)
{
	uint64_t digest = digest_of(&encoder->salt, payload, len);
	char text[17];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)digest);
	json_field_text(&encoder->json, KEY(operation, digest), text);
	json_field_uint(&encoder->json, KEY(operation, digest_len), len);
}

/* True if the payload is a count or what a signal tells of itself, which discloses no content. */
static bool is_count(enum mechanism mechanism)
{
	return mechanism == MECH_EVENTFD || mechanism == MECH_SIGNALFD || mechanism == MECH_TIMERFD;
}

static bool is_terminal_write(const struct wire_operation *operation)
{
	return operation->object.mechanism == MECH_PTY &&
	       syscall_info(operation->nr)->role == ROLE_SEND;
}

/* How many bytes are written of `len` that the record has: of a terminal's it has more. */
static size_t kept_of(const struct encoder *encoder, const struct wire_operation *operation,
		      size_t len)
{
	if (operation->object.mechanism != MECH_PTY || len <= encoder->payload_len)
		return len;
	if (encoder->lets_terminals_tell && !encoder->hides_payload &&
	    !is_terminal_write(operation) &&
	    terminal_writers_are_several(&encoder->terminals, operation))
		return len;
	return encoder->payload_len;
}

/*
 * Writes, for the part of a terminal write beyond the kept payload, only the offsets of line feeds,
 * each of which the terminal may write as two bytes.
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

static void path_field(struct encoder *encoder, const void *path, size_t len)
{
	json_key(&encoder->json, KEY(operation, path));
	secret_name(&encoder->json, encoder->secrets, path, len);
}

static void content_field(struct encoder *encoder, const void *content, size_t len)
{
	json_key(&encoder->json, KEY(operation, payload));
	secret_bytes(&encoder->json, encoder->secrets, content, len);
}

void payload_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const unsigned char *payload, size_t len)
{
	const struct syscall_info *call = syscall_info(operation->nr);
	bool hide = encoder->hides_payload && !is_count(operation->object.mechanism);
	size_t kept = call->data == DATA_PATH ? len : kept_of(encoder, operation, len);
	bool cut = kept < len && is_terminal_write(operation);
	struct json *json = &encoder->json;

	if (call->data == DATA_PATH)
		path_field(encoder, payload, len);
	else if (kept && hide)
		digest_fields(encoder, payload, kept);
	else if (kept)
		content_field(encoder, payload, kept);
	if (cut && operation->returned == (int64_t)len)
		line_feeds_field(json, payload, kept, len);
}
