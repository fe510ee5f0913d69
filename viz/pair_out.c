// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Messages on their way out: made, put in order of receipt, told, let go. */
#include <stdlib.h>

#include "model_build.h"
#include "pair_named.h"
#include "pair_place.h"

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
	if (item->line && offset < item->line->len)
		end.offset = item->line->origin[offset];
	end.message = item->message;
	end.payload = flow_payload(item, offset, bytes);
	return end;
}

/* What was received of what was sent; a shorter buffer cuts the rest off. */
struct viz_message *pair_add_whole(struct pair_context *context, const struct pair_route *route,
				   const struct flow_item *send, const struct flow_item *receive)
{
	struct viz_message *message = pair_add_message(context, route);

	message->bytes = receive ? receive->bytes : send->bytes;
	message->from = item_end_of(send, 0, message->bytes);
	message->to = item_end_of(receive, 0, message->bytes);
	message->type = send ? send->type : receive->type;
	message->copy = send && send->copy;
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
	uint64_t sent_at = send ? piece->start - send->start : 0;
	uint64_t received_at = receive ? piece->start - receive->start : 0;

	if (route->whole)
		return pair_add_whole(context, route, send, receive);
	message = pair_add_message(context, route);
	message->bytes = piece->amount;
	message->from = item_end_of(send, sent_at, piece->amount);
	message->to = item_end_of(receive, received_at, piece->amount);
	return message;
}

static enum fate fate_of_rest(struct pair_context *context, const struct pair_route *route)
{
	if (route->outside)
		return FATE_NONE;
	return pair_is_gone(context, pair_traffic(context, route->channel)) ? FATE_DISCARDED
									    : FATE_UNREAD;
}

struct viz_message *pair_add_rest(struct pair_context *context, const struct pair_route *route,
				  const struct flow_piece *piece)
{
	struct viz_message *message = pair_add_part(context, route, piece);

	message->fate = fate_of_rest(context, route);
	return message;
}

static void set_number(struct viz_message *message, uint64_t bytes)
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

	set_number(message, bytes);
	return message;
}

void pair_add_gap(struct pair_context *context, const struct viz_gap *gap)
{
	LIST_PUSH(&context->gaps, *gap);
}

static void add_piece(struct pair_context *context, const struct flow *flow,
		      const struct pair_route *route, const struct flow_piece *piece)
{
	const struct flow_item *send = piece->send, *receive = piece->receive;
	struct viz_message *message;

	if (!receive && send->op->role == ROLE_OPEN)
		return; /* what a counter held from its birth is no message until it is read */
	if (!receive && (send->open || send->echo))
		return; /* nobody knows whether it sent anything */
	if (!receive && send->copy && route->mechanism == MECH_UDP)
		return; /* nor whether this socket is of the group */
	if (flow->whole)
		message = pair_add_whole(context, route, send, receive);
	else
		message = pair_add_part(context, route, piece);
	if (send && send->echo) {
		message->echo = viz_operation_use(send->op);
		message->from = (struct viz_end){0};
	}
	if (route->values)
		set_number(message, send ? send->bytes : receive->bytes);
	if (flow->doubt || flow->guess || (send && send->doubt) || (receive && receive->doubt))
		message->match = MATCH_AMBIGUOUS;
	if (!receive)
		message->fate = fate_of_rest(context, route);
}

void pair_flow(struct pair_context *context, struct flow *flow, const struct pair_route *route)
{
	struct flow_piece *pieces;
	size_t count;

	if (flow->whole)
		pair_take_named(context, flow, route);
	else if (route->mechanism == MECH_UNIX_STREAM)
		pair_take_chunks(context, flow, route);
	if (flow->wait)
		return;
	if ((route->placed && pair_flow_placed(context, flow, route)) ||
	    (route->counted && context->lost && !flow->unordered &&
	     pair_flow_counted(context, flow, route))) {
		pair_side_trim(context, &flow->sends, true);
		pair_side_trim(context, &flow->receives, true);
		return;
	}
	flow->doubt |= context->lost;
	flow->guess |= pair_order_contradicts(flow, route->mechanism);
	pieces = flow_join(context->round, flow, &count);
	for (size_t i = 0; i < count; i++)
		add_piece(context, flow, route, &pieces[i]);
	pair_side_trim(context, &flow->sends, !flow->whole && !route->values);
	pair_side_trim(context, &flow->receives, !flow->whole && !route->values);
}

