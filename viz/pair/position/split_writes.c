// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Splits large writes that slept while their pipe was full, since other writes went in between
 * their segments. If the segments span exactly as many buffers as the write filled, all of these
 * are its own, so each segment becomes a send with a place of its own (fs/pipe.c, pipe_write).
 */
#include "viz/pair/position/write_segments.h"

/*
 * room_taken() is the most buffers that can have been in the pipe before the write got the lock,
 * and room() how many fit. If the pipe may have been full, the write itself may have filled it and
 * then have waited for nothing but the lock: its first bytes lie before at_lock then, in a segment
 * that the trace does not report.
 */
static uint32_t room_taken(const struct viz_operation *op)
{
	return op->extra->at_lock.head - op->at_entry.tail;
}

static uint64_t room(const struct placing *p)
{
	return p->route->channel->capacity / PAGE_LEN;
}

/*
 * Where the last buffer ended that the write found at its first segment; 0 if others may have added
 * to it, or have written it behind this write's odd bytes, which had filled the pipe.
 */
static uint64_t first_end(const struct placing *p, const struct viz_operation *op)
{
	uint32_t from = (uint32_t)op->extra->turns[0];

	if (op->at_entry.head == from && (!op->extra->at_lock.known || room_taken(op) >= room(p)))
		return op->at_entry.end;
	if (op->extra->at_lock.known && op->extra->at_lock.head == from &&
	    room_taken(op) <= room(p))
		return op->extra->at_lock.end;
	return op->at_entry.head == from ? op->at_entry.end : 0;
}

/*
 * How a write's bytes lie: `part` of them were merged into the last buffer, the rest is in `slots`
 * new ones.
 */
struct layout {
	uint64_t part, slots;
	bool sure; /* no other write's buffer can be among them */
};

/*
 * Derives the layout; false if the buffers do not add up to what was written. The bytes beyond
 * whole pages may have been merged into the last buffer. If not, they fill one buffer more; if
 * there had been room for them, that one could be another write's instead.
 */
static bool find_layout(const struct flow_item *item, const struct segments *segments,
			struct layout *layout)
{
	uint64_t asked = at_least(item->op->requested, item->amount);
	uint64_t part = asked % PAGE_LEN, slots = segments_buffers(segments);
	bool full = segments->end + part > PAGE_LEN;

	*layout = (struct layout){.slots = slots};
	if (part && !full && part <= item->amount && (item->amount - part) % PAGE_LEN == 0 &&
	    slots == (item->amount - part) / PAGE_LEN) {
		layout->part = part;
		layout->sure = true;
		return segments->end != 0;
	}
	layout->sure = !part || full;
	return slots == pipe_buffers_for(item->amount);
}

/* How many of the `left` remaining bytes the segment wrote. */
static uint64_t segment_bytes(const struct segments *segments, const struct layout *layout,
			      size_t segment, uint64_t left)
{
	uint64_t bytes = segment_buffers(&segments->list[segment]) * (uint64_t)PAGE_LEN;

	return at_most(bytes + (segment ? 0 : layout->part), left);
}

/*
 * Sets the window of a segment's item. A write merges bytes into a buffer that it found only at its
 * first segment.
 */
static void set_window(struct flow_item *piece, const struct segments *segments,
		       const struct layout *layout, size_t segment)
{
	uint64_t from = segments->list[segment].from,
		 slots = segment_buffers(&segments->list[segment]);
	uint64_t own = piece->amount - (segment ? 0 : layout->part);

	piece->place.window.lo = from * SLOT_LEN + (segment ? PAGE_LEN : segments->end);
	piece->place.window.hi = own ? (from + slots) * SLOT_LEN + (own - 1) % PAGE_LEN + 1
				     : piece->place.window.lo + piece->amount;
	piece->place.given = true;
}

static void split(struct flow_side *sends, const struct segments *segments,
		  const struct layout *layout)
{
	struct flow_item whole = sends->items[segments->index], piece = whole;
	bool first = true;

	for (size_t segment = 0; segment < segments->count; segment++) {
		uint64_t left = whole.amount - (piece.local - whole.local);

		piece.amount = piece.bytes = segment_bytes(segments, layout, segment, left);
		piece.place.part = (uint32_t)segment + 1;
		piece.place.held = layout->sure && !segments->tentative;
		if (!piece.amount)
			continue;
		set_window(&piece, segments, layout, segment);
		if (first)
			sends->items[segments->index] = piece;
		else
			pair_side_add(sends, &piece);
		first = false;
		piece.local += piece.amount;
	}
}

