// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flow joined by places. The sends are the ruler: each has its place, and byte by byte the next
 * one follows, or something is missing between. Each receive is laid on it by where it began and
 * ended.
 */
#include <stdlib.h>

#include "pair_place.h"

#define PAGE_LEN 4096
#define SLOT_LEN 8192
#define HOLE ((uint64_t)1 << 40) /* on the ruler, where nobody knows how much is missing */

struct placing {
	struct pair_context *context;
	struct flow *flow;
	const struct pair_route *route;
	const struct place_scale *scale;
	bool tcp;
	uint64_t base;		     /* tcp: a place near all of them */
	size_t sends;		     /* how many of them, from the first on, have their places */
	size_t skipped;		     /* so many of them are used up */
	struct flow_item **receives; /* settled, by place */
	size_t receive_count;
	uint64_t missing, missing_from_ns;
};

/* --- windows ----------------------------------------------------------------------------------- */

/* The places of a connection go on beyond 2^32. */
static uint64_t unwrap(const struct placing *p, uint32_t sequence)
{
	return p->base + (uint64_t)(int64_t)(int32_t)(sequence - (uint32_t)p->base);
}

static uint64_t written_to(const struct placing *p, const struct viz_position *position)
{
	if (p->tcp)
		return unwrap(p, position->write_seq);
	return (uint64_t)position->head * SLOT_LEN + position->end;
}

static uint64_t read_to(const struct placing *p, const struct viz_position *position)
{
	if (p->tcp)
		return unwrap(p, position->copied_seq);
	if (position->head == position->tail)
		return written_to(p, position);
	return ((uint64_t)position->tail + 1) * SLOT_LEN + position->start;
}

static uint64_t place_at(const struct placing *p, const struct viz_position *position, bool send)
{
	return send ? written_to(p, position) : read_to(p, position);
}

static bool has_window(const struct flow_item *item)
{
	return item->placed || (item->op->at_entry.known && item->op->at_exit.known);
}

static bool is_settled(const struct flow *flow, const struct flow_item *item)
{
	return !item->open && item->exit_ns < flow->until_ns;
}

static bool all_have_windows(const struct flow *flow)
{
	const struct flow_side *sides[] = {&flow->sends, &flow->receives};

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sides[k]->count; i++)
			if (is_settled(flow, &sides[k]->items[i]) &&
			    !has_window(&sides[k]->items[i]))
				return false;
	return flow->sends.count > 0;
}

/* TCP's copied_seq counts the end of the connection too, where it was taken with the last data. */
static void set_window(const struct placing *p, struct flow_item *item, bool send)
{
	const struct viz_operation *op = item->op;

	item->lo = place_at(p, &op->at_entry, send);
	item->hi = place_at(p, &op->at_exit, send);
	if (op->at_lock.known && place_at(p, &op->at_lock, send) > item->lo)
		item->lo = place_at(p, &op->at_lock, send);
	if (p->tcp && !send && item->hi - item->lo == item->amount + 1)
		item->hi--;
}

/* --- the ruler --------------------------------------------------------------------------------- */

static int compare_windows(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	return (x->enter_ns > y->enter_ns) - (x->enter_ns < y->enter_ns);
}

/* One alone lies at the one or other place that its window allows; then what it says is certain. */
static bool place_alone(const struct placing *p, struct flow_item *item)
{
	struct place_option options[PLACE_OPTIONS];
	size_t count = p->scale->options(item->lo, item, options);

	for (size_t i = 0; i < count; i++) {
		if (options[i].after != item->hi)
			continue;
		item->from = options[i].from;
		item->to = options[i].after;
		item->split = options[i].split;
		item->placed = true;
		return true;
	}
	return false;
}

/* Its place is somewhere in its window: what lies there is not known. */
static void leave_out(struct placing *p, struct flow_item *item)
{
	p->missing += item->amount;
	if (!p->missing_from_ns || item->enter_ns < p->missing_from_ns)
		p->missing_from_ns = item->enter_ns;
	item->used = item->amount;
}

static void place_group(struct placing *p, struct flow_item **items, size_t count)
{
	if (count == 1 ? place_alone(p, items[0])
		       : place_cluster(p->context->round, p->scale, items, count))
		return;
	for (size_t i = 0; i < count; i++)
		leave_out(p, items[i]);
}

