/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State and helpers of matching by position, shared by the files of viz/pair/position.
 *
 * Two coordinate systems are in use. A place (interleave.h) is what the kernel reports. A stream
 * offset counts bytes: offsets_lay() lays the sends that have their places one behind the other,
 * and gives each its join.start. Where something of unknown length is missing between two sends,
 * their offsets differ by HOLE more. Receives are matched by stream offsets.
 */
#ifndef VIZ_PAIR_POSITION_PLACING_H
#define VIZ_PAIR_POSITION_PLACING_H

#include "viz/model/pipe_buffers.h"
#include "viz/pair/position/drained_ends.h"
#include "viz/pair/position/interleave.h"

#define PAGE_LEN USUAL_PAGE /* of a pipe's buffer: windows_are_known() */
/*
 * Exceeds the length of any buffer, so that the end of a slot differs from the beginning of the
 * next one. A buffer that was spliced from a socket can be a large folio.
 */
#define SLOT_LEN ((uint64_t)1 << 22)
#define HOLE ((uint64_t)1 << 40) /* stream offsets: stands for a gap of unknown length */

/* In which of them a search takes and sets the items' positions. */
enum coordinates { PLACES, STREAM_OFFSETS };

struct placing {
	struct pair_context *context;
	struct flow *flow;
	const struct pair_route *route;
	const struct place_scale *scale;
	enum coordinates coordinates; /* PLACES: of sends; STREAM_OFFSETS: of receives */
	bool tcp;
	bool linear; /* a place counts units without gaps: TCP bytes or packets */
	/* Called for an item for which the search finds no place. */
	void (*leave_out)(struct placing *p, struct flow_item *item);
	bool (*agrees)(const struct placing *p, const struct flow_item *item, uint64_t from);
	uint64_t base;		     /* linear: a recent place, to extend 32-bit counters */
	size_t *near;		     /* index of the send found last: offsets_send_at() */
	size_t sends;		     /* the first items of flow->sends, which have their places */
	size_t repairs;		     /* repairs tried in this round: window_repair.c */
	size_t skipped;		     /* index of the first send that is not used up */
	struct flow_item **receives; /* completed; sorted by their begin once laid */
	size_t receive_count;
	uint64_t missing, missing_from_ns;
	struct drained_ends drained;
};

/* The window within which a search looks for the item's bytes. */
static inline const struct window *placing_window(const struct placing *p,
						  const struct flow_item *item)
{
	return p->coordinates == PLACES ? &item->place.window : &item->place.offsets;
}

/* Where a search found the item's first byte; it holds if the item is `placed`. */
static inline uint64_t *placing_begin(const struct placing *p, struct flow_item *item)
{
	return p->coordinates == PLACES ? &item->place.from : &item->join.start;
}

/* Gives the item the position that a search found for it. */
static inline void placing_put(const struct placing *p, struct flow_item *item,
			       const struct place_option *option)
{
	*placing_begin(p, item) = option->from;
	item->place.placed = true;
	if (p->coordinates != PLACES)
		return;
	item->place.to = option->after;
	item->place.split = option->split;
	item->place.ragged = option->ragged;
}

static inline uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

static inline uint64_t at_least(uint64_t value, uint64_t least)
{
	return value > least ? value : least;
}

/*
 * The place behind the last byte written to a pipe at `position`. For a pipe that holds packets it
 * is the end of the slot, because a read may have truncated the packet there.
 */
static inline uint64_t place_written_to(const struct placing *p,
					const struct viz_position *position)
{
	uint64_t end = p->flow->packets ? SLOT_LEN - 1 : drained_end_at(&p->drained, position);

	return (uint64_t)position->head * SLOT_LEN + end;
}

/*
 * True if the item is a piece of a split write to a pipe that begins a new buffer, behind whatever
 * is in the last one.
 */
static inline bool placing_begins_buffer(const struct flow_item *item)
{
	return item->place.part > 1 ||
	       (item->place.part && item->place.window.lo % SLOT_LEN == PAGE_LEN);
}

/* True if all bytes of a send that has its place lie in one buffer, which may exceed a page. */
static inline bool place_in_one_buffer(const struct flow_item *item)
{
	return item->place.from / SLOT_LEN == item->place.to / SLOT_LEN;
}

/*
 * True if every completed call of the flow tells its window (of a pipe: whose buffers are of
 * PAGE_LEN). There must be a send, too, unless the flow is a pipe's bytes and records are missing.
 */