static bool is_whole(const struct flow_item *item)
{
	return !item->place.placed && !item->place.given && !item->join.used && !item->local &&
	       item->op->at_entry.known && item->op->at_exit.known;
}

static void add_reported(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	segments->reported = true;
	segments->end = first_end(p, op);
	for (size_t i = 0; i < op->extra->turns_count / 2; i++) {
		struct segment segment = {(uint32_t)op->extra->turns[2 * i],
					  (uint32_t)op->extra->turns[2 * i + 1]};

		if (i && (int32_t)(segment.from - segments->list[i - 1].to) < 0)
			segment.from =
				segments->list[i - 1].to; /* it ran on before it was seen asleep */
		ARENA_PUSH(p->context->round, segments->list, segments->count, segment);
	}
}

static void add_range(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	struct segment all = {(uint32_t)(item->place.window.lo / SLOT_LEN),
			      (uint32_t)(item->place.window.hi / SLOT_LEN)};

	segments->end = item->place.window.lo % SLOT_LEN;
	ARENA_PUSH(p->context->round, segments->list, segments->count, all);
}

/*
 * A write that was to sleep on a full pipe, but found room before it did, and then had to wait for
 * the lock, has a segment that the trace does not report: all that lies between its entry and its
 * exit may be its own then.
 */
static void add_segments(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	size_t index = segments->index;

	if (item->op->extra->turns_count >= 2)
		add_reported(p, segments, item);
	if (segments->reported && segments_buffers(segments) >= segments_fewest(item, segments))
		return;
	*segments = (struct segments){.index = index};
	add_range(p, segments, item);
}

/* True if a write of more than a page is to be split; smaller ones are never interrupted. */
static bool has_large(const struct flow_side *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i].amount > PAGE_LEN && is_whole(&sends->items[i]))
			return true;
	return false;
}

static struct segments *list_segments(struct placing *p, size_t *count)
{
	struct flow_side *sends = &p->flow->sends;
	struct segments *list = NULL;

	*count = 0;
	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item *item = &sends->items[i];
		struct segments segments = {.index = i};

		if (!is_whole(item) || !flow_is_settled(p->flow, item))
			continue;
		window_set(p, item, true);
		add_segments(p, &segments, item);
		ARENA_PUSH(p->context->round, list, *count, segments);
	}
	return list;
}

void segments_split(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	struct segments *list;
	size_t count;

	if (p->scale != &place_pipe || p->flow->packets || !has_large(sends))
		return;
	list = list_segments(p, &count);
	segments_claim(p, list, count);
	for (size_t i = 0; i < count; i++) {
		struct layout layout;

		sends->items[list[i].index].ambiguous |= list[i].tentative;
		if ((list[i].reported || list[i].count > 1) &&
		    find_layout(&sends->items[list[i].index], &list[i], &layout))
			split(sends, &list[i], &layout);
	}
}

/* True if `next` is the segment after `item` of one write, and nothing lies between the two. */
static bool goes_on(const struct flow_item *item, const struct flow_item *next)
{
	return item->op == next->op && next->place.part > 1 && item->place.placed &&
	       next->place.placed && !item->join.used && !next->join.used &&
	       next->local == item->local + item->amount &&
	       next->place.from == (item->place.to / SLOT_LEN + 1) * SLOT_LEN;
}

static void join(struct flow_item *item, const struct flow_item *next)
{
	if (!item->place.split && item->place.from % SLOT_LEN)
		item->place.split = item->amount;
	item->amount += next->amount;
	item->bytes += next->bytes;
	item->place.to = next->place.to;
	item->place.window.hi = next->place.window.hi;
	item->ambiguous |= next->ambiguous;
}

void segments_join(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	size_t kept = 0, placed = p->sends;

	for (size_t i = 0; i < sends->count; i++) {
		if (i && i < placed && goes_on(&sends->items[kept - 1], &sends->items[i])) {
			join(&sends->items[kept - 1], &sends->items[i]);
			pair_let_go(p->context, sends->items[i].op);
			p->sends--;
		} else {
			sends->items[kept++] = sends->items[i];
		}
	}
	sends->count = kept;
}
