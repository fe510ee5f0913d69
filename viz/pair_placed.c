// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flow joined by places. The sends are the ruler: each has its place, and byte by byte the next
 * one follows, or something is missing between. Each receive is laid on it by where it began and
 * ended.
 */
#include <stdlib.h>

#include "pair_turns.h"

/* A receive that ended after this may have taken of a send that has not its place yet. */
static uint64_t first_unplaced(const struct placing *p)
{
	uint64_t first_ns = VIZ_NEVER;

	for (size_t i = p->sends; i < p->flow->sends.count; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];

		if (!item->used && item->enter_ns < first_ns)
			first_ns = item->enter_ns;
	}
	return pair_is_last(p->context) ? VIZ_NEVER : first_ns;
}

/*
 * As far as receives are under way, nobody knows who took what. One that still sleeps has taken
 * nothing yet, and one that slept took it when it ran again.
 */
static uint64_t first_unsettled_receive(const struct placing *p)
{
	uint64_t first_ns = VIZ_NEVER, unplaced_ns = first_unplaced(p);

	for (size_t i = 0; i < p->flow->receives.count; i++) {
		const struct flow_item *item = &p->flow->receives.items[i];
		uint64_t begin_ns = item->op->resumed_ns ? item->op->resumed_ns : item->enter_ns;

		if ((!ruler_is_settled(p->flow, item) || unplaced_ns <= item->exit_ns) &&
		    begin_ns < first_ns)
			first_ns = begin_ns;
	}
	return first_ns;
}

static uint64_t next_if_empty(const struct placing *p, const struct viz_position *position,
			      uint64_t place)
{
	return !p->linear && position->head == position->tail ? ruler_next_slot_at(p, place) : 0;
}

/* From places to the ruler. */
static void lay_window(const struct placing *p, struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	uint64_t lo = op->at_lock.known ? 0 : next_if_empty(p, &op->at_entry, item->lo);
	uint64_t hi = next_if_empty(p, &op->at_exit, item->hi);

	item->place_lo = item->lo;
	item->place_hi = item->hi;
	item->lo = lo ? lo : ruler_at(p, item->lo);
	item->hi = at_most(ruler_end_at(p, item->hi), hi ? hi : VIZ_NEVER);
}

static void list_receives(struct placing *p)
{
	struct flow_side *side = &p->flow->receives;
	uint64_t until_ns = first_unsettled_receive(p);

	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];

		if (!ruler_is_settled(p->flow, item) || item->exit_ns >= until_ns)
			continue;
		ruler_window(p, item, false);
		lay_window(p, item);
		ARENA_PUSH(p->context->round, p->receives, p->receive_count, item);
	}
	if (p->receive_count)
		qsort(p->receives, p->receive_count, sizeof(*p->receives), ruler_compare_exits);
}

/* Only in a damaged trace: by its place it was received, by its time it had not been sent. */
static bool is_too_early(const struct flow_item *send, const struct flow_item *receive)
{
	return receive->exit_ns < send->enter_ns;
}

/* `at`: from where on, on the ruler; send NULL: nobody knows whose bytes these are. */
static void add_part(struct placing *p, const struct flow_item *send,
		     const struct flow_item *receive, uint64_t at, uint64_t len)
{
	struct flow_piece piece = {.send = send, .receive = receive, .start = at, .amount = len};
	bool doubt = !send || send->doubt || receive->doubt || is_too_early(send, receive) ||
		     flow_contradicts(p->flow, &piece);

	pair_add_part(p->context, p->route, &piece)->match = doubt ? MATCH_AMBIGUOUS : MATCH_EXACT;
}

static void tell_gap(struct placing *p, uint64_t units, uint64_t from_ns, uint64_t to_ns)
{
	struct viz_gap gap = {.mechanism = p->route->mechanism,
			      .channel = p->route->channel,
			      .units = units,
			      .bytes = !p->flow->whole,
			      .from_ns = from_ns,
			      .to_ns = to_ns};

	pair_add_gap(p->context, &gap);
}