/* The sender's own call put it into the memory of somebody who did nothing. */
static bool received_by_sender(const struct viz_message *message)
{
	return message->to.known && !message->to.timed && !message->signal;
}

/* When it was received, or VIZ_NEVER; a handler that never returned counts from its delivery. */
static uint64_t receipt_ns(const struct viz_message *message)
{
	if (received_by_sender(message))
		return message->from.exit_ns;
	if (!message->to.timed)
		return VIZ_NEVER;
	return message->to.exit_ns != VIZ_NEVER ? message->to.exit_ns : message->to.enter_ns;
}

static uint64_t sending_ns(const struct viz_message *message)
{
	if (message->signal && message->signal->generate)
		return message->signal->generate->at_ns;
	return message->from.timed ? message->from.enter_ns : 0;
}

static uint64_t receiver_id(const struct viz_message *message)
{
	return message->to.operation ? message->to.operation->id : 0;
}

static int compare_messages(const void *a, const void *b)
{
	const struct viz_message *x = *(struct viz_message *const *)a;
	const struct viz_message *y = *(struct viz_message *const *)b;

	if (receipt_ns(x) != receipt_ns(y))
		return receipt_ns(x) < receipt_ns(y) ? -1 : 1;
	if (receipt_ns(x) != VIZ_NEVER && receiver_id(x) != receiver_id(y))
		return receiver_id(x) < receiver_id(y) ? -1 : 1;
	if (receipt_ns(x) != VIZ_NEVER && x->to.offset != y->to.offset)
		return x->to.offset < y->to.offset ? -1 : 1;
	if (sending_ns(x) != sending_ns(y))
		return sending_ns(x) < sending_ns(y) ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void let_message_go(struct pair_context *context, struct viz_message *message)
{
	viz_operation_drop(message->from.operation);
	viz_operation_drop(message->to.operation);
	viz_operation_drop(message->echo);
	if (message->signal)
		pair_signal_free(context, (struct viz_signal *)message->signal);
	pair_free(context, message);
}

static void tell_message(struct pair_context *context, struct viz_message *message)
{
	message->id = ++context->told;
	message->index = context->told - 1;
	pair_tell(context, message, message);
	if (message->signal)
		pair_tell(context, signal, message->signal);
	let_message_go(context, message);
}

/* Those of this round hold on to their operations, and go to the list where they will wait. */
static void sort_new(struct pair_context *context)
{
	struct message_list *list = &context->messages;
	size_t kept = context->new_messages;

	for (size_t i = context->new_messages; i < list->count; i++) {
		struct viz_message *message = list->items[i];

		viz_operation_use(message->from.operation);
		viz_operation_use(message->to.operation);
		if (receipt_ns(message) == VIZ_NEVER)
			LIST_PUSH(&context->unreceived, message);
		else
			list->items[kept++] = message;
	}
	list->count = kept;
}

static void sort_messages(struct message_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_messages);
}

/* They stand before what was received after they began. */
static void tell_gaps(struct pair_context *context)
{
	for (size_t i = 0; i < context->gaps.count; i++)
		pair_tell(context, gap, &context->gaps.items[i]);
	context->gaps.count = 0;
}

void pair_tell_messages(struct pair_context *context, uint64_t until_ns)
{
	struct message_list *list = &context->messages;
	size_t told = 0;

	tell_gaps(context);
	sort_new(context);
	sort_messages(list);
	for (; told < list->count && receipt_ns(list->items[told]) < until_ns; told++)
		tell_message(context, list->items[told]);
	list->count -= told;
	if (list->count)
		memmove(list->items, list->items + told, list->count * sizeof(*list->items));
	context->new_messages = list->count;
	if (!pair_is_last(context))
		return;
	sort_messages(&context->unreceived);
	for (size_t i = 0; i < context->unreceived.count; i++)
		tell_message(context, context->unreceived.items[i]);
	context->unreceived.count = 0;
}

void pair_free_messages(struct pair_context *context)
{
	struct message_list *lists[] = {&context->messages, &context->unreceived};

	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < lists[k]->count && !context->keep; i++) {
			struct viz_message *message = lists[k]->items[i];

			if (message->signal)
				pair_signal_free(context, (struct viz_signal *)message->signal);
			free(message);
		}
		free(lists[k]->items);
	}
	free(context->gaps.items);
}
