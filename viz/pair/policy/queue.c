// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Message queues: first in first out among the messages of one class, which is the message type
 * (System V) or the priority (POSIX). Both sides report the class, except a POSIX receive that did
 * not ask for the priority: it is inferred by the queue's rule, the highest priority present.
 */
#include <stdlib.h>

#include "viz/pair/buffer/buffer_match.h"
#include "viz/pair/core/context.h"

#define PRIORITIES 32768 /* MQ_PRIO_MAX */

/*
 * The number of queued messages of each priority. A bit in `words` is set where that is not 0, so
 * that the highest is found quickly.
 */
struct priority_counts {
	uint32_t counts[PRIORITIES];
	uint64_t words[PRIORITIES / 64];
	unsigned distinct;
};

/* A damaged trace may say that something was moved into a queue from no channel. */
static bool is_posix(const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_POSIX_MQ;
}

static int64_t type_of(const struct viz_operation *op)
{
	return is_posix(op) ? (int64_t)op->extra->priority : op->extra->message_type;
}

/* False for a type that JSON may have rounded: its numbers are doubles, exact up to 2^53. */
static bool is_exact(int64_t type)
{
	return type > -((int64_t)1 << 53) && type < (int64_t)1 << 53;
}

static bool type_known(const struct viz_operation *op)
{
	if (!is_exact(op->extra->message_type))
		return false;
	return is_posix(op) ? viz_has(op, priority) : viz_has(op, message_type);
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
 * A receive without a priority gets the highest one among the messages whose sends had begun by its
 * end and that no earlier receive took. With several priorities to choose from, that is ambiguous.
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
			counts_add(counts, sends->items[sent].class.type);
		if (!receive->class.known) {
			all->ambiguous |= counts->distinct != 1;
			receive->class.type = counts_highest(counts);
		}
		counts_take(counts, receive->class.type);
	}
	free(counts);
}

/* The send that a receive names by its buffer; NULL if there is none or if their classes differ. */
static const struct viz_operation *believed_send(const struct pair_context *context,
						 const struct viz_operation *receive)
{
	const struct viz_operation *named = pair_named_send(context, receive);

	if (!named || !type_known(named) || !type_known(receive))
		return named;
	return type_of(named) == type_of(receive) ? named : NULL;
}

/* Sets the class of each receive, and sorts the receives by return and the sends by beginning. */
static void find_types(struct pair_context *context, struct flow *all)
{
	struct flow_side *side = &all->receives;
	size_t inferred = 0;

	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];
		const struct viz_operation *named = believed_send(context, item->op);

		item->class.type = type_of(named ? named : item->op);
		item->class.known = named || type_known(item->op);
		inferred += !item->class.known;
		if (!item->class.known && !is_posix(item->op))
			all->ambiguous = true;
	}
	flow_sort_ends(side);
	flow_sort(&all->sends);
	if (inferred && is_posix(side->items[0].op))
		infer_priorities(all);
}

static int compare_types(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	return (x->class.type > y->class.type) - (x->class.type < y->class.type);
}

static void sort_types(struct flow_side *side)
{
	if (side->count)
		qsort(side->items, side->count, sizeof(*side->items), compare_types);
}

static void take_type(const struct flow_side *from, size_t *at, int64_t type, struct flow_side *to)
{
	for (; *at < from->count && from->items[*at].class.type == type; (*at)++)
		flow_add(to, &from->items[*at]);
}

static int64_t next_type(const struct flow_side *a, size_t i, const struct flow_side *b, size_t j)
{
	if (i == a->count)
		return b->items[j].class.type;
	if (j == b->count || a->items[i].class.type < b->items[j].class.type)
		return a->items[i].class.type;
	return b->items[j].class.type;
}

/* Matches each class as a flow of its own, and puts back what is left of it. */
static void pair_types(struct pair_context *context, struct flow *all,
		       const struct pair_route *route)
{
	struct flow_side sends = all->sends, receives = all->receives;
	bool ambiguous = all->ambiguous;
	size_t s = 0, r = 0;

	all->sends = all->receives = (struct flow_side){0};
	sort_types(&sends);
	sort_types(&receives);
	while (s < sends.count || r < receives.count) {
		int64_t type = next_type(&sends, s, &receives, r);
		struct flow flow = *all;

		flow.ambiguous = ambiguous;
		flow.sends = flow.receives = (struct flow_side){0};
		take_type(&sends, &s, type, &flow.sends);
		take_type(&receives, &r, type, &flow.receives);
		flow.sent = flow.sends.count > 0;
		pair_flow(context, &flow, route);
		all->ambiguous |= flow.ambiguous;
		flow_put_back(&all->sends, &flow.sends);
		flow_put_back(&all->receives, &flow.receives);
	}
	flow_free(&sends);
	flow_free(&receives);
}

