// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Message queues: first in first out among the messages of one class, the message type (System V)
 * or the priority (POSIX). Both sides say the class; a POSIX receive that did not ask for the
 * priority gets it by the queue's rule: the highest that was there.
 */
#include <stdlib.h>

#include "pair_internal.h"
#include "pair_named.h"

#define PRIORITIES 32768 /* MQ_PRIO_MAX */

/* How many messages of each priority lie in a queue; words tell quickly which is the highest. */
struct priority_counts {
	uint32_t counts[PRIORITIES];
	uint64_t words[PRIORITIES / 64];
	unsigned distinct;
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

static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	(void)context;
	if (viz_has(op, returned))
		pair_add_messages(send ? &traffic->sends : &traffic->receives, op, type_of(op));
}

/*
 * Receives without a priority get the highest of what had been sent (begun to be sent) by their
 * end and nobody else had taken. With several priorities to choose from that is a guess.
 */
static void infer_priorities(struct flow *all)
{
	struct priority_counts *counts = memory_new(sizeof(*counts));
	const struct flow_side *sends = &all->sends;
	size_t sent = 0;

	for (size_t i = 0; i < all->receives.count; i++) {
		struct flow_item *receive = &all->receives.items[i];

		for (; sent < sends->count && sends->items[sent].enter_ns <= receive->exit_ns;
		     sent++)
			counts_add(counts, sends->items[sent].type);
		if (!receive->type_known) {
			all->doubt |= counts->distinct != 1;
			receive->type = counts_highest(counts);
		}
		counts_take(counts, receive->type);
	}
	free(counts);
}

/* What was received, in order of return, and of which class each is. */
static void find_types(struct pair_context *context, struct flow *all)
{
	struct flow_side *side = &all->receives;
	size_t guessed = 0;

	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];
		const struct viz_operation *named = pair_named_send(context, item->op);

		item->type = type_of(named ? named : item->op);
		item->type_known = named || type_known(item->op);
		guessed += !item->type_known;
		if (!item->type_known && item->op->channel->mechanism != MECH_POSIX_MQ)
			all->doubt = true;
	}
	flow_sort_ends(side);
	flow_sort(&all->sends);
	if (guessed && side->items[0].op->channel->mechanism == MECH_POSIX_MQ)
		infer_priorities(all);
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

static void take_type(const struct flow_side *from, size_t *at, int64_t type, struct flow_side *to)
{
	for (; *at < from->count && from->items[*at].type == type; (*at)++)
		flow_add(to, &from->items[*at]);
}

static int64_t next_type(const struct flow_side *a, size_t i, const struct flow_side *b, size_t j)
{
	if (i == a->count)
		return b->items[j].type;
	if (j == b->count || a->items[i].type < b->items[j].type)
		return a->items[i].type;
	return b->items[j].type;
}

/* Both sides hold all classes; each class is a flow of its own. What is left of each goes back. */
static void pair_types(struct pair_context *context, struct flow *all,
		       const struct pair_route *route)
{
	struct flow_side sends = all->sends, receives = all->receives;
	bool doubt = all->doubt;
	size_t s = 0, r = 0;

	all->sends = all->receives = (struct flow_side){0};
	sort_types(&sends);
	sort_types(&receives);
	while (s < sends.count || r < receives.count) {
		int64_t type = next_type(&sends, s, &receives, r);
		struct flow flow = *all;

		flow.doubt = doubt;
		flow.sends = flow.receives = (struct flow_side){0};
		take_type(&sends, &s, type, &flow.sends);
		take_type(&receives, &r, type, &flow.receives);
		flow.sent = flow.sends.count > 0;
		pair_flow(context, &flow, route);
		all->doubt |= flow.doubt;
		flow_put_back(&all->sends, &flow.sends);
		flow_put_back(&all->receives, &flow.receives);
	}
	flow_free(&sends);
	flow_free(&receives);
}

static void settle(struct pair_context *context, struct channel_traffic *traffic)
{
	struct pair_route route = {.mechanism = traffic->channel->mechanism,
				   .channel = traffic->channel,
				   .typed = true};
	struct flow all = {.whole = true,
			   .payloads = true,
			   .until_ns = context->until_ns,
			   .open_receive_ns = VIZ_NEVER,
			   .doubt = traffic->send_doubt || traffic->receive_doubt};

	for (size_t i = 0; i < traffic->open_sends.count; i++)
		pair_add_messages(&traffic->sends, traffic->open_sends.items[i],
				  type_of(traffic->open_sends.items[i]));
	if (!pair_is_last(context))
		all.open_receive_ns = pair_first_enter(&traffic->open_receives);
	all.sends = traffic->sends;
	pair_take_settled(&traffic->receives, &all);
	find_types(context, &all);
	pair_types(context, &all, &route);
	traffic->sends = all.sends;
	flow_put_back(&traffic->receives, &all.receives);
	traffic->send_doubt = all.doubt;
	pair_close_open(&traffic->sends);
}

const struct pair_policy pair_queue_policy = {take, settle};
