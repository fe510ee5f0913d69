// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The latest sleeps of an end that are over: a ring that grows up to its greatest length. */
#include "viz/account/rows.h"
#include "viz/base/sorted_search.h"

static void grow(struct arena *arena, struct wakes *wakes)
{
	size_t capacity = wakes->capacity ? wakes->capacity * 2 : 8;
	uint64_t *at_ns = arena_array(arena, capacity, sizeof(*at_ns));

	if (wakes->count)
		memcpy(at_ns, wakes->at_ns, wakes->count * sizeof(*at_ns));
	wakes->at_ns = at_ns;
	wakes->capacity = capacity;
}

void account_wakes_add(struct arena *arena, struct wakes *wakes, uint64_t at_ns)
{
	if (wakes->count == WAKES_MOST) {
		wakes->at_ns[wakes->first] = at_ns;
		wakes->first = (wakes->first + 1) % WAKES_MOST;
		return;
	}
	if (wakes->count == wakes->capacity)
		grow(arena, wakes);
	wakes->at_ns[wakes->count++] = at_ns;
}

static uint64_t wake_at(const void *list, size_t index)
{
	const struct wakes *wakes = list;

	return wakes->at_ns[(wakes->first + index) % wakes->capacity];
}

/*
 * The times are roughly ascending, as the calls return; the first one not before from_ns decides.
 */
bool account_wakes_within(const struct wakes *wakes, uint64_t from_ns, uint64_t to_ns)
{
	size_t first = search_before(wakes, wakes->count, wake_at, from_ns);

	return first < wakes->count && wake_at(wakes, first) <= to_ns;
}