bool windows_are_known(const struct pair_context *context, const struct flow *flow,
		       const struct pair_route *route);

/* The place where the flow's writing side (`send`) or reading side stood at `position`. */
uint64_t place_of_position(const struct placing *p, const struct viz_position *position, bool send);

/*
 * pending_sends.c. pending_place() gives sends that are unfinished at the end of the trace the
 * bytes that were received and that lie where no other send does. pending_is_possible() returns
 * false if an unfinished send does not tell where it began.
 */
bool pending_is_possible(const struct pair_context *context, const struct flow *flow,
			 const struct pair_route *route);
void pending_place(struct placing *p);

/* Sets place.window, the window in which the call's bytes lie. */
void window_set(const struct placing *p, struct flow_item *item, bool send);

/*
 * Sets begin_ns of items that are to be placed together, and narrows the window of a call that
 * slept: window_sleep.c. Sorts the items by begin_ns.
 */
void window_sleep_narrow(struct placing *p, struct flow_item **items, size_t count);

/*
 * A send to a pipe that was found asleep does not tell where it began: it gets the window between
 * what others saw before it ran again and when it had returned.
 */
void window_sleep_find(struct placing *p);

/* Sorts the sends that have a place to the front, by it, and counts them in p->sends. */
void windows_sort_sends(struct placing *p);

/*
 * The lowest place at which a send that is not completed may lie: nothing behind it can be placed
 * yet.
 */
uint64_t windows_first_unsettled(const struct placing *p);

/* Places the completed sends, and sorts the sends. */
void windows_place_sends(struct placing *p);

/*
 * Places items of either side, group by group, where a group is a run of overlapping windows. Stops
 * at the first group whose window ends behind the place `limit`. Sorts the items by window.
 */
void windows_place_groups(struct placing *p, struct flow_item **items, size_t count,
			  uint64_t limit);

/* Places one item alone, so that its bytes fill its window; false if they cannot. */
bool place_alone(const struct placing *p, struct flow_item *item);

/* Places the items of one group; false if no order fits. Sorts them. */
bool place_together(const struct placing *p, struct flow_item **items, size_t count);

/*
 * Repairs a window that ends before it begins (a torn read of the position): it begins at `least`
 * or at the end of the last placed send, whichever is later, and becomes ambiguous.
 */
void window_repair_torn(struct placing *p, struct flow_item *item, uint64_t least);

/*
 * Repairs one window of a group for which no order fits although no record is missing:
 * window_repair.c. `before` is the place where the next group begins, or VIZ_NEVER. Returns true if
 * the group has its places now; all of its items are ambiguous then.
 */
bool window_repair_group(struct placing *p, struct flow_item **items, size_t count,
			 uint64_t before);

/* Index of the first send that ends behind a stream offset; p->sends if there is none. */
size_t offsets_reaching(const struct placing *p, uint64_t offset);

/* For qsort() of pointers to items: by exit_ns. */
int placing_compare_exits(const void *a, const void *b);

/*
 * False if the payload in the trace proves that `receive` did not receive the bytes that begin at
 * the stream offset `begin`: payload_check.c.
 */
bool payload_bytes_agree(const struct placing *p, const struct flow_item *receive, uint64_t begin);

/* Sets join.start, the stream offset, of each send that has a place. */
void offsets_lay(struct placing *p);

/* Index of the last send that begins at or before a place; p->sends if none does. */
size_t offsets_send_at(const struct placing *p, uint64_t place);

/* The stream offset of a place; 0 if it lies before all sends. */
uint64_t offsets_at(const struct placing *p, uint64_t place);

/*
 * The stream offset of a place that ends a window. If sends are missing just before the place, the
 * gap is part of the window.
 */
uint64_t offsets_end_at(const struct placing *p, uint64_t place);

/* The stream offset of a place where a send begins or ends; 0 if none does there. */
uint64_t offsets_exactly_at(const struct placing *p, uint64_t place);

/*
 * For a pipe found empty, whose last byte was at `place`: the stream offset of the send that begins
 * the next slot; 0 if none is known to.
 */
uint64_t offsets_next_slot_at(const struct placing *p, uint64_t place);

/*
 * The 32-bit counter of one side of a linear flow, and its extension to a place that continues
 * beyond 2^32.
 */
uint32_t place_counter(const struct placing *p, const struct viz_position *position, bool send);
uint64_t place_unwrap(const struct placing *p, uint32_t counter);

#endif
