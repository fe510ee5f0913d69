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

/* Where the last buffer ended; PAGE_LEN if the pipe was empty, since nothing is merged then. */
static uint64_t end_at(const struct viz_position *position)
{
	return position->head == position->tail ? PAGE_LEN : position->end;
}

/*
 * Where the last buffer ended that the write found at its first segment; 0 if others may have added
 * to it, or have written it behind this write's odd bytes, which had filled the pipe.
 */
static uint64_t first_end(const struct placing *p, const struct viz_operation *op)
{
	const struct viz_position *at_lock = &op->extra->at_lock;
	uint32_t from = (uint32_t)op->extra->turns[0];

	if (op->at_entry.head == from && (!at_lock->known || room_taken(op) >= room(p)))
		return end_at(&op->at_entry);
	if (at_lock->known && at_lock->head == from && room_taken(op) <= room(p))
		return end_at(at_lock);
	return op->at_entry.head == from ? end_at(&op->at_entry) : 0;
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

/* Appends a range of buffers that lies behind the earlier ones; these may reach into it. */
static void add_segment(struct placing *p, struct segments *segments, const uint64_t *range)
{
	struct segment segment = {(uint32_t)range[0], (uint32_t)range[1]};
	uint32_t behind = segments->count ? segments->list[segments->count - 1].to : segment.from;

	if ((int32_t)(segment.from - behind) < 0)
		segment.from = behind; /* it ran on before it was seen asleep */
	if ((int32_t)(segment.to - segment.from) < 0)
		segment.to = segment.from;
	ARENA_PUSH(p->context->round, segments->list, segments->count, segment);
}

static void add_reported(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	const struct viz_operation_extra *extra = item->op->extra;

	segments->reported = true;
	segments->end = first_end(p, item->op);
	for (size_t i = 0; i + 1 < extra->turns_count; i += 2)
		add_segment(p, segments, &extra->turns[i]);
}

/* As add_reported(), with the buffers that the write may have filled before it had the lock. */
static void add_unsure(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	const struct viz_operation_extra *extra = op->extra;
	size_t i = 0, k = 0;

	segments->reported = true;
	while (i + 1 < extra->turns_count || k + 1 < extra->turns_unsure_count) {
		bool unsure = i + 1 >= extra->turns_count ||
			      (k + 1 < extra->turns_unsure_count &&
			       (int32_t)(extra->turns_unsure[k] - extra->turns[i]) <= 0);
		size_t *next = unsure ? &k : &i;

		add_segment(p, segments, (unsure ? extra->turns_unsure : extra->turns) + *next);
		*next += 2;
	}
	if (segments->count && segments->list[0].from == op->at_entry.head)
		segments->end = end_at(&op->at_entry);
}

static void add_range(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	const struct window *window = &item->place.window;
	const struct viz_operation *op = item->op;
	const struct viz_position *at_lock = &op->extra->at_lock;
	bool locked = at_lock->known && at_lock->head == (uint32_t)(window->lo / SLOT_LEN);

	segments->end = end_at(locked ? at_lock : &op->at_entry);
	add_segment(p, segments, (const uint64_t[]){window->lo / SLOT_LEN, window->hi / SLOT_LEN});
}

/*
 * What the end of the last buffer at the write's exit says of its bytes beyond whole pages. If they
 * were merged into a buffer that it found, its own last buffer is full, or a small write's bytes
 * are behind others. Otherwise they are alone in the last one, if nothing came behind.
 */
static void look_at_exit(const struct flow_item *item, struct segments *segments)
{
	const struct viz_operation *op = item->op;
	const struct viz_position *at_lock = &op->extra->at_lock;
	bool locked = at_lock->known && at_lock->head == segments->list[0].from;
	uint64_t part = item->amount % PAGE_LEN, end = op->at_exit.end;

	if (!part || op->requested > item->amount)
		return;
	segments->merged_nothing = end == part;
	segments->perhaps_merged = !locked &&
				   (item->amount > PAGE_LEN ? end == PAGE_LEN : end != part);
	if (segments->merged_nothing)
		segments->end = PAGE_LEN;
}

/*
 * The segments as reported, with the unsure ones among them. False if these are fewer buffers than
 * the write filled.
 */
static bool add_turns(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	size_t index = segments->index;
	struct segments *turns;

	add_reported(p, segments, item);
	look_at_exit(item, segments);
	if (item->op->extra->turns_unsure_count) {
		turns = arena_alloc(p->context->round, sizeof(*turns));
		*turns = *segments;
		*segments = (struct segments){.index = index};
		add_unsure(p, segments, item);
		look_at_exit(item, segments);
		if (turns->end && segments_buffers(turns) == segments_fewest(item, turns))
			segments->turns = turns;
	}
	return segments_buffers(segments) >= segments_fewest(item, segments);
}

/*
 * A write that was to sleep on a full pipe, but found room before it did, and then had to wait for
 * the lock, has a segment that the trace reports as unsure. Traces of older versions report none:
 * all that lies between its entry and its exit may be its own then.
 */
static void add_segments(struct placing *p, struct segments *segments, const struct flow_item *item)
{
	size_t index = segments->index;

	if (item->op->extra->turns_count >= 2 && add_turns(p, segments, item))
		return;
	*segments = (struct segments){.index = index};
	add_range(p, segments, item);
	look_at_exit(item, segments);
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

/* True if the segments tell more than the call's window. */
static bool is_narrowed(const struct flow_item *item, const struct segments *segments)
{
	const struct window *window = &item->place.window;

	return segments->reported || segments->count > 1 ||
	       segments->list[0].from != (uint32_t)(window->lo / SLOT_LEN) ||
	       segments->list[0].to != (uint32_t)(window->hi / SLOT_LEN);
}

void segments_split(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	struct segments *list;
	uint64_t limit;
	size_t count;

	if (p->scale != &place_pipe || p->flow->packets || !has_large(sends))
		return;
	list = list_segments(p, &count);
	segments_claim(p, list, count);
	limit = windows_first_unsettled(p);
	for (size_t i = 0; i < count; i++) {
		struct layout layout;

		if (segments_end(&list[i]) >= limit)
			continue;
		sends->items[list[i].index].ambiguous |= list[i].tentative;
		if (is_narrowed(&sends->items[list[i].index], &list[i]) &&
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
			flow_keep(sends, kept++, i);
		}
	}
	sends->count = kept;
}
