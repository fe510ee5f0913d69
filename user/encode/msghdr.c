// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the messages of sendmsg, recvmsg and their variants: lengths, addresses, flags,
 * credentials.
 */
#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

void encode_message(struct encoder *encoder, const struct wire_message *message)
{
	struct call *call = calls_of_thread(encoder->calls, message->head.tid);

	if (message->head.size > sizeof(*message) || message->address_len > WIRE_ADDRESS_LEN ||
	    !call || call_message(call, message))
		encoder->malformed++;
}

/*
 * Returns the bytes copied. With MSG_TRUNC a receive reports the whole length, but copies only what
 * it has room for.
 */
static uint32_t moved_len(const struct wire_message *message)
{
	return message->len < message->room ? message->len : message->room;
}

static void lengths_field(struct json *json, const struct call *call, int64_t returned)
{
	json_key(json, KEY(operation, lengths));
	json_array(json);
	for (size_t i = 0; i < call->message_count; i++)
		json_uint(json, moved_len(&call->messages[i]));
	json_end_array(json);
	if (call->message_count < (uint64_t)returned)
		json_field_bool(json, KEY(operation, lengths_cut), true);
}

static void addresses_field(struct encoder *encoder, const struct call *call)
{
	struct json *json = &encoder->json;
	char text[WIRE_ADDRESS_LEN];
	bool any = false;

	for (size_t i = 0; i < call->message_count; i++)
		any |= call->messages[i].address_len != 0;
	if (!any)
		return;
	json_key(json, KEY(operation, addresses));
	json_array(json);
	for (size_t i = 0; i < call->message_count; i++)
		address_value(encoder, call->messages[i].address, text,
			      address_text(text, sizeof(text), call->messages[i].address,
					   call->messages[i].address_len));
	json_end_array(json);
}

static void flags_field(struct json *json, const struct call *call)
{
	uint32_t any = 0;

	for (size_t i = 0; i < call->message_count; i++)
		any |= call->messages[i].flags;
	if (!any)
		return;
	json_key(json, KEY(operation, msg_flags));
	json_array(json);
	for (size_t i = 0; i < call->message_count; i++)
		json_uint(json, call->messages[i].flags);
	json_end_array(json);
}

static void credentials_values(struct json *json, const struct wire_credentials *credentials)
{
	json_field_uint(json, "pid", credentials->pid);
	json_field_uint(json, "uid", credentials->uid);
	json_field_uint(json, "gid", credentials->gid);
}

/* Writes, for sendmmsg and recvmmsg, the credentials of those messages that had any. */
static void credentials_field(struct json *json, const struct call *call)
{
	uint32_t any = 0;

	for (size_t i = 0; i < call->message_count; i++)
		any |= call->messages[i].valid;
	if (!(any & WIRE_VALID_CREDENTIALS))
		return;
	json_key(json, KEY(operation, credentials));
	json_object(json);
	json_key(json, "messages");
	json_array(json);
	for (size_t i = 0; i < call->message_count; i++) {
		if (!(call->messages[i].valid & WIRE_VALID_CREDENTIALS))
			continue;
		json_object(json);
		json_field_uint(json, "message", call->messages[i].index);
		credentials_values(json, &call->messages[i].credentials);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void several_fields(struct encoder *encoder, const struct wire_operation *operation,
			   const struct call *call)
{
	struct json *json = &encoder->json;
	lengths_field(json, call, operation->returned);
	addresses_field(encoder, call);
	if (syscall_info(operation->nr)->role == ROLE_RECEIVE)
		flags_field(json, call);
	credentials_field(json, call);
}

static void one_fields(struct json *json, const struct wire_details *details)
{
	if (details->valid & WIRE_VALID_MSG_FLAGS && details->msg_flags) {
		json_key(json, KEY(operation, msg_flags));
		json_array(json);
		json_uint(json, details->msg_flags);
		json_end_array(json);
	}
	if (!(details->valid & WIRE_VALID_CREDENTIALS))
		return;
	json_key(json, KEY(operation, credentials));
	json_object(json);
	credentials_values(json, &details->credentials);
	json_end_object(json);
}

static uint32_t segment_of(const struct wire_details *details, const struct wire_message *message)
{
	return message->segment_len ? message->segment_len : details->segment_len;
}

/*
 * Writes the segment lengths of UDP, for sendmmsg and recvmmsg one per message. The details of a
 * recvmmsg say nothing about messages without a length of their own.
 */
static void segments_field(struct json *json, const struct wire_operation *operation,
			   const struct wire_details *details, const struct call *call)
{
	const struct syscall_info *info = syscall_info(operation->nr);
	struct wire_details none = {0};
	uint32_t any = 0;

	if (operation->object.mechanism != MECH_UDP)
		return;
	if (info->data != DATA_MMSG)
		any = details->segment_len;
	else if (info->role == ROLE_RECEIVE)
		details = &none;
	for (size_t i = 0; info->data == DATA_MMSG && i < call->message_count; i++)
		any |= segment_of(details, &call->messages[i]);
	if (!any)
		return;
	json_key(json, KEY(operation, segment_bytes));
	json_array(json);
	if (info->data != DATA_MMSG)
		json_uint(json, any);
	for (size_t i = 0; info->data == DATA_MMSG && i < call->message_count; i++)
		json_uint(json, segment_of(details, &call->messages[i]));
	json_end_array(json);
}

void message_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const struct wire_details *details, const struct call *call)
{
	struct json *json = &encoder->json;
	enum data_kind data = syscall_info(operation->nr)->data;

	if (operation->state != WIRE_COMPLETE || operation->returned < 0)
		return;
	if (data == DATA_MMSG)
		several_fields(encoder, operation, call);
	else if (data == DATA_MSG)
		one_fields(json, details);
	segments_field(json, operation, details, call);
}