/* Where the first send that is not settled may lie: behind it, nothing is certain. */
static uint64_t first_unsettled(const struct placing *p)
{
	uint64_t first = VIZ_NEVER;

	for (size_t i = 0; i < p->flow->sends.count; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];
		uint64_t at;

		if (is_settled(p->flow, item))
			continue;
		at = item->op->at_entry.known ? written_to(p, &item->op->at_entry) : 0;
		first = at < first ? at : first;
	}
	return first;
}

static int compare_places(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	if (x->placed != y->placed)
		return x->placed ? -1 : 1;
	if (!x->placed)
		return 0;
	return (x->from > y->from) - (x->from < y->from);
}

static struct flow_item **list_new(struct placing *p, size_t *count)
{
	struct flow_item **list = NULL;

	*count = 0;
	for (size_t i = 0; i < p->flow->sends.count; i++) {
		struct flow_item *item = &p->flow->sends.items[i];

		if (item->placed || !is_settled(p->flow, item))
			continue;
		set_window(p, item, true);
		ARENA_PUSH(p->context->round, list, *count, item);
	}
	if (*count)
		qsort(list, *count, sizeof(*list), compare_windows);
	return list;
}

/* Groups whose windows overlap, as far as they are whole. */
static void place_sends(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	uint64_t limit = first_unsettled(p), end = 0;
	size_t count, begin = 0;
	struct flow_item **list = list_new(p, &count);

	for (size_t i = 0; i <= count; i++) {
		if (i == count || (i > begin && list[i]->lo >= end)) {
			if (i == begin || end > limit)
				break;
			place_group(p, list + begin, i - begin);
			begin = i;
		}
		if (i < count)
			end = list[i]->hi > end ? list[i]->hi : end;
	}
	if (sends->count)
		qsort(sends->items, sends->count, sizeof(*sends->items), compare_places);
	for (p->sends = 0; p->sends < sends->count && sends->items[p->sends].placed;)
		p->sends++;
}

/* Nothing can lie between a place and an item. */
static bool follows(const struct placing *p, const struct flow_item *item, uint64_t place)
{
	if (item->from == place)
		return true;
	return !p->tcp && item->from % SLOT_LEN == 0 &&
	       item->from / SLOT_LEN == place / SLOT_LEN + 1;
}

static void lay_ruler(struct placing *p)
{
	struct flow_item *items = p->flow->sends.items;

	for (size_t i = 0; i < p->sends; i++) {
		if (i == 0)
			items[i].start = HOLE;
		else
			items[i].start = items[i - 1].start + items[i - 1].amount;
		if (i > 0 && !follows(p, &items[i], items[i - 1].to))
			items[i].start += HOLE;
		if (i > 0 && items[i].from < items[i - 1].to && !(items[i].from == items[i - 1].to))
			items[i].doubt = items[i - 1].doubt = true; /* both cannot be */
	}
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

/* How many of its bytes lie before a place. */
static uint64_t bytes_before(const struct placing *p, const struct flow_item *item, uint64_t place)
{
	uint64_t slot = item->from / SLOT_LEN, offset = item->from % SLOT_LEN;
	uint64_t first = item->split ? item->split : item->amount;

	if (place <= item->from)
		return 0;
	if (p->tcp)
		return at_most(place - item->from, item->amount);
	if (place / SLOT_LEN == slot)
		return at_most(place % SLOT_LEN - offset,
			       offset ? first : at_most(PAGE_LEN, item->amount));
	if (offset || item->split)
		return first + at_most((place / SLOT_LEN - slot - 1) * PAGE_LEN +
					       at_most(place % SLOT_LEN, PAGE_LEN),
				       item->amount - first);
	return at_most((place / SLOT_LEN - slot) * PAGE_LEN + at_most(place % SLOT_LEN, PAGE_LEN),
		       item->amount);
}

/* The last send that begins at or before a place; p->sends: none does. */
static size_t send_at(const struct placing *p, uint64_t place)
{
	size_t low = 0, high = p->sends;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->flow->sends.items[middle].from <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : p->sends;
}

/*
 * Before the ruler lies what others have taken already, as far as it is known to the last byte: who
 * began there took nothing of it.
 */
static bool begins_here(const struct placing *p, uint64_t place)
{
	const struct flow_item *first = p->flow->sends.items;
	uint64_t gone = p->flow->gone_to;

	return p->sends && place <= first->from &&
	       (follows(p, first, place) || (gone && place <= gone && follows(p, first, gone)));
}

/* Where a place is on the ruler; 0: before all of it. */
static uint64_t on_ruler(const struct placing *p, uint64_t place)
{
	size_t i = send_at(p, place);
	const struct flow_item *item = &p->flow->sends.items[i];

	if (i == p->sends)
		return begins_here(p, place) ? p->flow->sends.items[0].start : 0;
	return item->start + bytes_before(p, item, place);
}

/* --- receives ---------------------------------------------------------------------------------- */

static int compare_exits(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return (x->exit_ns > y->exit_ns) - (x->exit_ns < y->exit_ns);
}

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

		if ((!is_settled(p->flow, item) || unplaced_ns <= item->exit_ns) &&
		    begin_ns < first_ns)
			first_ns = begin_ns;
	}
	return first_ns;
}

