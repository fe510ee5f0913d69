// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Matches a counter, cluster by cluster of overlapping calls; see eventfd_events.h. */
#include "viz/pair/policy/eventfd_events.h"

#include <stdlib.h>

struct event_match {
	struct pair_context *context;
	struct channel_traffic *traffic;
	const struct pair_route *route;
	struct count_event *events;
	size_t count;
	struct flow_item **pending; /* additions that no read has taken yet */
	size_t pending_count;
};

static bool add_looks(const struct flow_side *side, bool *known)
{
	for (size_t i = 0; i < side->count; i++) {
		if (side->items[i].op->at_entry.semaphore)
			return false;
		*known |= side->items[i].op->at_entry.known;
	}
	return true;
}

/*
 * False for a semaphore, whose reads take 1 each: the order of additions matters there, so it is
 * matched as a stream.
 */
static bool is_possible(const struct channel_traffic *traffic)
{
	bool known = false;

	return add_looks(&traffic->sends, &known) && add_looks(&traffic->receives, &known) && known;
}

static void add_event(struct event_match *t, struct flow_item *item, enum count_kind kind,
		      uint64_t lo_ns, uint64_t hi_ns)
{
	struct count_event event = {
		.kind = kind, .lo_ns = lo_ns, .hi_ns = hi_ns, .count = item->amount, .item = item};

	ARENA_PUSH(t->context->round, t->events, t->count, event);
}

/* Adds a sample of the count, unless it reaches back to what is matched already. */
static void add_look(struct event_match *t, struct flow_item *item,
		     const struct viz_position *position, uint64_t lo_ns, uint64_t hi_ns)
{
	if (!position->known || lo_ns <= t->traffic->counter.settled_ns || hi_ns < lo_ns)
		return;
	add_event(t, item, COUNT_LOOK, lo_ns, hi_ns);
	t->events[t->count - 1].count = position->count;
}

/* Adds a call and its two samples. A call that slept did nothing before it ran again. */
static void add_call(struct event_match *t, struct flow_item *item, enum count_kind kind)
{
	const struct viz_operation *op = item->op;

	add_look(t, item, &op->at_entry, op->at_entry.at_ns, op->enter_ns);
	add_event(t, item, kind, op->resumed_ns ? op->resumed_ns : op->enter_ns, op->exit_ns);
	add_look(t, item, &op->at_exit, op->exit_ns, op->at_exit.at_ns);
}

static int compare_events(const void *a, const void *b)
{
	const struct count_event *x = a, *y = b;

	if (x->lo_ns != y->lo_ns)
		return x->lo_ns < y->lo_ns ? -1 : 1;
	if (x->hi_ns != y->hi_ns)
		return x->hi_ns < y->hi_ns ? -1 : 1;
	return (x->item->op->id > y->item->op->id) - (x->item->op->id < y->item->op->id);
}

static void list_events(struct event_match *t)
{
	struct flow_side *sends = &t->traffic->sends, *receives = &t->traffic->receives;

	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i].counter.added)
			ARENA_PUSH(t->context->round, t->pending, t->pending_count,
				   &sends->items[i]);
		else
			add_call(t, &sends->items[i], COUNT_ADD);
	for (size_t i = 0; i < receives->count; i++)
		add_call(t, &receives->items[i], COUNT_TAKE);
	if (t->count)
		qsort(t->events, t->count, sizeof(*t->events), compare_events);
}

/* --- messages -------------------------------------------------------------------------------- */

/* send NULL: no call in the trace added the number. */
static void add_message(struct event_match *t, const struct flow_item *send,
			const struct flow_item *receive, bool ambiguous)
{
	struct viz_message *message = pair_add_number(t->context, t->route, send, receive);

	ambiguous |= t->traffic->send_ambiguous || t->traffic->receive_ambiguous ||
		     t->context->lost;
	if (ambiguous || (send && send->ambiguous) || (receive && receive->ambiguous))
		message->match = MATCH_AMBIGUOUS;
}

/*
 * Matches a read with all pending additions. If their sum is not what it got, calls are missing or
 * in a wrong order, and the matches are ambiguous.
 */
static void take(struct event_match *t, struct flow_item *receive, bool ambiguous)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->pending_count; i++)
		sum += t->pending[i]->amount;
	ambiguous |= sum != receive->amount;
	for (size_t i = 0; i < t->pending_count; i++) {
		add_message(t, t->pending[i], receive, ambiguous);
		t->pending[i]->join.used = t->pending[i]->amount;
	}
	t->pending_count = 0;
	if (sum < receive->amount)
		add_message(t, NULL, receive, ambiguous);
	receive->join.used = receive->amount;
}

static void skip_pending(struct event_match *t, uint64_t until_ns)
{
	struct viz_gap gap = {.mechanism = t->route->mechanism,
			      .channel = t->route->channel,
			      .units = t->pending_count,
			      .from_ns = t->traffic->counter.settled_ns,
			      .to_ns = until_ns};

	for (size_t i = 0; i < t->pending_count; i++)
		t->pending[i]->join.used = t->pending[i]->amount;
	if (t->pending_count)
		pair_add_gap(t->context, &gap);
	t->pending_count = 0;
}

