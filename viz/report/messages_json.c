// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/report/messages_json.h"

#include <errno.h>
#include <stdlib.h>

#include "viz/message/outsiders.h"

/* Writes null for VIZ_NEVER. */
static void write_ns(struct json *j, const char *key, uint64_t ns)
{
	json_key(j, key);
	if (ns == VIZ_NEVER)
		json_null(j);
	else
		json_uint(j, ns);
}

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
	if (end->process && end->process->host)
		json_field_bytes(j, "host", end->process->host->name.data,
				 end->process->host->name.len);
	json_end_object(j);
}

/* Writes what is known about an outside party, whose side is null. */
static void write_outside(struct json *j, const struct viz_message *message)
{
	struct outside outside;

	if (!outside_of(message, &outside))
		return;
	json_key(j, message->from.known ? "to_outside" : "from_outside");
	json_object(j);
	if (outside.count) {
		json_key(j, "processes");
		json_array(j);
		for (size_t i = 0; i < outside.count; i++) {
			const struct viz_outsider *process = outside.processes[i];

			json_object(j);
			json_field_uint(j, "pid", process->pid);
			if (process->comm.data)
				json_field_bytes(j, "comm", process->comm.data, process->comm.len);
			json_end_object(j);
		}
		json_end_array(j);
	}
	if (outside.address.len)
		json_field_bytes(j, "address", outside.address.data, outside.address.len);
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

/* Writes one side of a message. The end of an unfinished call is null. */
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
	write_ns(j, "exit_ns", end->exit_ns);
	if (!message->signal)
		json_field_uint(j, "offset", end->offset);
	if (end->operation && end->operation->extra->lengths_count)
		json_field_uint(j, "message", viz_message_of(end->operation, end->message));
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

static void write_words(struct json *j, const struct viz_message *message)
{
	const char *protocol;
	char *words = protocol_summary(message, &protocol);

	if (!words)
		return;
	json_field_text(j, "protocol", protocol);
	json_field_text(j, "summary", words);
	free(words);
}

void write_uncertainty(struct json *j, const struct viz_process *from, const struct viz_process *to)
{
	uint64_t wrong_ns;

	if (viz_clocks_apart(from, to, &wrong_ns))
		write_ns(j, "uncertainty_ns", wrong_ns);
}

void message_write(struct json *j, const struct viz_message *message, bool dissect)
{
	json_object(j);
	json_field_text(j, "type", "message");
	json_field_uint(j, "id", message->id);
	write_kind(j, message);
	write_who(j, "from", &message->from);
	write_who(j, "to", &message->to);
	write_outside(j, message);
	write_side(j, "sent", &message->from, message);
	write_side(j, "received", &message->to, message);
	write_uncertainty(j, message->from.process, message->to.process);
	json_field_text(j, "match", match_name(message->match));
	if (message->fate != FATE_NONE)
		json_field_text(j, "fate", fate_name(message->fate));
	if (message->echo)
		json_field_uint(j, "echo", message->echo->id);
	if (dissect)
		write_words(j, message);
	json_end_object(j);
	json_newline(j);
}

static void write_gap(struct json *j, const struct viz_gap *gap)
{
	json_object(j);
	json_field_text(j, "type", "gap");
	json_field_text(j, "mechanism", mechanism_info(gap->mechanism)->name);
	json_field_bytes(j, "channel", gap->channel->id.data, gap->channel->id.len);
	json_field_uint(j, gap->bytes ? "bytes" : "messages", gap->units);
	json_field_uint(j, "from_ns", gap->from_ns);
	write_ns(j, "to_ns", gap->to_ns);
	json_end_object(j);
	json_newline(j);
}

static int print_line(struct messages_printer *printer)
{
	const struct json *j = &printer->json;

	if (j->failed)
		return -ENOMEM;
	return fwrite(j->data, 1, j->len, printer->out) == j->len ? 0 : -errno;
}

static int print_message(void *data, const struct viz_message *message)
{
	struct messages_printer *printer = data;
	struct viz_message told = *message;

	if (!viz_filter_message(printer->filter, message))
		return 0;
	if (printer->words)
		told.said = printer->words(printer->dissection, message);
	json_reset(&printer->json);
	message_write(&printer->json, &told, printer->dissect);
	return print_line(printer);
}

static int print_gap(void *data, const struct viz_gap *gap)
{
	struct messages_printer *printer = data;

	if (!viz_filter_channel(printer->filter, gap->channel))
		return 0;
	json_reset(&printer->json);
	write_gap(&printer->json, gap);
	return print_line(printer);
}

/* Flushes when the trace pauses, so that a reader sees all messages so far. */
static int flush_messages(void *data)
{
	struct messages_printer *printer = data;

	return fflush(printer->out) ? -errno : 0;
}

static int hear(void *data, const struct viz_operation *op)
{
	struct messages_printer *printer = data;

	protocol_hear(&printer->talks, op);
	return 0;
}

struct viz_sink messages_sink(struct messages_printer *printer)
{
	return (struct viz_sink){.data = printer,
				 .operation = printer->dissect ? hear : NULL,
				 .message = print_message,
				 .gap = print_gap,
				 .idle = flush_messages};
}

int messages_printer_end(struct messages_printer *printer, int err)
{
	if (!err && fflush(printer->out))
		err = -errno;
	json_free(&printer->json);
	protocol_talks_free(&printer->talks);
	return err;
}
