// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Divides overlapping segments of several large writes where the claims leave open which write
 * filled which buffer. The write that began first is assumed to have written first; the second one
 * gives up as many of the common buffers as it has in excess, and the first one the others. All of
 * it is ambiguous. It is rare, but without it such a write's segments do not add up, so that
 * neither it nor the writes beside it get places.
 */
#include <stdlib.h>

#include "viz/pair/position/write_segments.h"

struct part {
	struct segments_share *share;
	struct segment *segment;
};

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->segment->from != y->segment->from)
		return x->segment->from < y->segment->from ? -1 : 1;
	return (x->share->begin_ns > y->share->begin_ns) -
	       (x->share->begin_ns < y->share->begin_ns);
}

/*
 * How many of the common buffers the second write gives up. If the first write has no later
 * segment, it gives up its whole excess here.
 */
static uint64_t less_of_second(const struct part *first, const struct part *second, uint64_t reach)
{
	if (first->share->segments_left == 0)
		return reach - at_most(first->share->excess, reach);
	return at_most(second->share->excess, reach);
}

static void divide(struct part *first, struct part *second)
{
	uint32_t reach = first->segment->to - second->segment->from;
	uint64_t less, more;

	if ((int32_t)reach <= 0 || first->share == second->share)
		return;
	less = less_of_second(first, second, reach);
	more = reach - less;
	if (less > at_most(second->share->excess, second->segment->to - second->segment->from) ||
	    more > at_most(first->share->excess, first->segment->to - first->segment->from))
		return;
	second->segment->from += (uint32_t)less;
	if (second->segment == second->share->segments->list)
		second->share->segments->end = first->share->segments_left ? PAGE_LEN
									   : first->share->end;
	second->share->excess -= less;
	first->segment->to -= (uint32_t)more;
	first->share->excess -= more;
	first->share->segments->tentative = second->share->segments->tentative = true;
}

void segments_share(struct arena *arena, struct segments_share *shares, size_t count)
{
	struct part *parts = NULL;
	size_t part_count = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < shares[i].segments->count; k++) {
			struct part part = {&shares[i], &shares[i].segments->list[k]};

			if (part.segment->from == part.segment->to)
				continue;
			shares[i].segments_left++;
			ARENA_PUSH(arena, parts, part_count, part);
		}
	if (part_count)
		qsort(parts, part_count, sizeof(*parts), compare_parts);
	for (size_t i = 0; i < part_count; i++) {
		parts[i].share->segments_left--;
		if (i + 1 < part_count)
			divide(&parts[i], &parts[i + 1]);
	}
}