/* --- clusters -------------------------------------------------------------------------------- */

static void pend(struct event_match *t, const struct count_event *event)
{
	event->item->counter.added = true;
	event->item->ambiguous |= event->several;
	ARENA_PUSH(t->context->round, t->pending, t->pending_count, event->item);
}

static void pend_takers(struct event_match *t, const struct count_cluster *cluster,
			const struct flow_item *taker)
{
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->events[i].kind == COUNT_ADD && cluster->events[i].taker == taker)
			pend(t, &cluster->events[i]);
}

static uint64_t count_after(const struct count_cluster *cluster)
{
	uint64_t count = cluster->start;

	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->events[i].kind == COUNT_ADD)
			count += cluster->events[i].count;
		else if (cluster->events[i].kind == COUNT_TAKE)
			count -= cluster->events[i].count;
	return count;
}

static void join_found(struct event_match *t, const struct count_cluster *cluster)
{
	for (size_t i = 0; i < t->pending_count; i++)
		t->pending[i]->ambiguous |= cluster->first_several;
	for (size_t i = 0; i < cluster->take_count; i++) {
		pend_takers(t, cluster, cluster->takes[i]);
		take(t, cluster->takes[i], false);
	}
	pend_takers(t, cluster, NULL);
	t->traffic->counter.count = count_after(cluster);
	t->traffic->counter.known = true;
}

static int compare_ends(const void *a, const void *b)
{
	const struct count_event *x = a, *y = b;

	return (x->hi_ns > y->hi_ns) - (x->hi_ns < y->hi_ns);
}

/* Fallback where no order fits: takes the calls in order of their return, all of it ambiguous. */
static void join_tentative(struct event_match *t, const struct count_cluster *cluster)
{
	qsort(cluster->events, cluster->count, sizeof(*cluster->events), compare_ends);
	for (size_t i = 0; i < cluster->count; i++) {
		struct count_event *event = &cluster->events[i];

		event->several = true;
		if (event->kind == COUNT_ADD)
			pend(t, event);
		else if (event->kind == COUNT_TAKE)
			take(t, event->item, true);
	}
	t->traffic->counter.known = false;
}

/*
 * Restarts at the first event if that is a sample that no other call can precede: the counter held
 * that count, whatever came before.
 */
static bool begin_anew(struct event_match *t, struct count_cluster *cluster)
{
	const struct count_event *first = &cluster->events[0];

	if (first->kind != COUNT_LOOK)
		return false;
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->events[i].kind != COUNT_LOOK &&
		    cluster->events[i].lo_ns <= first->hi_ns &&
		    cluster->events[i].item != first->item)
			return false;
	cluster->start = first->count;
	if (!first->count)
		skip_pending(t, first->hi_ns);
	return true;
}

/*
 * Matches one cluster. If its events contradict the count known before, calls outside the trace act
 * on the counter too, and nothing is exact from then on.
 */
static void settle_cluster(struct event_match *t, struct count_event *events, size_t count)
{
	struct arena *arena = arena_new_small();
	struct count_cluster cluster = {
		.events = events, .count = count, .start = t->traffic->counter.count};
	bool known = t->traffic->counter.known;
	bool found = known && count_search(arena, &cluster);

	if (known && !found && !cluster.overflow)
		t->traffic->send_ambiguous = true;
	if (!found && begin_anew(t, &cluster))
		found = count_search(arena, &cluster);
	if (found)
		join_found(t, &cluster);
	else
		join_tentative(t, &cluster);
	arena_free(arena);
}

/* Matches the clusters up to the first one whose calls are not all known. */
static void settle_clusters(struct event_match *t)
{
	uint64_t until_ns = pair_known_until(t->context, t->traffic);
	size_t begin = 0;

	while (begin < t->count) {
		uint64_t hi_ns = t->events[begin].hi_ns;
		size_t end = begin + 1;

		for (; end < t->count && t->events[end].lo_ns <= hi_ns; end++)
			hi_ns = t->events[end].hi_ns > hi_ns ? t->events[end].hi_ns : hi_ns;
		if (hi_ns >= until_ns && !pair_is_last(t->context))
			break;
		settle_cluster(t, t->events + begin, end - begin);
		t->traffic->counter.settled_ns = hi_ns;
		begin = end;
	}
}

/*
 * At the end of the trace, reports what was not read; an initial value that was not read is no
 * message.
 */
static void report_rest(struct event_match *t)
{
	for (size_t i = 0; i < t->pending_count; i++) {
		struct flow_item *item = t->pending[i];

		if (item->op->role != ROLE_OPEN)
			add_message(t, item, NULL, false);
		item->join.used = item->amount;
	}
}

bool pair_match_counts(struct pair_context *context, struct channel_traffic *traffic,
		       const struct pair_route *route)
{
	struct event_match t = {.context = context, .traffic = traffic, .route = route};

	if (!is_possible(traffic))
		return false;
	list_events(&t);
	settle_clusters(&t);
	if (pair_is_last(context))
		report_rest(&t);
	pair_side_trim(context, &traffic->sends, false);
	pair_side_trim(context, &traffic->receives, false);
	return true;
}
