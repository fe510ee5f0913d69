// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Makes messages from one or two operations each; emit.c passes them to the sink. */
#include "viz/pair/core/unseen_objects.h"
#include <stdlib.h>

void *pair_new(struct pair_context *context, size_t size)
{
	return context->keep ? arena_alloc(context->keep, size) : memory_new(size);
}

void pair_free(const struct pair_context *context, void *memory)
{
	if (!context->keep)
		free(memory);
}

struct viz_end pair_end_of(const struct viz_operation *op)
{
	return (struct viz_end){
		.known = true,
		.process = op->process,
		.pid = op->process->pid,
		.tid = op->thread->tid,
		.comm = op->comm,
		.operation = op,
		.timed = true,
		.enter_ns = op->enter_ns,
		.exit_ns = op->exit_ns,
	};
}

struct viz_message *pair_add_message(struct pair_context *context, const struct pair_route *route)
{
	struct viz_message *message = pair_new(context, sizeof(*message));

	message->mechanism = route->mechanism;
	message->channel = route->channel;
	message->typed = route->typed;
	message->match = MATCH_EXACT;
	message->index = context->message_count++;
	LIST_PUSH(&context->messages, message);
	return message;
}

static struct viz_end item_end_of(const struct flow_item *item, uint64_t offset, uint64_t bytes)
{
	struct viz_end end;

	if (!item)
		return (struct viz_end){0};
	end = pair_end_of(item->op);
	end.offset = item->local + offset;
	if (item->terminal.line && offset < item->terminal.line->len)
		end.offset = item->terminal.line->origin[offset];
	end.message = item->message;
	end.payload = flow_payload(item, offset, bytes);
	return end;
}

/* The message has the bytes that were received; a receive buffer that is too short cuts it off. */
struct viz_message *pair_add_whole(struct pair_context *context, const struct pair_route *route,
				   const struct flow_item *send, const struct flow_item *receive)
{
	struct viz_message *message = pair_add_message(context, route);

	message->bytes = receive ? receive->bytes : send->bytes;
	message->from = item_end_of(send, 0, message->bytes);
	message->to = item_end_of(receive, 0, message->bytes);
	message->type = send ? send->class.type : receive->class.type;
	message->copy = send && send->datagram.copy;
	message->cork = send ? send->datagram.cork : NULL;
	if (!send || !receive || send->open || receive->bytes >= send->bytes)
		return message;
	message->fate = FATE_TRUNCATED;
	message->cut = send->bytes - receive->bytes;
	return message;
}

struct viz_message *pair_add_part(struct pair_context *context, const struct pair_route *route,
				  const struct flow_piece *piece)
{
	const struct flow_item *send = piece->send, *receive = piece->receive;
	struct viz_message *message;
	uint64_t sent_at = send ? piece->start - send->join.start : 0;
	uint64_t received_at = receive ? piece->start - receive->join.start : 0;

	if (route->whole)
		return pair_add_whole(context, route, send, receive);
	message = pair_add_message(context, route);
	message->bytes = piece->amount;
	message->from = item_end_of(send, sent_at, piece->amount);
	message->to = item_end_of(receive, received_at, piece->amount);
	return message;
}

enum fate pair_fate_of_rest(struct pair_context *context, const struct pair_route *route)
{
	if (route->outside)
		return FATE_NONE;
	return pair_is_discarded(context, pair_traffic(context, route->channel)) ? FATE_DISCARDED
										 : FATE_UNREAD;
}

struct viz_message *pair_add_rest(struct pair_context *context, const struct pair_route *route,
				  const struct flow_piece *piece)
{
	struct viz_message *message = pair_add_part(context, route, piece);

	message->fate = pair_fate_of_rest(context, route);
	return message;
}

void pair_set_number(struct viz_message *message, uint64_t bytes)
{
	message->bytes = bytes;
	message->from.offset = message->to.offset = 0;
}

struct viz_message *pair_add_number(struct pair_context *context, const struct pair_route *route,
				    const struct flow_item *send, const struct flow_item *receive)
{
	struct flow_piece piece = {.send = send, .receive = receive};
	uint64_t bytes = send ? send->bytes : receive->bytes;
	struct viz_message *message = receive ? pair_add_part(context, route, &piece)
					      : pair_add_rest(context, route, &piece);

	pair_set_number(message, bytes);
	return message;
}

void pair_add_gap(struct pair_context *context, const struct viz_gap *gap)
{
	LIST_PUSH(&context->gaps, *gap);
}
