// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Windows of calls, the places in them, and the ruler that the sends make. */
#include "pair_ruler.h"

#include <stdlib.h>

#define DEPTH_MAX 32

uint64_t ruler_unwrap(const struct placing *p, uint32_t counter)
{
	return p->base + (uint64_t)(int64_t)(int32_t)(counter - (uint32_t)p->base);
}

uint32_t ruler_counter(const struct placing *p, const struct viz_position *position, bool send)
{
	if (p->tcp)
		return send ? position->write_seq : position->copied_seq;
	return send ? position->head : position->tail;
}

static uint64_t written_to(const struct viz_position *position)
{
	return (uint64_t)position->head * SLOT_LEN + position->end;
}

static uint64_t read_to(const struct viz_position *position)
{
	if (position->head == position->tail)
		return written_to(position);
	return ((uint64_t)position->tail + 1) * SLOT_LEN + position->start;
}

static uint64_t place_at(const struct placing *p, const struct viz_position *position, bool send)
{
	if (p->linear)
		return ruler_unwrap(p, ruler_counter(p, position, send));
	return send ? written_to(position) : read_to(position);
}

static bool has_window(const struct flow_item *item)
{
	return item->placed || (item->op->at_entry.known && item->op->at_exit.known);
}

bool ruler_is_settled(const struct flow *flow, const struct flow_item *item)
{
	return !item->open && item->exit_ns < flow->until_ns;
}

bool ruler_is_possible(const struct flow *flow)
{
	const struct flow_side *sides[] = {&flow->sends, &flow->receives};

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sides[k]->count; i++)
			if (ruler_is_settled(flow, &sides[k]->items[i]) &&
			    !has_window(&sides[k]->items[i]))
				return false;
	return flow->sends.count > 0;
}

/* It was not full if not even all that went in meanwhile would fill it. */
static bool may_have_been_full(const struct placing *p, uint32_t tail, uint32_t head)
{
	return head - tail > p->route->channel->capacity / PAGE_LEN;
}

/*
 * A write of more than a page that finds the pipe full sleeps with a part of its bytes written, and
 * takes the lock anew: then its bytes do not all lie behind what it found there (fs/pipe.c).
 */
static bool begins_at_lock(const struct placing *p, const struct flow_item *item, bool send)
{
	const struct viz_operation *op = item->op;

	if (!op->at_lock.known)
		return false;
	return p->tcp || !send || pair_stream_bytes(op) <= PAGE_LEN ||
	       !may_have_been_full(p, op->at_entry.tail, op->at_exit.head);
}

/* A reader that moved on meanwhile may have shown an end before what the write itself put there. */
static void hold_own(const struct placing *p, struct flow_item *item)
{
	bool seen_so = item->hi >= item->lo || p->context->lost; /* else see pair_mend.c */

	if (!seen_so || item->hi >= item->lo + item->amount)
		return;
	item->hi = item->lo + item->amount;
	item->doubt = true;
}

/* The other packets of its call lie before and behind it. */
static void leave_room(struct flow_item *item)
{
	uint64_t packets = (pair_stream_bytes(item->op) + PAGE_LEN - 1) / PAGE_LEN;

	item->lo += item->message;
	item->hi -= packets - 1 - item->message;
}

/* An urgent byte that was left out, at the beginning: the bytes of the stream go on to the end. */
static bool skipped_urgent(const struct placing *p, const struct flow_item *item)
{
	size_t i = ruler_send_at(p, item->hi - 1);

	if (!p->flow->urgent)
		return false;
	return (i < p->sends && item->hi - 1 < p->flow->sends.items[i].to) ||
	       (item->op->at_exit.has_arrived &&
		item->op->at_exit.arrived != item->op->at_exit.copied_seq);
}

/* TCP's copied_seq counts the end of the connection too, where it was taken with the last data. */
static void narrow(const struct placing *p, struct flow_item *item)
{
	if (item->hi - item->lo == item->amount + 2 && p->flow->urgent)
		item->hi--;
	if (item->hi - item->lo != item->amount + 1)
		return;
	if (skipped_urgent(p, item)) {
		item->lo++;
		return;
	}
	item->doubt |= p->flow->urgent && p->context->lost;
	item->hi--;
}

/* What is at its end is no more of the stream; else the windows of both sides are of its bytes. */
void ruler_window(const struct placing *p, struct flow_item *item, bool send)
{
	const struct viz_operation *op = item->op;

	if (item->turn)
		return;
	item->lo = place_at(p, &op->at_entry, send);
	item->hi = place_at(p, &op->at_exit, send);
	if (begins_at_lock(p, item, send) && place_at(p, &op->at_lock, send) > item->lo)
		item->lo = place_at(p, &op->at_lock, send);
	if (send && !p->linear)
		hold_own(p, item);
	if (p->tcp && send)
		item->hi -= pair_stream_bytes(op) - item->local - item->amount;
	else if (p->tcp)
		narrow(p, item);
	if (p->flow->whole && send)
		leave_room(item);
}

static int compare_windows(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->op == y->op)
		return (x->local > y->local) - (x->local < y->local);
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

