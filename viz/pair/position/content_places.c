// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The places of sends whose calls overlap, found in what was received. Pseudo-terminals need it: a
 * write to one passes no tracepoint, so that nothing but the bytes tells which of two came first.
 */
#include "viz/pair/position/content_places.h"

#include <stdlib.h>

#include "viz/base/sorted_search.h"
#include "viz/pair/position/placing.h"

/* What --redact has blanked on one side alone is no evidence. */
#define BLANK '*'

static bool bytes_agree(struct viz_bytes sent, struct viz_bytes received)
{
	for (size_t i = 0; i < sent.len && i < received.len; i++)
		if (sent.data[i] != received.data[i] && sent.data[i] != BLANK &&
		    received.data[i] != BLANK)
			return false;
	return true;
}

static bool shared_bytes_agree(const struct flow_item *send, uint64_t from,
			       const struct flow_item *receive)
{
	uint64_t begin = at_least(from, receive->join.start);
	uint64_t end = at_most(from + send->amount, receive->join.start + receive->amount);

	if (receive->ambiguous || begin >= end)
		return true;
	return bytes_agree(flow_payload(send, begin - from, end - begin),
			   flow_payload(receive, begin - receive->join.start, end - begin));
}

static uint64_t start_of(const void *items, size_t index)
{
	return ((const struct flow_item *)items)[index].join.start;
}

static bool agrees(const struct placing *p, const struct flow_item *send, uint64_t from)
{
	const struct flow_side *receives = &p->flow->receives;
	size_t i = search_until(receives->items, receives->count, start_of, from);

	for (i -= i > 0; i < receives->count; i++) {
		if (receives->items[i].join.start >= from + send->amount)
			break;
		if (!shared_bytes_agree(send, from, &receives->items[i]))
			return false;
	}
	return true;
}

/*
 * Sets the window of all items: the whole cluster. False if one of them does not tell how much it
 * is, or is an echo, which may come later than what its thread does next.
 */
static bool set_windows(struct flow_item *items, size_t count, uint64_t from)
{
	uint64_t end = from;

	for (size_t i = 0; i < count; i++) {
		if (items[i].open || items[i].terminal.echo || end + items[i].amount < end)
			return false;
		end += items[i].amount;
	}
	for (size_t i = 0; i < count; i++) {
		items[i].place = (struct stream_place){.window = {from, end},
						       .begin_ns = items[i].enter_ns};
	}
	return true;
}

static int compare_places(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	return (x->place.from > y->place.from) - (x->place.from < y->place.from);
}

bool content_places(struct arena *arena, struct flow *flow, size_t begin, size_t count,
		    uint64_t from)
{
	struct flow_item *items = flow->sends.items + begin;
	struct flow_item **pointers = arena_array(arena, count, sizeof(struct flow_item *));
	struct placing placing = {.flow = flow, .scale = &place_linear, .coordinates = PLACES};
	struct place_check check = {agrees, &placing};

	if (!set_windows(items, count, from))
		return false;
	for (size_t i = 0; i < count; i++)
		pointers[i] = &items[i];
	if (!place_cluster(arena, &place_linear, &check, pointers, count))
		return false;
	qsort(items, count, sizeof(*items), compare_places);
	return true;
}
