// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Converts places to stream offsets: lays the sends that have their places one behind the other. */
#include "viz/base/sorted_search.h"
#include "viz/pair/position/placing.h"
#include "viz/pair/position/spliced.h"

/* True if the item begins a slot. The first byte of a spliced item may lie anywhere in its page. */
static bool begins_slot(const struct flow_item *item)
{
	return item->place.from % SLOT_LEN == 0 || (spliced_is(item) && !item->local);
}

/* True if nothing can lie between a place and the beginning of an item. */
static bool follows(const struct placing *p, const struct flow_item *item, uint64_t place)
{
	if (item->place.from == place)
		return true;
	return !p->linear && begins_slot(item) &&
	       item->place.from / SLOT_LEN == place / SLOT_LEN + 1;
}

/*
 * The stream offset of an item. Linear places count units, so a gap before the item has a known
 * length; in other pipes it is HOLE.
 */
static uint64_t start_after(const struct placing *p, const struct flow_item *item)
{
	const struct flow_item *before = item - 1;

	if (p->linear)
		return before->join.start + item->place.from - before->place.from;
	return before->join.start + before->amount +
	       (follows(p, item, before->place.to) ? 0 : HOLE);
}

void offsets_lay(struct placing *p)
{
	struct flow_item *items = p->flow->sends.items;

	for (size_t i = 0; i < p->sends; i++) {
		items[i].join.start = i ? start_after(p, &items[i]) : HOLE;
		if (i > 0 && items[i].place.from < items[i - 1].place.to &&
		    !(items[i].place.from == items[i - 1].place.to))
			items[i].ambiguous = items[i - 1].ambiguous = true; /* one place is wrong */
	}
}

/* How many of the item's bytes lie before a place; with `most`, the upper bound if it is ragged. */
static uint64_t bytes_before(const struct placing *p, const struct flow_item *item, uint64_t place,
			     bool most)
{
	uint64_t slot = item->place.from / SLOT_LEN, offset = item->place.from % SLOT_LEN;
	uint64_t first = item->place.split ? item->place.split : item->amount;

	if (place <= item->place.from)
		return 0;
	if (p->linear)
		return place - item->place.from;
	if (item->place.ragged)
		return spliced_before(item, place, most);
	if (place_in_one_buffer(item))
		return at_most(place - item->place.from, item->amount);
	if (place / SLOT_LEN == slot)
		return at_most(place % SLOT_LEN - offset,
			       offset ? first : at_most(PAGE_LEN, item->amount));
	if (offset || item->place.split)
		return first + at_most((place / SLOT_LEN - slot - 1) * PAGE_LEN +
					       at_most(place % SLOT_LEN, PAGE_LEN),
				       item->amount - first);
	return at_most((place / SLOT_LEN - slot) * PAGE_LEN + at_most(place % SLOT_LEN, PAGE_LEN),
		       item->amount);
}

static uint64_t from_of(const void *items, size_t index)
{
	return ((const struct flow_item *)items)[index].place.from;
}

#define NEAR 3 /* sends */

/*
 * The index of the last send that begins at or before a place; p->sends if none does. Whoever asks
 * mostly asks for a place in the send of the last answer, or soon behind it.
 */
size_t offsets_send_at(const struct placing *p, uint64_t place)
{
	const struct flow_item *items = p->flow->sends.items;
	size_t low = *p->near, high = low + NEAR, begun;

	if (high >= p->sends || items[low].place.from > place || items[high].place.from <= place) {
		low = 0;
		high = p->sends;
	}
	begun = search_beyond(items, low, high, from_of, place);
	*p->near = begun ? begun - 1 : 0;
	return begun ? begun - 1 : p->sends;
}

/*
 * True if a place before all sends amounts to the beginning of the first one: nothing can lie
 * between the two, or what lies between has been received already, up to its last byte.
 */
static bool begins_here(const struct placing *p, uint64_t place)
{
	const struct flow_item *first = p->flow->sends.items;
	uint64_t taken = p->flow->stream.taken_to;

	return p->sends && place <= first->place.from &&
	       (follows(p, first, place) || (taken && place <= taken && follows(p, first, taken)));
}

static uint64_t place_at(const struct placing *p, uint64_t place, bool most)
{
	size_t i = offsets_send_at(p, place);
	const struct flow_item *item;

	if (i == p->sends && p->linear && p->sends)
		return HOLE + place - p->flow->sends.items[0].place.from;
	if (i == p->sends)
		return begins_here(p, place) ? p->flow->sends.items[0].join.start : 0;
	item = &p->flow->sends.items[i];
	if (!most || !item->place.ragged || (place <= item->place.from && place < item->place.to))
		return item->join.start + bytes_before(p, item, place, most);
	for (; i + 1 < p->sends && item[1].place.to == item->place.to; i++)
		item++; /* it was merged into the same buffer */
	return item->join.start + item->amount;
}

uint64_t offsets_at(const struct placing *p, uint64_t place)
{
	return place_at(p, place, false);
}

uint64_t offsets_end_at(const struct placing *p, uint64_t place)
{
	size_t i = offsets_send_at(p, place);
	uint64_t at = place_at(p, place, true);

	return i == p->sends || p->linear || place <= p->flow->sends.items[i].place.to ? at
										       : at + HOLE;
}

uint64_t offsets_exactly_at(const struct placing *p, uint64_t place)
{
	size_t i = offsets_send_at(p, place);
	const struct flow_item *item = &p->flow->sends.items[i];

	if (i == p->sends)
		return begins_here(p, place) ? p->flow->sends.items[0].join.start : 0;
	if (item->place.from == item->place.to)
		return 0; /* it was merged into a buffer, at an unknown offset */
	if (place == item->place.from)
		return item->join.start;
	return place == item->place.to ? item->join.start + item->amount : 0;
}

uint64_t offsets_next_slot_at(const struct placing *p, uint64_t place)
{
	uint64_t next = (place / SLOT_LEN + 1) * SLOT_LEN;
	size_t i = offsets_send_at(p, next);

	return i < p->sends && p->flow->sends.items[i].place.from == next
		       ? p->flow->sends.items[i].join.start
		       : 0;
}

static uint64_t end_of(const void *items, size_t index)
{
	const struct flow_item *item = (const struct flow_item *)items + index;

	return item->join.start + item->amount;
}

size_t offsets_reaching(const struct placing *p, uint64_t offset)
{
	return search_until(p->flow->sends.items, p->sends, end_of, offset);
}

int placing_compare_exits(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return (x->exit_ns > y->exit_ns) - (x->exit_ns < y->exit_ns);
}

uint64_t place_unwrap(const struct placing *p, uint32_t counter)
{
	return p->base + (uint64_t)(int64_t)(int32_t)(counter - (uint32_t)p->base);
}
