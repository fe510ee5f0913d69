// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The windows of calls, and the places of sends within them. */
#include "viz/pair/position/tcp_runs.h"

#include "viz/base/sort.h"
#include "viz/pair/position/packet_places.h"
#include "viz/pair/position/spliced.h"

#define DEPTH_MAX 32

uint32_t place_counter(const struct placing *p, const struct viz_position *position, bool send)
{
	if (p->tcp)
		return send ? position->write_seq : position->copied_seq;
	return send ? position->head : position->tail;
}

static uint64_t read_to(const struct placing *p, const struct viz_position *position)
{
	if (position->head == position->tail)
		return place_written_to(p, position);
	return ((uint64_t)position->tail + 1) * SLOT_LEN + position->start;
}

uint64_t place_of_position(const struct placing *p, const struct viz_position *position, bool send)
{
	if (p->linear)
		return place_unwrap(p, place_counter(p, position, send));
	return send ? place_written_to(p, position) : read_to(p, position);
}

static bool has_window(const struct pair_context *context, const struct flow_item *item, bool send)
{
	return item->place.placed || item->place.given ||
	       (operation_pipe_entry(item->op, send)->known &&
		operation_pipe_exit(item->op, send)->known) ||
	       runs_are_known(context, item, send);
}

/*
 * True if receives can be laid although the trace has no send: all of their bytes are missing then.
 */
static bool may_lack_sends(const struct pair_context *context, const struct flow *flow,
			   const struct pair_route *route)
{
	return context->lost && !flow->whole && !flow->packets && route->mechanism != MECH_TCP;
}

bool windows_are_known(const struct pair_context *context, const struct flow *flow,
		       const struct pair_route *route)
{
	const struct flow_side *sides[] = {&flow->sends, &flow->receives};

	if (route->mechanism != MECH_TCP && context->model->header.page_len != PAGE_LEN)
		return false;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sides[k]->count; i++)
			if (flow_is_settled(flow, &sides[k]->items[i]) &&
			    !has_window(context, &sides[k]->items[i], k == 0))
				return false;
	return flow->sends.count > 0 || may_lack_sends(context, flow, route);
}

/*
 * False if the pipe was not full at any time: `tail` is from before, `head` from after, and not
 * even all slots filled between them exceed the capacity.
 */
static bool may_have_been_full(const struct placing *p, uint32_t tail, uint32_t head)
{
	return head - tail > p->route->channel->capacity / PAGE_LEN;
}

static uint32_t later(uint32_t index, uint32_t than)
{
	return (int32_t)(index - than) > 0 ? index : than;
}

static uint32_t earlier(uint32_t index, uint32_t than)
{
	return later(index, than) == index ? than : index;
}

/*
 * True if a write of this group may not lie in one piece: a write of more than a page lets others
 * in whenever the pipe is full (fs/pipe.c, pipe_write).
 */
static bool may_be_torn(const struct placing *p, struct flow_item **items, size_t count)
{
	uint32_t tail = operation_pipe_entry(items[0]->op, true)->tail;
	uint32_t head = operation_pipe_exit(items[0]->op, true)->head;
	bool large = false;

	if (p->scale != &place_pipe || count == 1)
		return false;
	for (size_t i = 0; i < count; i++) {
		large |= items[i]->amount > PAGE_LEN && !items[i]->place.held &&
			 !spliced_is(items[i]);
		head = later(operation_pipe_exit(items[i]->op, true)->head, head);
		tail = earlier(operation_pipe_entry(items[i]->op, true)->tail, tail);
	}
	return large && may_have_been_full(p, tail, head);
}

/*
 * True if all of the call's bytes lie behind the position at which it got the lock. A write of more
 * than a page that finds the pipe full sleeps with a part of its bytes written, and then takes the
 * lock anew: that part lies before at_lock (fs/pipe.c).
 */
static bool begins_at_lock(const struct placing *p, const struct flow_item *item, bool send)
{
	const struct viz_operation *op = item->op;

	if (!operation_pipe_lock(op, send)->known)
		return false;
	return p->tcp || !send || spliced_is(item) || operation_stream_bytes(op) <= PAGE_LEN ||
	       !may_have_been_full(p, op->at_entry.tail, op->at_exit.head);
}

/*
 * Extends a window that is shorter than what the write itself put there. A concurrent read may have
 * moved the end that was seen; so the result is ambiguous.
 */
static void hold_own(const struct placing *p, struct flow_item *item)
{
	struct window *window = &item->place.window;
	bool seen_so = window->hi >= window->lo || p->context->lost; /* else see window_repair.c */

	if (!seen_so || window->hi >= window->lo + item->amount)
		return;
	window->hi = window->lo + item->amount;
	item->ambiguous = true;
}

