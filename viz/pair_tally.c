// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pair_tally.h"

#include <stdlib.h>

struct tally {
	struct pair_context *context;
	struct channel_traffic *traffic;
	const struct pair_route *route;
	struct tally_event *events;
	size_t count;
	struct flow_item **pending; /* added, and taken by no read yet */
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

/* A semaphore's reads take one each: the order of additions matters, and is joined as a stream. */
static bool is_possible(const struct channel_traffic *traffic)
{
	bool known = false;

	return add_looks(&traffic->sends, &known) && add_looks(&traffic->receives, &known) && known;
}

static void add_event(struct tally *t, struct flow_item *item, enum tally_kind kind, uint64_t lo_ns,
		      uint64_t hi_ns)
{
	struct tally_event event = {
		.kind = kind, .lo_ns = lo_ns, .hi_ns = hi_ns, .count = item->amount, .item = item};

	ARENA_PUSH(t->context->round, t->events, t->count, event);
}

/* A look that reaches back to what is settled says nothing more. */
static void add_look(struct tally *t, struct flow_item *item, const struct viz_position *position,
		     uint64_t lo_ns, uint64_t hi_ns)
{
	if (!position->known || lo_ns <= t->traffic->placed_ns || hi_ns < lo_ns)
		return;
	add_event(t, item, TALLY_LOOK, lo_ns, hi_ns);
	t->events[t->count - 1].count = position->count;
}

/* One that slept had done nothing before it ran again. */
static void add_call(struct tally *t, struct flow_item *item, enum tally_kind kind)
{
	const struct viz_operation *op = item->op;

	add_look(t, item, &op->at_entry, op->at_entry.at_ns, op->enter_ns);
	add_event(t, item, kind, op->resumed_ns ? op->resumed_ns : op->enter_ns, op->exit_ns);
	add_look(t, item, &op->at_exit, op->exit_ns, op->at_exit.at_ns);
}

static int compare_events(const void *a, const void *b)
{
	const struct tally_event *x = a, *y = b;

	if (x->lo_ns != y->lo_ns)
		return x->lo_ns < y->lo_ns ? -1 : 1;
	if (x->hi_ns != y->hi_ns)
		return x->hi_ns < y->hi_ns ? -1 : 1;
	return (x->item->op->id > y->item->op->id) - (x->item->op->id < y->item->op->id);
}

static void list_events(struct tally *t)
{
	struct flow_side *sends = &t->traffic->sends, *receives = &t->traffic->receives;

	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i].placed)
			ARENA_PUSH(t->context->round, t->pending, t->pending_count,
				   &sends->items[i]);
		else
			add_call(t, &sends->items[i], TALLY_ADD);
	for (size_t i = 0; i < receives->count; i++)
		add_call(t, &receives->items[i], TALLY_TAKE);
	if (t->count)
		qsort(t->events, t->count, sizeof(*t->events), compare_events);
}

/* --- messages -------------------------------------------------------------------------------- */

/* send NULL: nobody here has added it. */
static void add_message(struct tally *t, const struct flow_item *send,
			const struct flow_item *receive, bool doubt)
{
	struct viz_message *message = pair_add_number(t->context, t->route, send, receive);

	doubt |= t->traffic->send_doubt || t->traffic->receive_doubt || t->context->lost;
	if (doubt || (send && send->doubt) || (receive && receive->doubt))
		message->match = MATCH_AMBIGUOUS;
}

/* A read takes all that is pending: more or less than it got, and something is not as it seems. */
static void take(struct tally *t, struct flow_item *receive, bool doubt)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->pending_count; i++)
		sum += t->pending[i]->amount;
	doubt |= sum != receive->amount;
	for (size_t i = 0; i < t->pending_count; i++) {
		add_message(t, t->pending[i], receive, doubt);
		t->pending[i]->used = t->pending[i]->amount;
	}
	t->pending_count = 0;
	if (sum < receive->amount)
		add_message(t, NULL, receive, doubt);
	receive->used = receive->amount;
}

static void skip_pending(struct tally *t, uint64_t until_ns)
{
	struct viz_gap gap = {.mechanism = t->route->mechanism,
			      .channel = t->route->channel,
			      .units = t->pending_count,
			      .from_ns = t->traffic->placed_ns,
			      .to_ns = until_ns};

	for (size_t i = 0; i < t->pending_count; i++)
		t->pending[i]->used = t->pending[i]->amount;
	if (t->pending_count)
		pair_add_gap(t->context, &gap);
	t->pending_count = 0;
}

