// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Matches an eventfd in semaphore mode by sampled counts; see eventfd_semaphore.h. */
#include "viz/pair/policy/eventfd_semaphore.h"

#include <stdlib.h>
#include <string.h>

/* The time of a call or of a sample, lo_ns and hi_ns excluded. */
struct span {
	uint64_t lo_ns, hi_ns;
	uint64_t count; /* samples: the count seen */
};

struct span_list LIST_OF(struct span);

static void add_look(struct span_list *looks, const struct viz_position *position, uint64_t lo_ns,
		     uint64_t hi_ns)
{
	struct span span = {lo_ns, hi_ns, position->count};

	if (position->known && position->semaphore && lo_ns < hi_ns)
		LIST_PUSH(looks, span);
}

/*
 * Lists calls and samples. A call that slept counts from its entry on, because it is not always
 * known when its sleep ended.
 */
static void list_spans(const struct flow_side *side, struct span_list *acts,
		       struct span_list *looks)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct viz_operation *op = side->items[i].op;
		struct span act = {op->enter_ns, op->exit_ns, 0};

		LIST_PUSH(acts, act);
		add_look(looks, &op->at_entry, op->at_entry.at_ns, op->enter_ns);
		add_look(looks, &op->at_exit, op->exit_ns, op->at_exit.at_ns);
	}
}

static int compare_begins(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->lo_ns > y->lo_ns) - (x->lo_ns < y->lo_ns);
}

static int compare_ends(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->hi_ns > y->hi_ns) - (x->hi_ns < y->hi_ns);
}

static void sort_spans(struct span_list *list, int (*compare)(const void *, const void *))
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
}

/* Keeps the samples that begin at or after `joined_ns` and during which no call acted. */
static void keep_quiet(struct span_list *looks, struct span_list *acts, uint64_t joined_ns)
{
	uint64_t busy_until_ns = 0;
	size_t kept = 0, begun = 0;

	sort_spans(acts, compare_begins);
	sort_spans(looks, compare_ends);
	for (size_t i = 0; i < looks->count; i++) {
		const struct span *look = &looks->items[i];

		for (; begun < acts->count && acts->items[begun].lo_ns < look->hi_ns; begun++)
			if (acts->items[begun].hi_ns > busy_until_ns)
				busy_until_ns = acts->items[begun].hi_ns;
		if (busy_until_ns <= look->lo_ns && joined_ns <= look->lo_ns)
			looks->items[kept++] = *look;
	}
	looks->count = kept;
}

/*
 * The units of a flow: places number them in the order in which they were added, and each read
 * takes the unit at the front. Both sides are sorted by exit_ns.
 */
struct units {
	struct pair_context *context;
	struct flow *flow;
	const struct pair_route *route;
	uint64_t front, back; /* the places of the next unit to be taken and added */
	size_t oldest;	      /* the first send with units behind the front */
	size_t placed, taken; /* sends that have a place, receives that are matched */
};

static struct units begin_units(struct pair_context *context, struct channel_traffic *traffic,
				struct flow *flow, const struct pair_route *route)
{
	struct units u = {.context = context,
			  .flow = flow,
			  .route = route,
			  .front = traffic->counter.front,
			  .back = traffic->counter.back};

	while (u.placed < flow->sends.count && flow->sends.items[u.placed].counter.added)
		u.placed++;
	return u;
}

/* Gives places to the units added by calls that had returned by `at_ns`. */
static void place_sends(struct units *u, uint64_t at_ns)
{
	struct flow_side *sends = &u->flow->sends;

	for (; u->placed < sends->count && sends->items[u->placed].exit_ns <= at_ns; u->placed++) {
		struct flow_item *item = &sends->items[u->placed];

		item->counter.added = true;
		item->join.start = u->back;
		item->join.used = 0;
		u->back += item->amount;
	}
}

static uint64_t count_takes(const struct units *u, uint64_t at_ns)
{
	const struct flow_side *receives = &u->flow->receives;
	uint64_t sum = 0;

	for (size_t i = u->taken; i < receives->count && receives->items[i].exit_ns <= at_ns; i++)
		sum += receives->items[i].amount;
	return sum;
}

/* Units before the front that no read in the trace took went to reads that are missing: a gap. */
static void pass_front(struct units *u, uint64_t at_ns)
{
	struct viz_gap gap = {
		.mechanism = u->route->mechanism, .channel = u->route->channel, .to_ns = at_ns};
	struct flow_side *sends = &u->flow->sends;

	for (; u->oldest < u->placed; u->oldest++) {
		struct flow_item *item = &sends->items[u->oldest];
		uint64_t passed = u->front > item->join.start ? u->front - item->join.start : 0;

		passed = passed < item->amount ? passed : item->amount;
		if (passed > item->join.used && !gap.units)
			gap.from_ns = item->enter_ns;
		gap.units += passed > item->join.used ? passed - item->join.used : 0;
		item->join.used = passed;
		if (passed < item->amount)
			break;
	}
	if (gap.units)
		pair_add_gap(u->context, &gap);
}