static void list_receives(struct placing *p)
{
	struct flow_side *side = &p->flow->receives;
	uint64_t until_ns = first_unsettled_receive(p);

	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];

		if (!is_settled(p->flow, item) || item->exit_ns >= until_ns)
			continue;
		set_window(p, item, false);
		item->from = on_ruler(p, item->lo);
		item->to = on_ruler(p, item->hi);
		ARENA_PUSH(p->context->round, p->receives, p->receive_count, item);
	}
	if (p->receive_count)
		qsort(p->receives, p->receive_count, sizeof(*p->receives), compare_exits);
}

static void add_part(struct placing *p, const struct flow_item *send, uint64_t sent_at,
		     const struct flow_item *receive, uint64_t received_at, uint64_t len,
		     bool doubt)
{
	struct flow_piece piece = {.send = send, .receive = receive, .amount = len};
	struct flow_item from, to = *receive;

	to.start = 0;
	piece.start = received_at;
	piece.receive = &to;
	if (send) {
		from = *send;
		from.start = received_at - sent_at; /* modulo 2^64 */
		piece.send = &from;
	}
	doubt |= !send || flow_contradicts(p->flow, &piece);
	pair_add_part(p->context, p->route, &piece)->match = doubt ? MATCH_AMBIGUOUS : MATCH_EXACT;
}

