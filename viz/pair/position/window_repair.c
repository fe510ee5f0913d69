// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Repairs windows that come from torn reads. The position of a pipe is read without its lock: while
 * another CPU changes the pipe, a new buffer may not have its length yet, or one that is being read
 * is counted twice or not at all. If no record is missing and yet no order fits, one of the calls
 * got such a position at its entry or exit. Writes lie one behind the other, so the windows of the
 * other calls tell where this one has to be. All of the group is ambiguous then.
 */
#include "viz/pair/position/placing.h"
#include "viz/pair/position/spliced.h"

#define TOGETHER_MAX 12
#define REPAIRS_MAX 64 /* per round; if more fail, the cause is another one */

struct repair {
	struct placing *p;
	struct flow_item **items;
	size_t count;
	uint64_t before; /* the place where the next group begins */
};

/* The highest end, up to a place, of a send that has its place or was received; 0: not known. */
static uint64_t last_end(const struct placing *p, uint64_t place)
{
	uint64_t last = p->flow->stream.taken_to <= place ? p->flow->stream.taken_to : 0;

	for (size_t i = 0; i < p->flow->sends.count; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];

		if (item->place.placed && item->place.to <= place)
			last = at_least(item->place.to, last);
	}
	return last;
}

void window_repair_torn(struct placing *p, struct flow_item *item, uint64_t least)
{
	struct window *window = &item->place.window;

	if (p->flow->packets || p->scale != &place_pipe || p->context->lost ||
	    window->hi > window->lo || p->repairs++ >= REPAIRS_MAX)
		return;
	least = at_least(last_end(p, window->hi), least);
	if (!least || least >= window->hi)
		return;
	window->lo = least;
	item->ambiguous = true;
}

static uint64_t last_of_others(const struct repair *m, const struct flow_item *item)
{
	uint64_t last = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->items[i] != item)
			last = at_least(m->items[i]->place.window.hi, last);
	return last;
}

/*
 * For a call that no other one follows: the end nearest behind its window's that its length allows;
 * VIZ_NEVER if there is none.
 */
static uint64_t nearest_end(const struct repair *m, const struct flow_item *item)
{
	struct place_option options[PLACE_OPTIONS];
	size_t count = m->p->scale->options(item->place.window.lo, item, options);
	uint64_t nearest = VIZ_NEVER;

	if (spliced_is(item))
		return item->place.window.hi;
	for (size_t i = 0; i < count; i++)
		if (options[i].after >= item->place.window.hi)
			nearest = at_most(options[i].after, nearest);
	return nearest;
}

static bool fits(const struct repair *m, struct flow_item *item, uint64_t lo, uint64_t hi)
{
	struct window was = item->place.window;

	item->place.window = (struct window){lo, hi};
	if (lo < hi && hi != VIZ_NEVER && place_together(m->p, m->items, m->count))
		return true;
	item->place.window = was;
	return false;
}

/* Tries to place the group with another window for one item, assuming that all others are right. */
static bool repair_one(const struct repair *m, struct flow_item *item)
{
	struct window window = item->place.window;
	uint64_t behind = last_end(m->p, at_most(window.lo, window.hi));
	uint64_t lo = behind ? behind : window.lo;

	if (item->place.given)
		return false;
	return fits(m, item, lo, window.hi) || fits(m, item, lo, m->before) ||
	       fits(m, item, lo, last_of_others(m, item)) ||
	       (m->before == VIZ_NEVER && m->count == 1 &&
		fits(m, item, window.lo, nearest_end(m, item)));
}

bool window_repair_group(struct placing *p, struct flow_item **items, size_t count, uint64_t before)
{
	struct repair m = {p, items, count, before};
	struct flow_item **each = NULL; /* in their original order: the search sorts `items` */
	size_t each_count = 0;
	bool repaired = false;

	if (p->flow->packets || p->context->lost || p->scale != &place_pipe ||
	    count > TOGETHER_MAX || p->repairs++ >= REPAIRS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		ARENA_PUSH(p->context->round, each, each_count, items[i]);
	for (size_t i = 0; i < count && !repaired; i++)
		repaired = repair_one(&m, each[i]);
	for (size_t i = 0; i < count && repaired; i++)
		items[i]->ambiguous = true;
	return repaired;
}