/* The send that added the unit at the front; NULL: no send in the trace. */
static struct flow_item *front_send(struct units *u)
{
	struct flow_item *items = u->flow->sends.items;

	while (u->oldest < u->placed &&
	       items[u->oldest].join.start + items[u->oldest].amount <= u->front)
		u->oldest++;
	return u->oldest < u->placed && items[u->oldest].join.start <= u->front ? &items[u->oldest]
										: NULL;
}

static void take_unit(struct units *u, struct flow_item *receive)
{
	struct flow_item *send = front_send(u);

	pair_add_number(u->context, u->route, send, receive)->match = MATCH_AMBIGUOUS;
	u->front += receive->amount;
	receive->join.used = receive->amount;
	if (send)
		send->join.used += receive->amount;
}

/*
 * Matches the reads that had returned by `at_ns`, when the counter held *count (NULL: not known).
 * If the calls in the trace do not add up to that count, missing calls added units at the back or
 * took them from the front.
 */
static void settle_until(struct units *u, uint64_t at_ns, const uint64_t *count)
{
	struct flow_side *receives = &u->flow->receives;
	uint64_t takes = count_takes(u, at_ns), back;

	place_sends(u, at_ns);
	back = u->front + takes + (count ? *count : 0);
	if (count && back > u->back)
		u->back = back;
	else if (count)
		u->front += u->back - back;
	pass_front(u, at_ns);
	for (; u->taken < receives->count && receives->items[u->taken].exit_ns <= at_ns; u->taken++)
		take_unit(u, &receives->items[u->taken]);
}

/*
 * At the end of the trace, reports what was not read; an initial value that was not read is no
 * message.
 */
static void report_rest(struct units *u)
{
	for (size_t i = u->oldest; i < u->placed; i++) {
		struct flow_item *item = &u->flow->sends.items[i];

		if (item->op->role != ROLE_OPEN)
			pair_add_number(u->context, u->route, item, NULL)->match = MATCH_AMBIGUOUS;
		item->join.used = item->amount;
	}
}

static void end_units(struct units *u, struct channel_traffic *traffic)
{
	struct flow_side *sends = &u->flow->sends;

	traffic->counter.front = u->front;
	traffic->counter.back = u->back;
	for (size_t i = 0; i < u->placed; i++)
		sends->items[i].join.start += sends->items[i].join.used;
	pair_side_trim(u->context, sends, false);
	pair_side_trim(u->context, &u->flow->receives, false);
}

static void join_units(struct pair_context *context, struct channel_traffic *traffic,
		       struct flow *flow, const struct pair_route *route,
		       const struct span_list *looks)
{
	struct units u = begin_units(context, traffic, flow, route);
	uint64_t until_ns = pair_known_until(context, traffic);

	for (size_t i = 0; i < looks->count && looks->items[i].hi_ns < until_ns; i++)
		settle_until(&u, looks->items[i].lo_ns, &looks->items[i].count);
	settle_until(&u, until_ns - 1, NULL);
	if (pair_is_last(context))
		report_rest(&u);
	end_units(&u, traffic);
	traffic->counter.settled_ns = until_ns;
}

/* True if a sample differs from what the calls in the trace had added and taken by then. */
static bool contradicts(const struct flow *flow, const struct span_list *looks, uint64_t until_ns)
{
	const struct flow_side *sends = &flow->sends, *receives = &flow->receives;
	uint64_t held = 0;
	size_t sent = 0, taken = 0;

	for (size_t i = 0; i < looks->count && looks->items[i].hi_ns < until_ns; i++) {
		const struct span *look = &looks->items[i];

		for (; sent < sends->count && sends->items[sent].exit_ns <= look->lo_ns; sent++)
			held += sends->items[sent].amount;
		for (; taken < receives->count && receives->items[taken].exit_ns <= look->lo_ns;
		     taken++)
			held -= receives->items[taken].amount;
		if (held != look->count)
			return true;
	}
	return false;
}

bool pair_semaphore(struct pair_context *context, struct channel_traffic *traffic,
		    struct flow *flow, const struct pair_route *route)
{
	struct span_list acts = {0}, looks = {0};

	list_spans(&flow->sends, &acts, &looks);
	list_spans(&flow->receives, &acts, &looks);
	keep_quiet(&looks, &acts, traffic->counter.settled_ns);
	flow_sort_ends(&flow->sends);
	flow_sort_ends(&flow->receives);
	flow->ambiguous |= context->lost ||
			   contradicts(flow, &looks, pair_known_until(context, traffic));
	traffic->counter.semaphore |= flow->ambiguous && looks.count;
	/* Earlier calls may be matched in order now. */
	traffic->counter.settled_ns = context->until_ns;
	if (traffic->counter.semaphore)
		join_units(context, traffic, flow, route, &looks);
	free(acts.items);
	free(looks.items);
	return traffic->counter.semaphore;
}
