// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Turns of several large writes that reach into each other, when the claims leave it open who wrote
 * what: whoever began first wrote first, and the other one has only what he needs less of it.
 */
#include <stdlib.h>

#include "pair_turns.h"

struct part {
	struct turns_share *share;
	struct turn *turn;
};

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->turn->from != y->turn->from)
		return x->turn->from < y->turn->from ? -1 : 1;
	return (x->share->begin_ns > y->share->begin_ns) -
	       (x->share->begin_ns < y->share->begin_ns);
}

/* How much less the second one has; who has no turn left gives here what he has too much. */
static uint64_t less_of_second(const struct part *first, const struct part *second, uint64_t reach)
{
	if (first->share->turns_left == 0)
		return reach - at_most(first->share->excess, reach);
	return at_most(second->share->excess, reach);
}

static void divide(struct part *first, struct part *second)
{
	uint32_t reach = first->turn->to - second->turn->from;
	uint64_t less, more;

	if ((int32_t)reach <= 0 || first->share == second->share)
		return;
	less = less_of_second(first, second, reach);
	more = reach - less;
	if (less > at_most(second->share->excess, second->turn->to - second->turn->from) ||
	    more > at_most(first->share->excess, first->turn->to - first->turn->from))
		return;
	second->turn->from += (uint32_t)less;
	if (second->turn == second->share->turns->list)
		second->share->turns->end = first->share->turns_left ? PAGE_LEN : first->share->end;
	second->share->excess -= less;
	first->turn->to -= (uint32_t)more;
	first->share->excess -= more;
	first->share->turns->guess = second->share->turns->guess = true;
}

void turns_share(struct arena *arena, struct turns_share *shares, size_t count)
{
	struct part *parts = NULL;
	size_t part_count = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < shares[i].turns->count; k++) {
			struct part part = {&shares[i], &shares[i].turns->list[k]};

			if (part.turn->from == part.turn->to)
				continue;
			shares[i].turns_left++;
			ARENA_PUSH(arena, parts, part_count, part);
		}
	if (part_count)
		qsort(parts, part_count, sizeof(*parts), compare_parts);
	for (size_t i = 0; i < part_count; i++) {
		parts[i].share->turns_left--;
		if (i + 1 < part_count)
			divide(&parts[i], &parts[i + 1]);
	}
}