/* --- clusters -------------------------------------------------------------------------------- */

static void pend(struct tally *t, const struct tally_event *event)
{
	event->item->placed = true;
	event->item->doubt |= event->several;
	ARENA_PUSH(t->context->round, t->pending, t->pending_count, event->item);
}

static void pend_takers(struct tally *t, const struct tally_cluster *cluster,
			const struct flow_item *taker)
{
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->events[i].kind == TALLY_ADD && cluster->events[i].taker == taker)
			pend(t, &cluster->events[i]);
}

static uint64_t count_after(const struct tally_cluster *cluster)
{
	uint64_t count = cluster->start;

	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->events[i].kind == TALLY_ADD)
			count += cluster->events[i].count;
		else if (cluster->events[i].kind == TALLY_TAKE)
			count -= cluster->events[i].count;
	return count;
}

static void join_found(struct tally *t, const struct tally_cluster *cluster)
{
	for (size_t i = 0; i < t->pending_count; i++)
		t->pending[i]->doubt |= cluster->first_several;
	for (size_t i = 0; i < cluster->take_count; i++) {
		pend_takers(t, cluster, cluster->takes[i]);
		take(t, cluster->takes[i], false);
	}
	pend_takers(t, cluster, NULL);
	t->traffic->counter = count_after(cluster);
	t->traffic->counter_known = true;
}

static int compare_ends(const void *a, const void *b)
{
	const struct tally_event *x = a, *y = b;

	return (x->hi_ns > y->hi_ns) - (x->hi_ns < y->hi_ns);
}

/* No order fits: the one in which the calls ended is as good as any. */
static void join_guessed(struct tally *t, const struct tally_cluster *cluster)
{
	qsort(cluster->events, cluster->count, sizeof(*cluster->events), compare_ends);
	for (size_t i = 0; i < cluster->count; i++) {
		struct tally_event *event = &cluster->events[i];

		event->several = true;
		if (event->kind == TALLY_ADD)
			pend(t, event);
		else if (event->kind == TALLY_TAKE)
			take(t, event->item, true);
	}
	t->traffic->counter_known = false;
}

/* The count was seen before anybody here acted: from there it goes on, whatever was before. */
static bool begin_anew(struct tally *t, struct tally_cluster *cluster)
{
	const struct tally_event *first = &cluster->events[0];

	if (first->kind != TALLY_LOOK)
		return false;
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->events[i].kind != TALLY_LOOK &&
		    cluster->events[i].lo_ns <= first->hi_ns &&
		    cluster->events[i].item != first->item)
			return false;
	cluster->start = first->count;
	if (!first->count)
		skip_pending(t, first->hi_ns);
	return true;
}

/*
 * Where what was known contradicts, somebody whom we do not see acts on it too: then nothing is
 * certain any more.
 */
static void settle_cluster(struct tally *t, struct tally_event *events, size_t count)
{
	struct arena *arena = arena_new_small();
	struct tally_cluster cluster = {
		.events = events, .count = count, .start = t->traffic->counter};
	bool known = t->traffic->counter_known;
	bool found = known && tally_search(arena, &cluster);

	if (known && !found && !cluster.overflow)
		t->traffic->send_doubt = true;
	if (!found && begin_anew(t, &cluster))
		found = tally_search(arena, &cluster);
	if (found)
		join_found(t, &cluster);
	else
		join_guessed(t, &cluster);
	arena_free(arena);
}

/* Up to the first that is not all known. */
static void settle_clusters(struct tally *t)
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
		t->traffic->placed_ns = hi_ns;
		begin = end;
	}
}

/* At the end, what is left was not received; what it held from its birth is no message. */
static void tell_rest(struct tally *t)
{
	for (size_t i = 0; i < t->pending_count; i++) {
		struct flow_item *item = t->pending[i];

		if (item->op->role != ROLE_OPEN)
			add_message(t, item, NULL, false);
		item->used = item->amount;
	}
}

bool pair_counter_tally(struct pair_context *context, struct channel_traffic *traffic,
			const struct pair_route *route)
{
	struct tally t = {.context = context, .traffic = traffic, .route = route};

	if (!is_possible(traffic))
		return false;
	list_events(&t);
	settle_clusters(&t);
	if (pair_is_last(context))
		tell_rest(&t);
	pair_side_trim(context, &traffic->sends, false);
	pair_side_trim(context, &traffic->receives, false);
	return true;
}
