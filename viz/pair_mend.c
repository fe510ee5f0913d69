// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A pipe is looked at without its lock: while another processor is at it, a new buffer may not have
 * its length yet, or one that is being read has it twice or not at all. Where no record is missing
 * and yet no order fits, one of the calls was seen so, at its entry or at its exit. Writes lie one
 * behind the other, so the others tell where it has to be; it is found, and called ambiguous.
 */
#include "pair_ruler.h"

#define TOGETHER_MAX 12
#define MENDS_MAX 64 /* of a round: more than these, and it is something else that is not seen */

struct mending {
	struct placing *p;
	struct flow_item **items;
	size_t count;
	uint64_t before; /* what lies behind all of them */
};

/* Where the last one ends that has its place before these; 0: not known. */
static uint64_t last_end(const struct placing *p, uint64_t place)
{
	uint64_t last = p->flow->gone_to <= place ? p->flow->gone_to : 0;

	for (size_t i = 0; i < p->flow->sends.count; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];

		if (item->placed && item->to <= place)
			last = at_least(item->to, last);
	}
	return last;
}

void ruler_mend_window(struct placing *p, struct flow_item *item, uint64_t least)
{
	if (p->scale != &place_pipe || p->context->lost || item->hi > item->lo ||
	    p->mends++ >= MENDS_MAX)
		return;
	least = at_least(last_end(p, item->hi), least);
	if (!least || least >= item->hi)
		return;
	item->lo = least;
	item->doubt = true;
}

static uint64_t last_of_others(const struct mending *m, const struct flow_item *item)
{
	uint64_t last = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->items[i] != item)
			last = at_least(m->items[i]->hi, last);
	return last;
}

/* Where nobody comes behind it, it ends where it can, at what was seen or next to it. */
static uint64_t nearest_end(const struct mending *m, const struct flow_item *item)
{
	struct place_option options[PLACE_OPTIONS];
	size_t count = m->p->scale->options(item->lo, item, options);
	uint64_t nearest = VIZ_NEVER;

	for (size_t i = 0; i < count; i++)
		if (options[i].after >= item->hi)
			nearest = at_most(options[i].after, nearest);
	return nearest;
}

static bool fits(const struct mending *m, struct flow_item *item, uint64_t lo, uint64_t hi)
{
	struct flow_item was = *item;

	item->lo = lo;
	item->hi = hi;
	if (lo < hi && hi != VIZ_NEVER && ruler_place_together(m->p, m->items, m->count))
		return true;
	item->lo = was.lo;
	item->hi = was.hi;
	return false;
}

/* All others were seen as they were. */
static bool mend_one(const struct mending *m, struct flow_item *item)
{
	uint64_t behind = last_end(m->p, at_most(item->lo, item->hi));
	uint64_t lo = behind ? behind : item->lo;

	if (item->turn)
		return false;
	return fits(m, item, lo, item->hi) || fits(m, item, lo, m->before) ||
	       fits(m, item, lo, last_of_others(m, item)) ||
	       (m->before == VIZ_NEVER && m->count == 1 &&
		fits(m, item, item->lo, nearest_end(m, item)));
}

bool ruler_mend(struct placing *p, struct flow_item **items, size_t count, uint64_t before)
{
	struct mending m = {p, items, count, before};
	struct flow_item **each = NULL; /* `items` change their order */
	size_t each_count = 0;
	bool mended = false;

	if (p->context->lost || p->scale != &place_pipe || count > TOGETHER_MAX ||
	    p->mends++ >= MENDS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		ARENA_PUSH(p->context->round, each, each_count, items[i]);
	for (size_t i = 0; i < count && !mended; i++)
		mended = mend_one(&m, each[i]);
	for (size_t i = 0; i < count && mended; i++)
		items[i]->doubt = true;
	return mended;
}
