// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Divides overlapping segments of several large writes where the claims leave open which write
 * filled which buffer. A write whose bytes fill all buffers that no other one can have filled gives
 * up the common ones. Of two others, the write that began first is assumed to have written first;
 * the second one gives up as many of the common buffers as it has in excess, and the first one the
 * others. All of it is ambiguous. It is rare, but without it such a write's segments do not add up,
 * so that neither it nor the writes beside it get places.
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

/* False if that is not enough for one of them, or too much. */
static bool divide(struct part *first, struct part *second)
{
	uint32_t reach = first->segment->to - second->segment->from;
	uint64_t less, more;

	if ((int32_t)reach <= 0 || first->share == second->share)
		return false;
	less = less_of_second(first, second, reach);
	more = reach - less;
	if (less > at_most(second->share->excess, second->segment->to - second->segment->from) ||
	    more > at_most(first->share->excess, first->segment->to - first->segment->from))
		return false;
	second->segment->from += (uint32_t)less;
	if (second->segment == second->share->segments->list)
		second->share->segments->end = first->share->segments_left ? PAGE_LEN
									   : first->share->end;
	second->share->excess -= less;
	first->segment->to -= (uint32_t)more;
	first->share->excess -= more;
	first->share->segments->tentative = second->share->segments->tentative = true;
	return true;
}

/* Of two that begin with the same buffer, the other one may be the first as well. */
static void divide_two(struct part *first, struct part *second)
{
	if (divide(first, second) || first->segment->from != second->segment->from)
		return;
	second->share->segments_left--;
	divide(second, first);
	second->share->segments_left++;
}

/* Where a segment begins (`by` 1) or ends (`by` -1). */
struct edge {
	uint32_t at;
	int by;
	size_t write;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static struct edge *list_edges(struct arena *arena, struct segments *const *writes, size_t count,
			       size_t *edge_count)
{
	struct edge *edges = NULL;

	*edge_count = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < writes[i]->count; k++) {
			const struct segment *segment = &writes[i]->list[k];
			struct edge begin = {segment->from, 1, i}, end = {segment->to, -1, i};

			if (segment->from == segment->to)
				continue;
			ARENA_PUSH(arena, edges, *edge_count, begin);
			ARENA_PUSH(arena, edges, *edge_count, end);
		}
	if (*edge_count)
		qsort(edges, *edge_count, sizeof(*edges), compare_edges);
	return edges;
}

/* Appends buffers that only this write can have filled, behind an empty first segment. */
static void add_sole(struct arena *arena, struct segments *sole, const struct segments *all,
		     struct segment segment)
{
	struct segment first = {all->list[0].from, all->list[0].from};

	if (segment.from == segment.to)
		return;
	if (!sole->count && segment.from != first.from)
		ARENA_PUSH(arena, sole->list, sole->count, first);
	ARENA_PUSH(arena, sole->list, sole->count, segment);
}

/* Returns, for each of the writes, the buffers that no other one can have filled. */
static struct segments *find_sole(struct arena *arena, struct segments *const *writes, size_t count)
{
	struct segments *sole = arena_array(arena, count + 1, sizeof(*sole));
	size_t edge_count, open = 0, open_writes = 0; /* the sum of their indices */
	struct edge *edges = list_edges(arena, writes, count, &edge_count);

	for (size_t i = 0; i < edge_count; i++) {
		struct segment behind = {edges[i].at, 0};

		open += (size_t)edges[i].by;
		open_writes += edges[i].by > 0 ? edges[i].write : -edges[i].write;
		if (open != 1 || i + 1 == edge_count)
			continue;
		behind.to = edges[i + 1].at;
		add_sole(arena, &sole[open_writes], writes[open_writes], behind);
	}
	return sole;
}

/*
 * Every buffer was filled by some write. So one whose bytes are no more than the buffers hold that
 * no other write can have filled has none of the common ones.
 */
static void give_up_common(struct arena *arena, struct segments_share *shares, size_t count)
{
	struct segments **writes = NULL, *sole;
	size_t write_count = 0;

	for (size_t i = 0; i < count; i++)
		ARENA_PUSH(arena, writes, write_count, shares[i].segments);
	sole = find_sole(arena, writes, write_count);
	for (size_t i = 0; i < count; i++) {
		struct segments *all = writes[i];

		if (segments_buffers(&sole[i]) != shares[i].most ||
		    segments_buffers(all) == shares[i].most)
			continue;
		all->list = sole[i].list;
		all->count = sole[i].count;
		all->tentative = true;
		shares[i].excess = 0;
	}
}

void segments_doubt(struct arena *arena, struct segments *const *writes, size_t count)
{
	struct segments *sole = find_sole(arena, writes, count);

	for (size_t i = 0; i < count; i++)
		writes[i]->tentative |= segments_buffers(&sole[i]) < segments_buffers(writes[i]);
}

void segments_share(struct arena *arena, struct segments_share *shares, size_t count)
{
	struct part *parts = NULL;
	size_t part_count = 0;

	give_up_common(arena, shares, count);
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
			divide_two(&parts[i], &parts[i + 1]);
	}
}
