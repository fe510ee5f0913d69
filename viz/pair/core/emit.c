// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Puts messages in order of receipt, passes them to the sink, and frees them. */
#include <stdlib.h>

#include "viz/base/sort.h"
#include "viz/model/builder.h"
#include "viz/pair/core/udp_cork.h"
#include "viz/pair/core/unseen_objects.h"

/* With more that nobody received, what is known of them for good is passed on before the end. */
#define UNRECEIVED_MAX 10000

/* True if the sender's call wrote to the receiver's memory, and the receiver called nothing. */
static bool received_by_sender(const struct viz_message *message)
{
	return message->to.known && !message->to.timed && !message->signal;
}

/*
 * When the message was received; VIZ_NEVER if it was not. A signal whose handler never returned
 * counts as received at its delivery.
 */
uint64_t pair_receipt_ns(const struct viz_message *message)
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

	if (pair_receipt_ns(x) != pair_receipt_ns(y))
		return pair_receipt_ns(x) < pair_receipt_ns(y) ? -1 : 1;
	if (pair_receipt_ns(x) != VIZ_NEVER && receiver_id(x) != receiver_id(y))
		return receiver_id(x) < receiver_id(y) ? -1 : 1;
	if (pair_receipt_ns(x) != VIZ_NEVER && x->to.offset != y->to.offset)
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

static void report_message(struct pair_context *context, struct viz_message *message)
{
	message->id = ++context->reported;
	message->index = context->reported - 1;
	pair_report(context, message, message);
	if (message->signal)
		pair_report(context, signal, message->signal);
	let_message_go(context, message);
}

/* Has the message of that index fetched, which is soon to be asked for. */
static void fetch_message(const struct message_list *list, size_t index)
{
	if (index >= list->count)
		return;
	for (size_t at = 0; at < sizeof(struct viz_message); at += 64)
		__builtin_prefetch((const char *)list->items[index] + at);
}

/*
 * Completes the messages of this round: splits them where needed, takes references to their
 * operations, and moves those that were not received to the other list.
 */
static void sort_new(struct pair_context *context)
{
	struct message_list *list = &context->messages;
	size_t kept = context->new_messages;

	for (size_t i = context->new_messages; i < list->count; i++) {
		struct viz_message *message = list->items[i], *rest;

		fetch_message(list, i + FETCH_AHEAD);
		pair_cork_split(context, message);
		rest = pair_mark_unseen(context, message);
		if (rest) {
			viz_operation_use(rest->from.operation);
			LIST_PUSH(&context->unreceived, rest);
		}
		viz_operation_use(message->from.operation);
		viz_operation_use(message->to.operation);
		if (pair_receipt_ns(message) == VIZ_NEVER)
			LIST_PUSH(&context->unreceived, message);
		else
			list->items[kept++] = message;
	}
	list->count = kept;
}

void pair_sort_messages(struct viz_message **messages, size_t count)
{
	sort_nearly(messages, count, sizeof(*messages), compare_messages);
}

static void sort_messages(struct message_list *list)
{
	pair_sort_messages(list->items, list->count);
}

/* Gaps go before the messages of their round, so before all that was received after they began. */
static void report_gaps(struct pair_context *context)
{
	for (size_t i = 0; i < context->gaps.count; i++)
		pair_report(context, gap, &context->gaps.items[i]);
	context->gaps.count = 0;
}

/*
 * True if a process outside the trace may have received what nobody in it has: one holds an end
 * when tracing ends, or it is a System V queue, which needs no descriptor, of processes that were
 * joined.
 */
static bool may_be_received_outside(const struct pair_context *context,
				    const struct viz_channel *channel)
{
	for (size_t i = 0; channel && i < channel->stranger_count; i++)
		if (channel->strangers[i].access & ACCESS_READ)
			return true;
	return channel && channel->mechanism == MECH_SYSV_MSG &&
	       !context->model->header.command_count;
}

static void settle_fate(struct pair_context *context, struct viz_message *message)
{
	pair_fate_unseen(context, message);
	if (message->fate == FATE_UNREAD && may_be_received_outside(context, message->channel))
		message->match = MATCH_AMBIGUOUS;
}

/* Whether somebody will still receive what is unread is known at the end. */
static bool is_final(const struct viz_message *message)
{
	return message->fate != FATE_UNREAD;
}

static void report_all(struct pair_context *context, struct message_list *list)
{
	sort_messages(list);
	for (size_t i = 0; i < list->count; i++)
		report_message(context, list->items[i]);
	list->count = 0;
}

/*
 * Passes on what nobody can receive any more, where so many are of that kind that they would fill
 * the memory until the end of the trace.
 */
static void report_many(struct pair_context *context)
{
	struct message_list *list = &context->unreceived, final = {0};
	size_t kept = 0;

	if (list->count <= UNRECEIVED_MAX)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (is_final(list->items[i]))
			LIST_PUSH(&final, list->items[i]);
		else
			list->items[kept++] = list->items[i];
	list->count = kept;
	report_all(context, &final);
	free(final.items);
}

static void report_unreceived(struct pair_context *context)
{
	for (size_t i = 0; i < context->unreceived.count; i++)
		settle_fate(context, context->unreceived.items[i]);
	report_all(context, &context->unreceived);
}

/* Passes on what was received before that time. */
static void report_received(struct pair_context *context, uint64_t until_ns)
{
	struct message_list *list = &context->messages;
	size_t reported = 0;

	sort_messages(list);
	for (; reported < list->count && pair_receipt_ns(list->items[reported]) < until_ns;
	     reported++)
		report_message(context, list->items[reported]);
	list->count -= reported;
	if (list->count)
		memmove(list->items, list->items + reported, list->count * sizeof(*list->items));
	context->new_messages = list->count;
}

void pair_report_messages(struct pair_context *context, uint64_t until_ns)
{
	report_gaps(context);
	sort_new(context);
	context->new_messages = context->messages.count;
	if (context->keep && !pair_is_last(context))
		return;
	report_received(context, until_ns);
	if (pair_is_last(context))
		report_unreceived(context);
	else
		report_many(context);
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

void pair_signal_free(struct pair_context *pair, struct viz_signal *signal)
{
	viz_operation_drop(signal->raised_by);
	viz_operation_drop(signal->accepted_by);
	viz_operation_drop(signal->interrupted);
	pair_free(pair, (void *)signal->generate);
	pair_free(pair, (void *)signal->deliver);
	pair_free(pair, (void *)signal->end);
	pair_free(pair, signal);
}

void pair_drop_send(struct pair_context *context, const struct pair_route *route,
		    const struct flow_item *item, enum match match)
{
	struct viz_message *message = pair_add_message(context, route);

	message->bytes = item->bytes;
	message->cork = item->datagram.cork;
	message->from = pair_end_of(item->op);
	message->from.offset = item->local;
	message->from.message = item->message;
	message->from.payload = flow_payload(item, 0, item->bytes);
	message->fate = FATE_DROPPED;
	message->match = match;
}
