// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends that are still unfinished when the trace ends, possibly asleep for ever because nothing is
 * read any more. The kernel does not report how many bytes they have put in, but bytes that were
 * received and lie where no other send does are theirs: between the places of the other sends, from
 * where they found the stream on. A write of more than a page fills whole buffers of a pipe, except
 * for the bytes beyond whole pages, which come first where the last buffer has room for them
 * (fs/pipe.c, pipe_write).
 */
#include "viz/pair/position/placing.h"

#include <stdlib.h>

struct pending {
	struct flow_item item;
	uint64_t lo;	/* the place where it found the stream */
	uint64_t given; /* how many of its bytes have a place */
};

struct pendings {
	struct placing *p;
	struct pending *list;
	size_t count;
	uint64_t reach; /* the highest place up to which something was received */
	bool ambiguous; /* missing sends may have left the same gaps */
};

static bool is_plain_write(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->syscall.len > 0 &&
	       (op->syscall.data[0] == 'w' || op->syscall.data[0] == 'p');
}

/*
 * False if an unfinished send is of a kind that begins buffers of any length (a transfer or
 * vmsplice), because the bytes between two places cannot be counted then.
 */
bool pending_is_possible(const struct pair_context *context, const struct flow *flow,
			 const struct pair_route *route)
{
	for (size_t i = 0; pair_is_last(context) && i < flow->sends.count; i++) {
		const struct flow_item *item = &flow->sends.items[i];

		if (item->open && (!item->op->at_entry.known || flow->whole))
			return false;
		if (item->open && route->mechanism != MECH_TCP && !is_plain_write(item->op))
			return false;
	}
	return true;
}

static uint64_t limit_of(const struct pending *pending)
{
	return operation_most_bytes(pending->item.op);
}

static int compare_pendings(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return (x->item.enter_ns > y->item.enter_ns) - (x->item.enter_ns < y->item.enter_ns);
}

static void list_pendings(struct pendings *all)
{
	struct placing *p = all->p;
	const struct flow_side *sends = &p->flow->sends;
	size_t settled = 0;

	for (size_t i = 0; i < sends->count; i++) {
		struct pending pending = {.item = sends->items[i]};

		settled += !sends->items[i].open;
		if (!sends->items[i].open)
			continue;
		pending.lo = place_of_position(p, &pending.item.op->at_entry, true);
		ARENA_PUSH(p->context->round, all->list, all->count, pending);
	}
	all->ambiguous = p->sends < settled || p->missing || p->flow->ambiguous || p->context->lost;
	if (all->count)
		qsort(all->list, all->count, sizeof(*all->list), compare_pendings);
}

static void find_reach(struct pendings *all)
{
	const struct flow_side *receives = &all->p->flow->receives;

	for (size_t i = 0; i < receives->count; i++) {
		const struct flow_item *item = &receives->items[i];
		const struct viz_position *exit = &item->op->at_exit;

		if (all->p->tcp && item->place.given) /* tcp_runs.c has set its window */
			all->reach = at_least(all->reach, item->place.window.hi);
		else if (exit->known)
			all->reach = at_least(all->reach, place_of_position(all->p, exit, false));
	}
}

/*
 * The first pending send that can have written at a place, NULL if there is none; *sure is set if
 * no other one can have.
 */
static struct pending *writer_at(struct pendings *all, uint64_t place, bool *sure)
{
	struct pending *found = NULL;
	size_t possible = 0;

	for (size_t i = 0; i < all->count && all->list[i].lo <= place; i++) {
		possible += all->list[i].given < limit_of(&all->list[i]);
		if (!found && all->list[i].given < limit_of(&all->list[i]))
			found = &all->list[i];
	}
	*sure = possible == 1;
	return found;
}

/* Adds the next bytes of a pending send as a send with that place. */
static void add_piece(struct pendings *all, struct pending *pending, struct range place,
		      uint64_t bytes, bool sure)
{
	struct flow_item item = pending->item;

	item.open = false;
	item.place.placed = true;
	item.place.from = place.from;
	item.place.to = place.to;
	item.local = pending->given;
	item.bytes = item.amount = at_most(bytes, limit_of(pending) - pending->given);
	item.ambiguous = all->ambiguous || !sure;
	pending->given += item.amount;
	pair_side_add(&all->p->flow->sends, &item);
}

static void fill_bytes(struct pendings *all, struct range gap)
{
	bool sure;
	struct pending *pending = writer_at(all, gap.from, &sure);

	if (pending && gap.from < gap.to)
		add_piece(all, pending, gap, gap.to - gap.from, sure);
}

/* True if the bytes beyond whole pages fit into the last buffer that the write found. */
static bool has_room(const struct pending *pending, const struct range *gap, uint64_t part)
{
	const struct viz_position *entry = &pending->item.op->at_entry;

	return !pending->given && part && entry->head != entry->tail && gap->from == pending->lo &&
	       gap->from % SLOT_LEN + part <= PAGE_LEN;
}

/*
 * Fills the buffers from the one behind gap.from up to gap.to. If gap.to is the beginning of a
 * buffer, nothing in that buffer belongs to the gap.
 */
static void fill_slots(struct pendings *all, struct range gap)
{
	bool sure;
	struct pending *pending = writer_at(all, gap.from, &sure);
	uint64_t slot = gap.from / SLOT_LEN + 1, last = gap.to / SLOT_LEN, part, bytes;

	if (!pending)
		return;
	part = limit_of(pending) % PAGE_LEN;
	if (has_room(pending, &gap, part))
		add_piece(all, pending, (struct range){gap.from, gap.from + part}, part, sure);
	if (last < slot)
		return;
	bytes = (last - slot) * PAGE_LEN + at_most(gap.to % SLOT_LEN, PAGE_LEN);
	if (bytes)
		add_piece(all, pending, (struct range){slot * SLOT_LEN, gap.to}, bytes, sure);
}

/* The end of the part of a gap in which the same pending sends can have written. */
static uint64_t end_of_same(const struct pendings *all, struct range gap)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].lo > gap.from && all->list[i].lo < gap.to)
			return all->list[i].lo;
	return gap.to;
}

static void fill_gap(struct pendings *all, struct range gap)
{
	while (gap.from < gap.to) {
		struct range same = {gap.from, end_of_same(all, gap)};

		if (all->p->linear)
			fill_bytes(all, same);
		else
			fill_slots(all, same);
		gap.from = same.to;
	}
}

/* Fills the gaps before, between and behind the sends that have their places. */
static void fill_gaps(struct pendings *all)
{
	struct placing *p = all->p;
	size_t placed = p->sends;
	uint64_t at = all->list[0].lo;

	for (size_t i = 0; i <= placed; i++) {
		struct range gap = {at, all->reach};

		if (i < placed) {
			gap.to = at_most(p->flow->sends.items[i].place.from, all->reach);
			at = at_least(at, p->flow->sends.items[i].place.to);
		}
		fill_gap(all, gap);
	}
}

void pending_place(struct placing *p)
{
	struct pendings all = {.p = p};

	if (!pair_is_last(p->context) || p->flow->whole)
		return;
	list_pendings(&all);
	if (!all.count)
		return;
	find_reach(&all);
	fill_gaps(&all);
	windows_sort_sends(p);
}