/* Excludes the places of the call's other packets, which lie before and behind this one. */
static void leave_room(struct flow_item *item)
{
	uint64_t packets = pipe_buffers_for(operation_stream_bytes(item->op));

	item->place.window.lo += item->message;
	item->place.window.hi -= packets - 1 - item->message;
}

/*
 * True if the extra byte in the window is an urgent byte at its beginning, which the stream leaves
 * out: then the stream's bytes go on to the end of the window.
 */
static bool skipped_urgent(const struct placing *p, const struct flow_item *item)
{
	size_t i = offsets_send_at(p, item->place.window.hi - 1);

	if (!p->flow->urgent)
		return false;
	return (i < p->sends && item->place.window.hi - 1 < p->flow->sends.items[i].place.to) ||
	       (item->op->at_exit.has_arrived &&
		item->op->at_exit.arrived != item->op->at_exit.copied_seq);
}

/*
 * Narrows a TCP receive's window to its bytes. copied_seq also counts the end of the connection, if
 * that was taken with the last data, and an urgent byte that was left out.
 */
static void narrow(const struct placing *p, struct flow_item *item)
{
	struct window *window = &item->place.window;

	if (window->hi - window->lo == item->amount + 2 && p->flow->urgent)
		window->hi--;
	if (window->hi - window->lo != item->amount + 1)
		return;
	if (skipped_urgent(p, item)) {
		window->lo++;
		return;
	}
	item->ambiguous |= p->flow->urgent && p->context->lost;
	window->hi--;
}

/* The trailing urgent byte of a TCP send is excluded from its window. */
void window_set(const struct placing *p, struct flow_item *item, bool send)
{
	const struct viz_operation *op = item->op;
	struct window *window = &item->place.window;

	if (item->place.given)
		return;
	window->lo = place_of_position(p, operation_pipe_entry(op, send), send);
	window->hi = place_of_position(p, operation_pipe_exit(op, send), send);
	if (begins_at_lock(p, item, send))
		window->lo = at_least(place_of_position(p, operation_pipe_lock(op, send), send),
				      window->lo);
	if (send && !p->linear && !p->flow->packets)
		hold_own(p, item);
	if (p->tcp && send)
		window->hi -= operation_stream_bytes(op) - item->local - item->amount;
	else if (p->tcp)
		narrow(p, item);
	if (p->flow->whole && send)
		leave_room(item);
}

static int compare_windows(const struct window *a, const struct flow_item *x,
			   const struct window *b, const struct flow_item *y)
{
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (x->op == y->op)
		return (x->local > y->local) - (x->local < y->local);
	return (x->enter_ns > y->enter_ns) - (x->enter_ns < y->enter_ns);
}

static int compare_in_places(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return compare_windows(&x->place.window, x, &y->place.window, y);
}

static int compare_in_offsets(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return compare_windows(&x->place.offsets, x, &y->place.offsets, y);
}

static void sort_windows(const struct placing *p, struct flow_item **items, size_t count)
{
	sort_nearly(items, count, sizeof(*items),
		    p->coordinates == PLACES ? compare_in_places : compare_in_offsets);
}

static uint64_t spare_room(const struct placing *p, const struct flow_item *item)
{
	const struct window *window = placing_window(p, item);

	return window->hi - window->lo - item->amount;
}

/* The sends' leave_out: its bytes lie somewhere in its window, and count as missing. */
static void leave_out(struct placing *p, struct flow_item *item)
{
	p->missing += item->amount;
	if (!p->missing_from_ns || item->enter_ns < p->missing_from_ns)
		p->missing_from_ns = item->enter_ns;
	item->join.used = item->amount;
}

/*
 * Leaves out the call whose window has the most spare room, so that the others stand closer
 * together. It is the last of `items` then, the others are sorted.
 */
static void leave_out_widest(struct placing *p, struct flow_item **items, size_t count)
{
	struct flow_item *item;
	size_t widest = 0;

	for (size_t i = 1; i < count; i++)
		if (spare_room(p, items[i]) > spare_room(p, items[widest]))
			widest = i;
	item = items[widest];
	items[widest] = items[count - 1];
	items[count - 1] = item;
	p->leave_out(p, item);
	sort_windows(p, items, count - 1);
}

/*
 * The number of items, from the first on, whose windows overlap; *end is the highest end of these.
 */