/* Takes the call with the most room in its window out; the others stand closer together then. */
static void leave_out_widest(struct placing *p, struct flow_item **items, size_t count)
{
	struct flow_item *item;
	size_t widest = 0;

	for (size_t i = 1; i < count; i++)
		if (items[i]->hi - items[i]->lo - items[i]->amount >
		    items[widest]->hi - items[widest]->lo - items[widest]->amount)
			widest = i;
	item = items[widest];
	items[widest] = items[count - 1];
	items[count - 1] = item;
	p->leave_out(p, item);
	qsort(items, count - 1, sizeof(*items), compare_windows);
}

/* How many from the first on have windows that overlap; *end: where the last of these ends. */
static size_t group_len(struct flow_item **items, size_t count, uint64_t *end)
{
	size_t i = 0;

	for (*end = 0; i < count && (i == 0 || items[i]->lo < *end); i++)
		*end = items[i]->hi > *end ? items[i]->hi : *end;
	return i;
}

bool ruler_place_together(const struct placing *p, struct flow_item **items, size_t count)
{
	struct place_check check = {p->agrees, p};

	if (count == 1)
		return place_alone(p, items[0]);
	if (p->agrees && place_cluster(p->context->round, p->scale, &check, items, count))
		return true;
	check.agrees = NULL; /* these are not the bytes that were sent: as if none were kept */
	return place_cluster(p->context->round, p->scale, &check, items, count);
}

/*
 * Where no order fits, one of them is missing, or pieces came between: with one call less the rest
 * falls apart into groups that are whole, and others.
 */
static void place_group(struct placing *p, struct flow_item **items, size_t count, unsigned depth)
{
	uint64_t end;
	size_t len;

	if (depth && ruler_place_together(p, items, count))
		return;
	if (count == 1 || depth == DEPTH_MAX) {
		for (size_t i = 0; i < count; i++)
			if (!place_alone(p, items[i]))
				p->leave_out(p, items[i]);
		return;
	}
	leave_out_widest(p, items, count--);
	for (; count; items += len, count -= len) {
		len = group_len(items, count, &end);
		place_group(p, items, len, depth + 1);
	}
}

static uint32_t later(uint32_t index, uint32_t than)
{
	return (int32_t)(index - than) > 0 ? index : than;
}

/*
 * A write of more than a page lets others in between whenever the pipe is full (fs/pipe.c,
 * pipe_write): then its bytes need not lie together.
 */
static bool may_be_torn(const struct placing *p, struct flow_item **items, size_t count)
{
	uint32_t tail = items[0]->op->at_entry.tail, head = items[0]->op->at_exit.head;
	bool large = false;

	if (p->scale != &place_pipe || count == 1)
		return false;
	for (size_t i = 0; i < count; i++) {
		large |= items[i]->amount > PAGE_LEN && !items[i]->held;
		head = later(items[i]->op->at_exit.head, head);
		tail = later(tail, items[i]->op->at_entry.tail) == tail
			       ? items[i]->op->at_entry.tail
			       : tail;
	}
	return large && may_have_been_full(p, tail, head);
}

/* Where the first send that is not settled may lie: behind it, nothing is certain. */
static uint64_t first_unsettled(const struct placing *p)
{
	uint64_t first = VIZ_NEVER;

	for (size_t i = 0; i < p->flow->sends.count; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];
		uint64_t at;

		if (ruler_is_settled(p->flow, item))
			continue;
		at = item->op->at_entry.known ? place_at(p, &item->op->at_entry, true) : 0;
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

		if (item->placed || !ruler_is_settled(p->flow, item))
			continue;
		ruler_window(p, item, true);
		ARENA_PUSH(p->context->round, list, *count, item);
	}
	slept_narrow(p, list, *count);
	return list;
}

/* Where the group behind begins; nowhere: it is the last one. */
static uint64_t begin_behind(struct flow_item **items, size_t count, size_t len, uint64_t limit)
{
	return len < count ? at_most(items[len]->lo, limit) : limit;
}

/* One whose window is too short may stand apart from the group that it belongs to, the next one. */
static bool mend(struct placing *p, struct flow_item **items, size_t count, size_t *len,
		 uint64_t limit)
{
	uint64_t end;
	size_t both;

	if (p->leave_out != leave_out)
		return false;
	if (ruler_mend(p, items, *len, begin_behind(items, count, *len, limit)))
		return true;
	if (*len == count)
		return false;
	both = *len + group_len(items + *len, count - *len, &end);
	if (end > limit || !ruler_mend(p, items, both, begin_behind(items, count, both, limit)))
		return false;
	*len = both;
	return true;
}

void ruler_place_groups(struct placing *p, struct flow_item **items, size_t count, uint64_t limit)
{
	uint64_t end;
	size_t len;

	if (count)
		qsort(items, count, sizeof(*items), compare_windows);
	for (; count; items += len, count -= len) {
		bool torn;

		len = group_len(items, count, &end);
		if (end > limit)
			return;
		torn = may_be_torn(p, items, len);
		if (!ruler_place_together(p, items, len) && !mend(p, items, count, &len, limit))
			place_group(p, items, len, 0);
		for (size_t i = 0; i < len; i++)
			items[i]->doubt |= torn;
	}
}

void ruler_place(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	size_t count;
	struct flow_item **list = list_new(p, &count);

	p->leave_out = leave_out;
	ruler_place_groups(p, list, count, first_unsettled(p));
	if (sends->count)
		qsort(sends->items, sends->count, sizeof(*sends->items), compare_places);
	for (p->sends = 0; p->sends < sends->count && sends->items[p->sends].placed;)
		p->sends++;
}