/* What was sent before that place and taken by nobody that we know. */
static uint64_t skip_until(struct placing *p, uint64_t place)
{
	uint64_t skipped = 0;

	for (; p->skipped < p->sends; p->skipped++) {
		struct flow_item *item = &p->flow->sends.items[p->skipped];
		uint64_t before;

		if (item->start >= place)
			break;
		before = at_most(place - item->start, item->amount);
		if (before > item->used) {
			skipped += before - item->used;
			item->used = before;
		}
		if (item->used < item->amount)
			break;
	}
	return skipped;
}

/* What nobody here has sent that we know. */
static uint64_t add_unknown(struct placing *p, const struct flow_item *receive, uint64_t at,
			    uint64_t to)
{
	if (to > at)
		add_part(p, NULL, receive, at, to - at);
	return to - at;
}

/*
 * Lays a receive whose bytes are [begin, begin + amount) of the ruler, some of them missing: how
 * many, is returned.
 */
static uint64_t lay(struct placing *p, struct flow_item *receive, uint64_t begin, bool doubt)
{
	uint64_t laid = begin, end = begin + receive->amount, unknown = 0;

	receive->start = begin;
	receive->doubt |= doubt;
	for (size_t i = ruler_reaching(p, begin); i < p->sends && laid < end; i++) {
		struct flow_item *send = &p->flow->sends.items[i];
		uint64_t from = send->start > begin ? send->start : begin;
		uint64_t to = at_most(send->start + send->amount, end);

		if (from >= to)
			break;
		unknown += add_unknown(p, receive, laid, from);
		add_part(p, send, receive, from, to - from);
		if (to - send->start > send->used)
			send->used = to - send->start;
		laid = to;
	}
	unknown += add_unknown(p, receive, laid, end);
	receive->used = receive->amount;
	if (unknown && receive->exit_ns > p->flow->unknown_ns)
		p->flow->unknown_ns = receive->exit_ns;
	return unknown;
}

/* The send that a place is within, or at the end of; NULL: it lies where something is missing. */
static const struct flow_item *send_around(const struct placing *p, uint64_t place)
{
	size_t i = ruler_send_at(p, place);

	return i < p->sends && place <= p->flow->sends.items[i].to ? &p->flow->sends.items[i]
								   : NULL;
}

/* Behind what others have certainly taken from there on. */
static uint64_t behind_used(const struct placing *p, uint64_t begin)
{
	for (size_t i = ruler_reaching(p, begin); i < p->sends; i++) {
		const struct flow_item *send = &p->flow->sends.items[i];

		if (send->start > begin || send->start + send->used <= begin)
			break;
		begin = send->start + send->used;
	}
	return begin;
}

/* Something is missing within: its end tells where it lies, or its beginning. */
static void lay_holed(struct placing *p, struct flow_item *receive)
{
	const struct flow_item *last = send_around(p, receive->place_hi);
	uint64_t begin = 1; /* nowhere */
	uint64_t missing = receive->amount;

	if (last && receive->hi > last->start && receive->hi > receive->amount)
		begin = receive->hi - receive->amount; /* the missing is before it */
	else if (receive->lo && send_around(p, receive->place_lo))
		begin = behind_used(p, receive->lo);
	if (receive->hi > receive->lo && receive->hi - receive->lo < missing)
		missing -= receive->hi - receive->lo;
	tell_gap(p, missing, receive->enter_ns, receive->exit_ns);
	lay(p, receive, begin, true);
}

/* It is told with its gap when its turn comes. */
static void leave_open(struct placing *p, struct flow_item *receive)
{
	(void)p;
	receive->placed = false;
}

static uint64_t begin_of(const struct flow_item *receive)
{
	return receive->placed ? receive->from : receive->lo;
}

static int compare_begins(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (begin_of(x) != begin_of(y))
		return begin_of(x) < begin_of(y) ? -1 : 1;
	return (x->exit_ns > y->exit_ns) - (x->exit_ns < y->exit_ns);
}

/* What is skipped before it went to receives that are not here. */
static void skip_to(struct placing *p, const struct flow_item *receive)
{
	uint64_t skipped = skip_until(p, begin_of(receive));

	if (skipped)
		tell_gap(p, skipped, p->flow->placed_ns, receive->exit_ns);
}