static size_t group_len(const struct placing *p, struct flow_item **items, size_t count,
			uint64_t *end)
{
	size_t i = 0;

	for (*end = 0; i < count && (i == 0 || placing_window(p, items[i])->lo < *end); i++)
		*end = at_least(placing_window(p, items[i])->hi, *end);
	return i;
}

/*
 * Places a group for which no order fits: a call is missing in the trace, or one has its bytes in
 * several pieces. With one call less, the rest falls apart into smaller groups, and some of these
 * fit.
 */
static void place_group(struct placing *p, struct flow_item **items, size_t count, unsigned depth)
{
	uint64_t end;
	size_t len;

	if (depth && place_together(p, items, count))
		return;
	if (count == 1 || depth == DEPTH_MAX) {
		for (size_t i = 0; i < count; i++)
			if (!place_alone(p, items[i]))
				p->leave_out(p, items[i]);
		return;
	}
	leave_out_widest(p, items, count--);
	for (; count; items += len, count -= len) {
		len = group_len(p, items, count, &end);
		place_group(p, items, len, depth + 1);
	}
}

uint64_t windows_first_unsettled(const struct placing *p)
{
	uint64_t first = VIZ_NEVER;

	for (size_t i = 0; i < p->flow->sends.count; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];
		const struct viz_position *entry;
		uint64_t at;

		if (flow_is_settled(p->flow, item) || (item->open && pair_is_last(p->context)))
			continue; /* pending_sends.c places these behind all others */
		entry = operation_pipe_entry(item->op, true);
		at = entry->known ? place_of_position(p, entry, true) : 0;
		first = at < first ? at : first;
	}
	return first;
}

static int compare_places(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	if (x->place.placed != y->place.placed)
		return x->place.placed ? -1 : 1;
	if (!x->place.placed)
		return 0;
	if (x->place.from == y->place.from)
		return (x->enter_ns > y->enter_ns) - (x->enter_ns < y->enter_ns);
	return x->place.from > y->place.from ? 1 : -1;
}

void windows_sort_sends(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;

	sort_nearly(sends->items, sends->count, sizeof(*sends->items), compare_places);
	for (p->sends = 0; p->sends < sends->count && sends->items[p->sends].place.placed;)
		p->sends++;
}

static struct flow_item **list_new(struct placing *p, size_t *count)
{
	struct flow_item **list = NULL;

	*count = 0;
	for (size_t i = 0; i < p->flow->sends.count; i++) {
		struct flow_item *item = &p->flow->sends.items[i];

		if (item->place.placed || !flow_is_settled(p->flow, item))
			continue;
		window_set(p, item, true);
		ARENA_PUSH(p->context->round, list, *count, item);
	}
	window_sleep_narrow(p, list, *count);
	return list;
}

/* The place where the next group begins; `limit` if there is none. */
static uint64_t begin_behind(const struct placing *p, struct flow_item **items, size_t count,
			     size_t len, uint64_t limit)
{
	return len < count ? at_most(placing_window(p, items[len])->lo, limit) : limit;
}

/*
 * Repairs the window of one item, either in the first group (*len items) or, as a window that is
 * too short may stand apart from its group, in the first two together; *len grows then.
 */
static bool repair(struct placing *p, struct flow_item **items, size_t count, size_t *len,
		   uint64_t limit)
{
	uint64_t end;
	size_t both;

	if (p->leave_out != leave_out)
		return false;
	if (window_repair_group(p, items, *len, begin_behind(p, items, count, *len, limit)))
		return true;
	if (*len == count)
		return false;
	both = *len + group_len(p, items + *len, count - *len, &end);
	if (end > limit ||
	    !window_repair_group(p, items, both, begin_behind(p, items, count, both, limit)))
		return false;
	*len = both;
	return true;
}

void windows_place_groups(struct placing *p, struct flow_item **items, size_t count, uint64_t limit)
{
	uint64_t end;
	size_t len;

	sort_windows(p, items, count);
	for (; count; items += len, count -= len) {
		bool torn;

		len = group_len(p, items, count, &end);
		if (end > limit)
			return;
		torn = may_be_torn(p, items, len) || packets_may_merge(p, items, len) ||
		       runs_may_be_torn(p, items, len);
		if (!place_together(p, items, len) && !repair(p, items, count, &len, limit))
			place_group(p, items, len, 0);
		for (size_t i = 0; i < len; i++)
			items[i]->ambiguous |= torn && !(p->tcp && items[i]->place.part);
	}
}

void windows_place_sends(struct placing *p)
{
	size_t count;
	struct flow_item **list = list_new(p, &count);

	p->leave_out = leave_out;
	windows_place_groups(p, list, count, windows_first_unsettled(p));
	windows_sort_sends(p);
}
