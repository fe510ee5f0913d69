// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From places to bytes: sends that have their places are laid in a row, and others beside them. */
#include "pair_ruler.h"
#include "search.h"

/* Nothing can lie between a place and an item. */
static bool follows(const struct placing *p, const struct flow_item *item, uint64_t place)
{
	if (item->from == place)
		return true;
	return !p->linear && item->from % SLOT_LEN == 0 &&
	       item->from / SLOT_LEN == place / SLOT_LEN + 1;
}

/* Sequence numbers count the bytes: what is missing between two sends has its length. */
static uint64_t start_after(const struct placing *p, const struct flow_item *item)
{
	const struct flow_item *before = item - 1;

	if (p->linear)
		return before->start + item->from - before->from;
	return before->start + before->amount + (follows(p, item, before->to) ? 0 : HOLE);
}

void ruler_lay(struct placing *p)
{
	struct flow_item *items = p->flow->sends.items;

	for (size_t i = 0; i < p->sends; i++) {
		items[i].start = i ? start_after(p, &items[i]) : HOLE;
		if (i > 0 && items[i].from < items[i - 1].to && !(items[i].from == items[i - 1].to))
			items[i].doubt = items[i - 1].doubt = true; /* both cannot be */
	}
}

/* How many of its bytes lie before a place. */
static uint64_t bytes_before(const struct placing *p, const struct flow_item *item, uint64_t place)
{
	uint64_t slot = item->from / SLOT_LEN, offset = item->from % SLOT_LEN;
	uint64_t first = item->split ? item->split : item->amount;

	if (place <= item->from)
		return 0;
	if (p->linear)
		return place - item->from;
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

static uint64_t from_of(const void *items, size_t index)
{
	return ((const struct flow_item *)items)[index].from;
}

/* The last send that begins at or before a place; p->sends: none does. */
size_t ruler_send_at(const struct placing *p, uint64_t place)
{
	size_t begun = search_until(p->flow->sends.items, p->sends, from_of, place);

	return begun ? begun - 1 : p->sends;
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
uint64_t ruler_at(const struct placing *p, uint64_t place)
{
	size_t i = ruler_send_at(p, place);
	const struct flow_item *item = &p->flow->sends.items[i];

	if (i == p->sends && p->linear && p->sends)
		return HOLE + place - p->flow->sends.items[0].from;
	if (i == p->sends)
		return begins_here(p, place) ? p->flow->sends.items[0].start : 0;
	return item->start + bytes_before(p, item, place);
}

uint64_t ruler_end_at(const struct placing *p, uint64_t place)
{
	size_t i = ruler_send_at(p, place);
	uint64_t at = ruler_at(p, place);

	return i == p->sends || p->linear || place <= p->flow->sends.items[i].to ? at : at + HOLE;
}

uint64_t ruler_next_slot_at(const struct placing *p, uint64_t place)
{
	uint64_t next = (place / SLOT_LEN + 1) * SLOT_LEN;
	size_t i = ruler_send_at(p, next);

	return i < p->sends && p->flow->sends.items[i].from == next ? p->flow->sends.items[i].start
								    : 0;
}

static uint64_t end_of(const void *items, size_t index)
{
	const struct flow_item *item = (const struct flow_item *)items + index;

	return item->start + item->amount;
}

size_t ruler_reaching(const struct placing *p, uint64_t place)
{
	return search_until(p->flow->sends.items, p->sends, end_of, place);
}

int ruler_compare_exits(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return (x->exit_ns > y->exit_ns) - (x->exit_ns < y->exit_ns);
}
