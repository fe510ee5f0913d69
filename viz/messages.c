// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "messages.h"

#include <errno.h>

static void write_who(struct json *j, const char *key, const struct viz_end *end)
{
	json_key(j, key);
	if (!end->known) {
		json_null(j);
		return;
	}
	json_object(j);
	json_field_uint(j, "pid", end->pid);
	json_field_uint(j, "tid", end->tid);
	if (end->comm.data)
		json_field_bytes(j, "comm", end->comm.data, end->comm.len);
	json_end_object(j);
}

static void write_operation(struct json *j, const struct viz_operation *op, bool sent)
{
	int32_t fd = sent && op->role == ROLE_TRANSFER ? op->fd_out : op->fd;

	json_field_uint(j, "op", op->id);
	json_field_bytes(j, "syscall", op->syscall.data, op->syscall.len);
	if (fd >= 0)
		json_field_int(j, "fd", fd);
}

/* What an unfinished call has no end for is null. */
static void write_side(struct json *j, const char *key, const struct viz_end *end,
		       const struct viz_message *message)
{
	json_key(j, key);
	if (!end->timed) {
		json_null(j);
		return;
	}
	json_object(j);
	if (end->operation)
		write_operation(j, end->operation, end == &message->from);
	json_field_uint(j, "enter_ns", end->enter_ns);
	json_key(j, "exit_ns");
	if (end->exit_ns == VIZ_NEVER)
		json_null(j);
	else
		json_uint(j, end->exit_ns);
	if (!message->signal)
		json_field_uint(j, "offset", end->offset);
	if (end->operation && end->operation->lengths_count)
		json_field_uint(j, "message", end->message);
	json_end_object(j);
}

static void write_kind(struct json *j, const struct viz_message *message)
{
	json_field_text(j, "mechanism", mechanism_info(message->mechanism)->name);
	if (message->channel)
		json_field_bytes(j, "channel", message->channel->id.data, message->channel->id.len);
	if (message->signal)
		json_field_bytes(j, "signal", message->signal->name.data,
				 message->signal->name.len);
	json_field_uint(j, "bytes", message->bytes);
	if (message->fate == FATE_TRUNCATED)
		json_field_uint(j, "cut", message->cut);
	if (message->typed)
		json_field_int(j, message->mechanism == MECH_POSIX_MQ ? "priority" : "message_type",
			       message->type);
}

void message_write(struct json *j, const struct viz_message *message)
{
	json_object(j);
	json_field_text(j, "type", "message");
	json_field_uint(j, "id", message->id);
	write_kind(j, message);
	write_who(j, "from", &message->from);
	write_who(j, "to", &message->to);
	write_side(j, "sent", &message->from, message);
	write_side(j, "received", &message->to, message);
	json_field_text(j, "match", match_name(message->match));
	if (message->fate != FATE_NONE)
		json_field_text(j, "fate", fate_name(message->fate));
	json_end_object(j);
	json_newline(j);
}

int messages_print(FILE *out, const struct viz_pairing *pairing, const struct viz_filter *filter)
{
	struct json j = {0};
	int err = 0;

	for (size_t i = 0; i < pairing->message_count && !err; i++) {
		if (!viz_filter_message(filter, pairing->messages[i]))
			continue;
		json_reset(&j);
		message_write(&j, pairing->messages[i]);
		if (j.failed)
			err = -ENOMEM;
		else if (fwrite(j.data, 1, j.len, out) != j.len)
			err = -errno;
	}
	if (!err && fflush(out))
		err = -errno;
	json_free(&j);
	return err;
}
