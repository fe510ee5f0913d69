// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pair_semaphore.h"

#include <stdlib.h>
#include <string.h>

/* Something that happened between these two, both excluded. */
struct span {
	uint64_t lo_ns, hi_ns;
	uint64_t count; /* looks: what was seen */
};

struct span_list LIST_OF(struct span);

static void add_look(struct span_list *looks, const struct viz_position *position, uint64_t lo_ns,
		     uint64_t hi_ns)
{
	struct span span = {lo_ns, hi_ns, position->count};

	if (position->known && position->semaphore && lo_ns < hi_ns)
		LIST_PUSH(looks, span);
}

/* A call that slept counts whole: when its sleep ended is not always known. */
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

/* Keeps the looks, later than what is joined already, during which no call acted. */
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
 * Units have places, in the order in which they were added; each read takes the one at the front.
 * The sides are sorted by end.
 */
struct units {
	struct pair_context *context;
	struct flow *flow;
	const struct pair_route *route;
	uint64_t front, back; /* the next unit to be taken, the next one to be added */
	size_t oldest;	      /* of the sends: the first that has units behind the front */
	size_t placed, taken; /* how many sends have a place, how many receives are joined */
};

static struct units begin_units(struct pair_context *context, struct channel_traffic *traffic,
				struct flow *flow, const struct pair_route *route)
{
	struct units u = {.context = context,
			  .flow = flow,
			  .route = route,
			  .front = traffic->gone_to,
			  .back = traffic->base};

	while (u.placed < flow->sends.count && flow->sends.items[u.placed].placed)
		u.placed++;
	return u;
}

/* Places what was added by calls that had ended by then. */
static void place_sends(struct units *u, uint64_t at_ns)
{
	struct flow_side *sends = &u->flow->sends;

	for (; u->placed < sends->count && sends->items[u->placed].exit_ns <= at_ns; u->placed++) {
		struct flow_item *item = &sends->items[u->placed];

		item->placed = true;
		item->start = u->back;
		item->used = 0;
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

/* What left the front and was given to nobody here was taken by calls that are not here. */
static void pass_front(struct units *u, uint64_t at_ns)
{
	struct viz_gap gap = {
		.mechanism = u->route->mechanism, .channel = u->route->channel, .to_ns = at_ns};
	struct flow_side *sends = &u->flow->sends;

	for (; u->oldest < u->placed; u->oldest++) {
		struct flow_item *item = &sends->items[u->oldest];
		uint64_t gone = u->front > item->start ? u->front - item->start : 0;

		gone = gone < item->amount ? gone : item->amount;
		if (gone > item->used && !gap.units)
			gap.from_ns = item->enter_ns;
		gap.units += gone > item->used ? gone - item->used : 0;
		item->used = gone;
		if (gone < item->amount)
			break;
	}
	if (gap.units)
		pair_add_gap(u->context, &gap);
}

/* The send that added the unit at the front; NULL: none that is here. */
static struct flow_item *front_send(struct units *u)
{
	struct flow_item *items = u->flow->sends.items;

	while (u->oldest < u->placed &&
	       items[u->oldest].start + items[u->oldest].amount <= u->front)
		u->oldest++;
	return u->oldest < u->placed && items[u->oldest].start <= u->front ? &items[u->oldest]
									   : NULL;
}

static void take_unit(struct units *u, struct flow_item *receive)
{
	struct flow_item *send = front_send(u);

	pair_add_number(u->context, u->route, send, receive)->match = MATCH_AMBIGUOUS;
	u->front += receive->amount;
	receive->used = receive->amount;
	if (send)
		send->used += receive->amount;
}

/* `count`: what it held then. Where the calls that are here do not come to that, others acted. */
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

/* At the end, what is left was not received; what it held from its birth is no message. */
static void tell_rest(struct units *u)
{
	for (size_t i = u->oldest; i < u->placed; i++) {
		struct flow_item *item = &u->flow->sends.items[i];

		if (item->op->role != ROLE_OPEN)
			pair_add_number(u->context, u->route, item, NULL)->match = MATCH_AMBIGUOUS;
		item->used = item->amount;
	}
}

static void end_units(struct units *u, struct channel_traffic *traffic)
{
	struct flow_side *sends = &u->flow->sends;

	traffic->gone_to = u->front;
	traffic->base = u->back;
	for (size_t i = 0; i < u->placed; i++)
		sends->items[i].start += sends->items[i].used;
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
		tell_rest(&u);
	end_units(&u, traffic);
	traffic->placed_ns = until_ns;
}

/* Something was added or taken by nobody who is here. */
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
	keep_quiet(&looks, &acts, traffic->placed_ns);
	flow_sort_ends(&flow->sends);
	flow_sort_ends(&flow->receives);
	flow->doubt |= context->lost ||
		       contradicts(flow, &looks, pair_known_until(context, traffic));
	traffic->semaphore |= flow->doubt && looks.count;
	traffic->placed_ns = context->until_ns; /* what ended by then may be joined by its order */
	if (traffic->semaphore)
		join_units(context, traffic, flow, route, &looks);
	free(acts.items);
	free(looks.items);
	return traffic->semaphore;
}
