// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Message queues: first in first out among the messages of one class, the message type (System V)
 * or the priority (POSIX). Both sides say the class; a POSIX receive that did not ask for the
 * priority gets it by the queue's rule: the highest that was there.
 */
#include <stdlib.h>

#include "pair_internal.h"

#define PRIORITIES 32768 /* MQ_PRIO_MAX */

/* How many messages of each priority lie in a queue; words tell quickly which is the highest. */
struct priority_counts {
	uint32_t counts[PRIORITIES];
	uint64_t words[PRIORITIES / 64];
	unsigned distinct;
};

struct queue_receive {
	const struct viz_operation *op;
	int64_t type;
	bool known; /* the type is a fact, not the queue's rule applied */
	bool doubt;
};

static int64_t type_of(const struct viz_operation *op)
{
	return op->channel->mechanism == MECH_POSIX_MQ ? (int64_t)op->priority : op->message_type;
}

/* JSON's numbers are doubles: beyond these two different types may look the same. */
static bool is_exact(int64_t type)
{
	return type > -((int64_t)1 << 53) && type < (int64_t)1 << 53;
}

static bool type_known(const struct viz_operation *op)
{
	if (!is_exact(op->message_type))
		return false;
	return op->channel->mechanism == MECH_POSIX_MQ ? viz_has(op, priority)
						       : viz_has(op, message_type);
}

static void counts_add(struct priority_counts *counts, int64_t priority)
{
	if (priority < 0 || priority >= PRIORITIES)
		return;
	if (counts->counts[priority]++ == 0) {
		counts->words[priority / 64] |= (uint64_t)1 << priority % 64;
		counts->distinct++;
	}
}

static void counts_take(struct priority_counts *counts, int64_t priority)
{
	if (priority < 0 || priority >= PRIORITIES || counts->counts[priority] == 0)
		return;
	if (--counts->counts[priority] == 0) {
		counts->words[priority / 64] &= ~((uint64_t)1 << priority % 64);
		counts->distinct--;
	}
}

static int64_t counts_highest(const struct priority_counts *counts)
{
	for (size_t i = PRIORITIES / 64; i > 0; i--)
		if (counts->words[i - 1])
			return (int64_t)(i * 64 - 1) - __builtin_clzll(counts->words[i - 1]);
	return 0;
}

static int compare_exits(const void *a, const void *b)
{
	const struct queue_receive *x = a, *y = b;

	if (x->op->exit_ns != y->op->exit_ns)
		return x->op->exit_ns < y->op->exit_ns ? -1 : 1;
	return (x->op->id > y->op->id) - (x->op->id < y->op->id);
}

/*
 * Receives without a priority get the highest of what had been sent (begun to be sent) by their
 * end and nobody else had taken. With several priorities to choose from that is a guess.
 */
static void infer_priorities(const struct operation_list *sends, struct queue_receive *receives,
			     size_t count)
{
	struct priority_counts *counts = calloc(1, sizeof(*counts));
	size_t sent = 0;

	for (size_t i = 0; i < count; i++) {
		struct queue_receive *receive = &receives[i];

		if (!counts) {
			receive->doubt = true;
			continue;
		}
		for (; sent < sends->count && sends->items[sent]->enter_ns <= receive->op->exit_ns;
		     sent++)
			if (!viz_operation_failed(sends->items[sent]))
				counts_add(counts, type_of(sends->items[sent]));
		if (!receive->known) {
			receive->doubt = counts->distinct != 1;
			receive->type = counts_highest(counts);
		}
		counts_take(counts, receive->type);
	}
	free(counts);
}

static struct queue_receive *list_receives(struct pair_context *context,
					   const struct channel_traffic *traffic, size_t *count)
{
	struct queue_receive *list = NULL;

	*count = 0;
	for (size_t i = 0; i < traffic->receives.count; i++) {
		const struct viz_operation *op = traffic->receives.items[i];
		const struct viz_operation *named = pair_named_send(context, op);
		struct queue_receive receive = {.op = op,
						.type = type_of(named ? named : op),
						.known = named || type_known(op)};

		receive.doubt = !receive.known;
		if (!viz_operation_failed(op) && viz_has(op, returned))
			ARENA_PUSH(context->arena, list, *count, receive);
	}
	if (*count)
		qsort(list, *count, sizeof(*list), compare_exits);
	return list;
}

static int compare_types(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	return (x->type > y->type) - (x->type < y->type);
}

static void sort_types(struct flow_side *side)
{
	if (side->count)
		qsort(side->items, side->count, sizeof(*side->items), compare_types);
}

static void take_type(struct pair_context *context, const struct flow_side *from, size_t *at,
		      int64_t type, struct flow_side *to)
{
	for (; *at < from->count && from->items[*at].type == type; (*at)++)
		flow_add(context->arena, to, &from->items[*at]);
}

static int64_t next_type(const struct flow_side *a, size_t i, const struct flow_side *b, size_t j)
{
	if (i == a->count)
		return b->items[j].type;
	if (j == b->count || a->items[i].type < b->items[j].type)
		return a->items[i].type;
	return b->items[j].type;
}

/* Both sides hold all classes; each class is a flow of its own. */
static void pair_types(struct pair_context *context, struct flow *all,
		       const struct pair_route *route)
{
	size_t s = 0, r = 0;

	sort_types(&all->sends);
	sort_types(&all->receives);
	while (s < all->sends.count || r < all->receives.count) {
		int64_t type = next_type(&all->sends, s, &all->receives, r);
		struct flow flow = {.whole = true, .payloads = true, .doubt = all->doubt};

		take_type(context, &all->sends, &s, type, &flow.sends);
		take_type(context, &all->receives, &r, type, &flow.receives);
		pair_flow(context, &flow, route);
	}
}

static void pair_queue(struct pair_context *context, const struct viz_channel *channel)
{
	const struct channel_traffic *traffic = pair_traffic(context, channel);
	struct pair_route route = {
		.mechanism = channel->mechanism, .channel = channel, .typed = true};
	struct flow all = {0};
	struct queue_receive *receives;
	size_t count, guessed = 0;

	receives = list_receives(context, traffic, &count);
	for (size_t i = 0; i < count; i++)
		guessed += !type_known(receives[i].op);
	if (guessed && channel->mechanism == MECH_POSIX_MQ)
		infer_priorities(&traffic->sends, receives, count);
	for (size_t i = 0; i < traffic->sends.count; i++)
		pair_add_messages(context, &all.sends, traffic->sends.items[i],
				  type_of(traffic->sends.items[i]), PAIR_ALL_MESSAGES);
	for (size_t i = 0; i < count; i++) {
		pair_add_messages(context, &all.receives, receives[i].op, receives[i].type,
				  PAIR_ALL_MESSAGES);
		all.doubt |= receives[i].doubt;
	}
	pair_types(context, &all, &route);
}

void pair_queues(struct pair_context *context)
{
	const struct viz_model *model = context->model;

	for (size_t i = 0; i < model->channel_count; i++)
		if (pair_policy(model->channels[i]) == POLICY_QUEUE)
			pair_queue(context, model->channels[i]);
}