/* Several readers in turn each took a part of what their windows have in common. */
static void lay_receives(struct placing *p)
{
	p->scale = &place_linear;
	p->leave_out = leave_open;
	p->agrees = p->tcp || p->flow->whole ? NULL : ruler_bytes_agree;
	slept_narrow(p, p->receives, p->receive_count);
	ruler_place_groups(p, p->receives, p->receive_count, VIZ_NEVER);
	if (p->receive_count)
		qsort(p->receives, p->receive_count, sizeof(*p->receives), compare_begins);
	for (size_t i = 0; i < p->receive_count; i++) {
		struct flow_item *receive = p->receives[i];
		uint64_t unknown;

		if (receive->placed) {
			skip_to(p, receive);
			unknown = lay(p, receive, receive->from, false);
			if (unknown)
				tell_gap(p, unknown, receive->enter_ns, receive->exit_ns);
		} else {
			lay_holed(p, receive);
		}
		p->flow->placed_ns = receive->exit_ns;
		receive->placed = false;
	}
}

/* Within a page, the rest of it comes first, and whole pages after that. */
static void advance_pages(struct flow_item *item, uint64_t used)
{
	uint64_t within = used % PAGE_LEN;

	item->from += used / PAGE_LEN * SLOT_LEN + within;
	if (within && item->amount - item->used > PAGE_LEN - within)
		item->split = PAGE_LEN - within;
}

/* What was taken in part begins later now. */
static void advance(const struct placing *p, struct flow_item *item)
{
	uint64_t used = item->used;

	if (!item->placed || used == 0 || used >= item->amount)
		return;
	if (item->split && used >= item->split) {
		item->from = (item->from / SLOT_LEN + 1) * SLOT_LEN;
		used -= item->split;
		item->split = 0;
	}
	if (item->split)
		item->split -= used;
	if (!p->linear && !item->split && item->from % SLOT_LEN == 0)
		advance_pages(item, used);
	else
		item->from += used;
}

/* Up to which place all sends are gone. */
static void note_gone(struct placing *p)
{
	for (size_t i = 0; i < p->sends; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];

		if (item->used < item->amount) {
			p->flow->gone_to = item->used ? item->from : p->flow->gone_to;
			return;
		}
		p->flow->gone_to = item->to;
	}
}

/* At the end, what is left was not received. */
static void tell_rest(struct placing *p)
{
	for (size_t i = 0; pair_is_last(p->context) && i < p->flow->sends.count; i++) {
		struct flow_item *item = &p->flow->sends.items[i];
		struct flow_piece piece = {.send = item, .amount = item->amount - item->used};
		bool doubt;

		if (item->open || item->used == item->amount)
			continue;
		item->start = 0;
		piece.start = item->used;
		doubt = !item->placed || item->doubt || p->context->lost ||
			item->enter_ns < p->flow->unknown_ns;
		pair_add_rest(p->context, p->route, &piece)->match = doubt ? MATCH_AMBIGUOUS
									   : MATCH_EXACT;
		item->used = item->amount;
	}
}

/* Of all rounds, so that places go on. */
static void find_base(struct placing *p)
{
	struct flow *flow = p->flow;

	p->base = flow->base;
	for (size_t i = 0; i < flow->sends.count; i++) {
		const struct viz_position *entry = &flow->sends.items[i].op->at_entry;

		if (!entry->known)
			continue;
		if (!p->base)
			p->base = HOLE + ruler_counter(p, entry, true);
		flow->base = ruler_unwrap(p, ruler_counter(p, entry, true));
	}
}

bool pair_flow_placed(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route)
{
	struct placing p = {.context = context, .flow = flow, .route = route};

	if (!ruler_is_possible(flow))
		return false;
	p.tcp = route->mechanism == MECH_TCP;
	p.linear = p.tcp || flow->whole;
	p.scale = p.linear ? &place_linear : &place_pipe;
	find_base(&p);
	flow->sent = true;
	turns_split(&p);
	ruler_place(&p);
	turns_join(&p);
	ruler_lay(&p);
	list_receives(&p);
	lay_receives(&p);
	tell_rest(&p);
	if (p.missing)
		tell_gap(&p, p.missing, p.missing_from_ns, flow->until_ns);
	for (size_t i = 0; i < flow->sends.count; i++)
		advance(&p, &flow->sends.items[i]);
	note_gone(&p);
	return true;
}
