// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The messages of sendmsg, recvmsg and their kin: what is told of each beside its data. */
#include "encode.h"
#include "syscalls.h"

void encode_message(struct encoder *encoder, const struct wire_message *message)
{
	struct call *call = calls_of_thread(encoder->calls, message->head.tid);

	if (message->head.size > sizeof(*message) || message->address_len > WIRE_ADDRESS_LEN ||
	    !call || call_message(call, message))
		encoder->malformed++;
}

/* MSG_TRUNC may be given to hear of the whole length: only what there was room for was copied. */
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

static void addresses_field(struct json *json, const struct call *call)
{
	char text[WIRE_ADDRESS_LEN];
	bool any = false;

	for (size_t i = 0; i < call->message_count; i++)
		any |= call->messages[i].address_len != 0;
	if (!any)
		return;
	json_key(json, KEY(operation, addresses));
	json_array(json);
	for (size_t i = 0; i < call->message_count; i++)
		json_bytes(json, text,
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

/* Of sendmmsg and recvmmsg: which messages had any. */
static void credentials_field(struct json *json, const struct call *call)
{
	uint32_t any = 0;

	for (size_t i = 0; i < call->message_count; i++)
		any |= call->messages[i].says;
	if (!(any & WIRE_SAYS_CREDENTIALS))
		return;
	json_key(json, KEY(operation, credentials));
	json_object(json);
	json_key(json, "messages");
	json_array(json);
	for (size_t i = 0; i < call->message_count; i++) {
		if (!(call->messages[i].says & WIRE_SAYS_CREDENTIALS))
			continue;
		json_object(json);
		json_field_uint(json, "message", call->messages[i].index);
		credentials_values(json, &call->messages[i].credentials);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void several_fields(struct json *json, const struct wire_operation *operation,
			   const struct call *call)
{
	lengths_field(json, call, operation->returned);
	addresses_field(json, call);
	if (syscall_info(operation->nr)->role == ROLE_RECEIVE)
		flags_field(json, call);
	credentials_field(json, call);
}

static void one_fields(struct json *json, const struct wire_details *details)
{
	if (details->says & WIRE_SAYS_MSG_FLAGS && details->msg_flags) {
		json_key(json, KEY(operation, msg_flags));
		json_array(json);
		json_uint(json, details->msg_flags);
		json_end_array(json);
	}
	if (!(details->says & WIRE_SAYS_CREDENTIALS))
		return;
	json_key(json, KEY(operation, credentials));
	json_object(json);
	credentials_values(json, &details->credentials);
	json_end_object(json);
}

void message_fields(struct json *json, const struct wire_operation *operation,
		    const struct wire_details *details, const struct call *call)
{
	enum data_kind data = syscall_info(operation->nr)->data;

	if (operation->state != WIRE_COMPLETE || operation->returned < 0)
		return;
	if (data == DATA_MMSG)
		several_fields(json, operation, call);
	else if (data == DATA_MSG)
		one_fields(json, details);
}