static void tell_gap(struct placing *p, uint64_t units, uint64_t from_ns, uint64_t to_ns)
{
	struct viz_gap gap = {.mechanism = p->route->mechanism,
			      .channel = p->route->channel,
			      .units = units,
			      .bytes = true,
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

/* The first send that reaches beyond a place on the ruler. */
static size_t reaching(const struct placing *p, uint64_t place)
{
	size_t low = 0, high = p->sends;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct flow_item *item = &p->flow->sends.items[middle];

		if (item->start + item->amount <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Lays a receive whose bytes are [begin, begin + amount) of the ruler, some of them missing. */
static void lay(struct placing *p, struct flow_item *receive, uint64_t begin, bool doubt)
{
	uint64_t laid = 0, at = 0, end = begin + receive->amount;

	for (size_t i = reaching(p, begin); i < p->sends && laid < receive->amount; i++) {
		struct flow_item *send = &p->flow->sends.items[i];
		uint64_t from, to;

		if (send->start >= end)
			break;
		from = send->start > begin ? send->start : begin;
		to = send->start + send->amount < end ? send->start + send->amount : end;
		if (from >= to)
			continue;
		at = from - begin;
		if (at > laid)
			add_part(p, NULL, 0, receive, laid, at - laid, true);
		add_part(p, send, from - send->start, receive, at, to - from,
			 doubt || send->doubt || receive->doubt);
		if (to - send->start > send->used)
			send->used = to - send->start;
		laid = at + (to - from);
	}
	if (laid < receive->amount)
		add_part(p, NULL, 0, receive, laid, receive->amount - laid, true);
	receive->used = receive->amount;
}

/* Both ends on the ruler with nothing missing between: the rule. */
static bool fits(const struct flow_item *receive)
{
	return receive->from && receive->to - receive->from == receive->amount;
}

/* Something is missing within: its end tells where it lies, or its beginning. */
static void lay_holed(struct placing *p, struct flow_item *receive)
{
	size_t i = send_at(p, receive->hi);
	const struct flow_item *last = &p->flow->sends.items[i];
	uint64_t begin = receive->from ? receive->from : HOLE - receive->amount;
	uint64_t missing = receive->amount;

	if (i < p->sends && receive->to > last->start && receive->to > receive->amount)
		begin = receive->to - receive->amount; /* the missing is before it */
	if (receive->to > receive->from && receive->to - receive->from < missing)
		missing -= receive->to - receive->from;
	tell_gap(p, missing, receive->enter_ns, receive->exit_ns);
	lay(p, receive, begin, true);
}

/* Several readers in turn: each took a part of what their windows have in common. */
static void lay_group(struct placing *p, struct flow_item **items, size_t count)
{
	uint64_t begin = VIZ_NEVER;
	bool placed;

	for (size_t i = 0; i < count; i++) {
		items[i]->lo = items[i]->from;
		items[i]->hi = items[i]->to;
		items[i]->placed = false;
		begin = items[i]->from < begin ? items[i]->from : begin;
	}
	placed = begin && place_cluster(p->context->round, &place_linear, items, count);
	if (!placed)
		qsort(items, count, sizeof(*items), compare_exits);
	for (size_t i = 0; i < count; i++) {
		if (!placed)
			lay(p, items[i], begin, true);
		else
			lay(p, items[i], items[i]->from, items[i]->doubt);
		begin += items[i]->amount;
		items[i]->placed = false;
	}
}

static void lay_one(struct placing *p, struct flow_item *receive)
{
	if (fits(receive))
		lay(p, receive, receive->from, false);
	else
		lay_holed(p, receive);
}

static int compare_rulers(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->exit_ns > y->exit_ns) - (x->exit_ns < y->exit_ns);
}

/* What is skipped before a group went to receives that are not here. */
static void skip_to(struct placing *p, const struct flow_item *receive)
{
	uint64_t skipped = receive->from ? skip_until(p, receive->from) : 0;

	if (skipped)
		tell_gap(p, skipped, p->flow->placed_ns, receive->exit_ns);
}

static void lay_receives(struct placing *p)
{
	uint64_t end = 0;
	size_t begin = 0;

	if (p->receive_count)
		qsort(p->receives, p->receive_count, sizeof(*p->receives), compare_rulers);
	for (size_t i = 0; i <= p->receive_count; i++) {
		if (i > begin && (i == p->receive_count || p->receives[i]->from >= end)) {
			skip_to(p, p->receives[begin]);
			p->flow->placed_ns = p->receives[i - 1]->exit_ns;
			if (i - begin == 1)
				lay_one(p, p->receives[begin]);
			else
				lay_group(p, p->receives + begin, i - begin);
			begin = i;
		}
		if (i < p->receive_count && p->receives[i]->to > end)
			end = p->receives[i]->to;
	}
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
	if (!p->tcp && !item->split && item->from % SLOT_LEN == 0)
		item->from += used / PAGE_LEN * SLOT_LEN + used % PAGE_LEN;
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

		if (item->open || item->used == item->amount)
			continue;
		item->start = 0;
		piece.start = item->used;
		pair_add_rest(p->context, p->route, &piece)->match = item->placed && !item->doubt
									     ? MATCH_EXACT
									     : MATCH_AMBIGUOUS;
		item->used = item->amount;
	}
}

bool pair_flow_placed(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route)
{
	struct placing p = {.context = context, .flow = flow, .route = route};

	if (!all_have_windows(flow))
		return false;
	p.tcp = route->mechanism == MECH_TCP;
	p.scale = p.tcp ? &place_linear : &place_pipe;
	if (!flow->base)
		flow->base = HOLE + flow->sends.items[0].op->at_entry.write_seq;
	p.base = flow->base;
	for (size_t i = 0; i < flow->sends.count; i++)
		if (flow->sends.items[i].op->at_entry.known && p.tcp)
			flow->base = unwrap(&p, flow->sends.items[i].op->at_entry.write_seq);
	flow->sent = true;
	place_sends(&p);
	lay_ruler(&p);
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