static bool is_followed(const struct viz_operation *send)
{
	return viz_has(send, followed);
}

/*
 * True if the receive names a send that is followed, or one that is not in the trace: its message
 * did not come from any of the sends that are not followed.
 */
static bool names_send(const struct pair_context *context, const struct flow_item *receive)
{
	const struct viz_operation *named = believed_send(context, receive->op);

	if (named)
		return is_followed(named);
	return pair_chunk_of(receive) && !pair_named_send(context, receive->op);
}

/* True if a receive names a send that is not in the trace: records are missing, or out of order. */
static bool names_unknown(const struct pair_context *context, const struct flow_side *receives)
{
	for (size_t i = 0; i < receives->count; i++)
		if (pair_chunk_of(&receives->items[i]) &&
		    !pair_named_send(context, receives->items[i].op))
			return true;
	return false;
}

/* True if a receive names several sends, of which only one can be its own. */
static bool names_several(const struct flow_side *receives)
{
	for (size_t i = 0; i < receives->count; i++)
		if (receives->items[i].op->extra->chunk_count > 1)
			return true;
	return false;
}

/*
 * Adds the messages that lay in the queue before tracing, as their receives report, and removes
 * these receives from the flow.
 */
static void take_before(struct pair_context *context, struct channel_traffic *traffic,
			struct flow *all, const struct pair_route *route)
{
	struct flow_side *side = &all->receives;
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++) {
		const struct viz_operation *op = side->items[i].op;

		if (op->extra->chunk_count == 1 && op->extra->chunks->before) {
			traffic->stock.followed = true;
			pair_add_whole(context, route, NULL, &side->items[i]);
			pair_let_go(context, op);
		} else {
			side->items[kept++] = side->items[i];
		}
	}
	side->count = kept;
}

/*
 * Moves the sends that are followed, whose receives name them, and these receives into a flow of
 * their own: they must not be matched by order with the others.
 */
static struct flow take_followed(const struct pair_context *context, struct flow *all)
{
	struct flow named = *all;
	size_t kept = 0;

	named.sends = named.receives = (struct flow_side){0};
	for (size_t i = 0; i < all->sends.count; i++)
		if (is_followed(all->sends.items[i].op))
			flow_add(&named.sends, &all->sends.items[i]);
		else
			all->sends.items[kept++] = all->sends.items[i];
	all->sends.count = kept;
	kept = 0;
	for (size_t i = 0; named.sends.count && i < all->receives.count; i++)
		if (names_send(context, &all->receives.items[i]))
			flow_add(&named.receives, &all->receives.items[i]);
		else
			all->receives.items[kept++] = all->receives.items[i];
	all->receives.count = named.sends.count ? kept : all->receives.count;
	return named;
}

/*
 * True if a send was asleep when tracing began: no receive names it, and its priority may not be
 * known.
 */
static bool any_found_asleep(const struct flow_side *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (viz_has(sends->items[i].op, entered_before))
			return true;
	return false;
}

static void pair_all(struct pair_context *context, struct channel_traffic *traffic,
		     struct flow *all, const struct pair_route *route)
{
	struct flow named;

	find_types(context, all);
	all->ambiguous |= names_several(&all->receives);
	traffic->send_ambiguous |= all->ambiguous || names_unknown(context, &all->receives);
	named = take_followed(context, all);
	if (route->mechanism == MECH_POSIX_MQ && named.sends.count)
		all->ambiguous |= any_found_asleep(&all->sends);
	named.ambiguous = traffic->send_ambiguous;
	pair_types(context, &named, route);
	pair_types(context, all, route);
	traffic->send_ambiguous |= named.ambiguous;
	flow_put_back(&all->sends, &named.sends);
	flow_put_back(&all->receives, &named.receives);
}

static bool any_followed(const struct flow_side *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (is_followed(sends->items[i].op))
			return true;
	return false;
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
			   .ambiguous = traffic->send_ambiguous || traffic->receive_ambiguous};

	for (size_t i = 0; i < traffic->open_sends.count; i++)
		pair_add_messages(&traffic->sends, traffic->open_sends.items[i],
				  type_of(traffic->open_sends.items[i]));
	if (!pair_is_last(context))
		all.open_receive_ns = pair_first_enter(&traffic->open_receives);
	all.sends = traffic->sends;
	pair_take_settled(&traffic->receives, &all);
	traffic->stock.followed |= any_followed(&all.sends);
	take_before(context, traffic, &all, &route);
	if (pair_look_at_depth(context, traffic, &all))
		pair_all(context, traffic, &all, &route);
	traffic->sends = all.sends;
	flow_put_back(&traffic->receives, &all.receives);
	traffic->receive_ambiguous = all.ambiguous;
	pair_close_open(&traffic->sends);
}

const struct pair_policy pair_queue_policy = {take, settle};
