// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Places the items of one group together, or one item alone. */
#include "viz/pair/position/packet_places.h"
#include "viz/pair/position/placing.h"
#include "viz/pair/position/spliced.h"

bool place_together(const struct placing *p, struct flow_item **items, size_t count)
{
	struct place_check check = {p->agrees, p};

	if (count == 1)
		return place_alone(p, items[0]);
	if (p->agrees && place_cluster(p->context->round, p->scale, &check, items, count))
		return true;
	check.agrees = NULL; /* the payloads contradict every order: search as if none were kept */
	return place_cluster(p->context->round, p->scale, &check, items, count);
}

/*
 * Alone in its window, it is all that came into the pipe there. If records were lost, some of its
 * buffers may be those of missing sends.
 */
static bool place_spliced(const struct placing *p, struct flow_item *item)
{
	const struct window *window = &item->place.window;
	struct place_option option = spliced_between(window->lo, window->hi, item);
	uint64_t least = spliced_least(window->lo, item);

	if (window->hi < least)
		return false;
	placing_put(p, item, &option);
	item->ambiguous |= p->context->lost && window->hi / SLOT_LEN > least / SLOT_LEN;
	return true;
}

/*
 * A single item has to fill its window exactly, or up to a part of it if its end is loose: the
 * option that does so is its place.
 */
bool place_alone(const struct placing *p, struct flow_item *item)
{
	const struct window *window = placing_window(p, item);
	struct place_option options[PLACE_OPTIONS];
	size_t count = p->scale->options(window->lo, item, options);

	if (p->scale == &place_pipe && spliced_is(item))
		return place_spliced(p, item);
	if (p->flow->packets)
		count = packets_options(p, window->lo, item, options);
	for (size_t i = 0; i < count; i++) {
		if (options[i].after != window->hi &&
		    (!item->place.loose || options[i].after > window->hi))
			continue;
		placing_put(p, item, &options[i]);
		return true;
	}
	return false;
}
