// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds which buffers of a pipe certainly belong to which large write. The ends of a segment are
 * read without the pipe's lock, so other writes may lie within it. A write whose segments have no
 * more buffers than it filled owns, or claims, all of them. That may leave another write no more
 * buffers than it filled, and so on.
 */
#include <stdlib.h>

#include "viz/pair/position/write_segments.h"

#define PASSES_MAX 16
#define STEPS_MAX 1000000 /* per search; beyond that nothing is claimed */

struct claim {
	struct segment segment;
	uint64_t end; /* lower bound of where the bytes in its last buffer end */
};

struct claims {
	struct arena *arena;
	struct claim *list;
	size_t count;
	size_t steps;
};

static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return (x->segment.from > y->segment.from) - (x->segment.from < y->segment.from);
}

/* The least number of bytes that are in buffers of its own. */
static uint64_t least_own(const struct flow_item *item, const struct segments *segments)
{
	return pipe_least_own(item->op->requested, item->amount, segments->end);
}

static bool may_fill_up(const struct flow_item *item, const struct segments *segments)
{
	return least_own(item, segments) < item->amount;
}

static uint64_t last_end(const struct flow_item *item, const struct segments *segments)
{
	return (least_own(item, segments) - 1) % PAGE_LEN + 1;
}

static bool is_all_own(const struct flow_item *item, const struct segments *segments)
{
	return segments_buffers(segments) == segments_fewest(item, segments);
}

static void add_claims(struct claims *claims, const struct flow_item *item,
		       const struct segments *segments)
{
	size_t before = claims->count;

	for (size_t i = 0; i < segments->count; i++) {
		struct claim claim = {segments->list[i], PAGE_LEN};

		if (claim.segment.from != claim.segment.to)
			ARENA_PUSH(claims->arena, claims->list, claims->count, claim);
	}
	if (before < claims->count)
		claims->list[claims->count - 1].end = last_end(item, segments);
}

/* The index of the first claim that ends behind a buffer. */
static size_t claim_beyond(const struct claims *claims, uint32_t buffer)
{
	size_t low = 0, high = claims->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(buffer, claims->list[middle].segment.to))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * Where the last buffer ended that the first segment found: as the segment saw it, or as far as the
 * claim on that buffer says, whichever is further.
 */
static uint64_t end_before(const struct claims *claims, const struct segments *segments)
{
	uint32_t from = segments->list[0].from;
	size_t i = claim_beyond(claims, from - 1);

	if (i == claims->count || !is_before(claims->list[i].segment.from, from))
		return segments->end;
	return at_least(claims->list[i].segment.to == from ? claims->list[i].end : PAGE_LEN,
			segments->end);
}

static void add_segment(const struct claims *claims, struct segments *left, uint32_t from,
			uint32_t to)
{
	struct segment segment = {from, to};

	ARENA_PUSH(claims->arena, left->list, left->count, segment);
}

/*
 * Appends the parts of `segment` that are not claimed to `left`. The first segment may have found
 * room in the last buffer of any claim within it, so left->end is at most the end of each of them.
 * True if a claim lies within the segment.
 */
static bool leave_unclaimed(struct claims *claims, struct segments *left, struct segment segment)
{
	bool first = left->count == 0, others = false;

	for (size_t i = claim_beyond(claims, segment.from); i < claims->count; i++) {
		const struct claim *claim = &claims->list[i];

		if (!is_before(claim->segment.from, segment.to) || ++claims->steps > STEPS_MAX)
			break;
		if (is_before(segment.from, claim->segment.from))
			add_segment(claims, left, segment.from, claim->segment.from);
		if (first)
			left->end = at_most(left->end, claim->end);
		segment.from = is_before(claim->segment.to, segment.to) ? claim->segment.to
									: segment.to;
		others = true;
	}
	if (segment.from != segment.to || left->count == 0)
		add_segment(claims, left, segment.from, segment.to);
	return others;
}

/*
 * Sets `left` to the parts of the segments that are not claimed. False if it is unknown whether the
 * odd tail was merged into the previous buffer.
 */
static bool find_unclaimed(struct claims *claims, const struct flow_item *item,
			   const struct segments *segments, struct segments *left)
{
	bool others;

	*left = (struct segments){.index = segments->index, .reported = segments->reported};
	left->end = end_before(claims, segments);
	others = leave_unclaimed(claims, left, segments->list[0]);
	for (size_t i = 1; i < segments->count; i++)
		leave_unclaimed(claims, left, segments->list[i]);
	return !others || !may_fill_up(item, left);
}

static bool take_unclaimed(struct claims *claims, const struct flow_item *item,
			   struct segments *segments)
{
	struct segments left;

	if (!find_unclaimed(claims, item, segments, &left) || !is_all_own(item, &left))
		return false;
	*segments = left;
	return true;
}

/*
 * Claims the buffers of all writes in `open` that have no more than they filled now, and removes
 * these writes from `open`. False if there were none.
 */
static bool claim_more(const struct flow *flow, struct claims *claims, struct segments **open,
		       size_t *count)
{
	struct claims more = {.arena = claims->arena};
	size_t kept = 0;

	qsort(claims->list, claims->count, sizeof(*claims->list), compare_claims);
	for (size_t i = 0; i < *count; i++) {
		const struct flow_item *item = &flow->sends.items[open[i]->index];

		if (take_unclaimed(claims, item, open[i]))
			add_claims(&more, item, open[i]);
		else
			open[kept++] = open[i];
	}
	for (size_t i = 0; i < more.count; i++)
		ARENA_PUSH(claims->arena, claims->list, claims->count, more.list[i]);
	*count = kept;
	return more.count > 0;
}

static void share_rest(struct placing *p, struct claims *claims, struct segments **open,
		       size_t count)
{
	struct segments_share *shares = NULL;
	size_t share_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct flow_item *item = &p->flow->sends.items[open[i]->index];
		struct segments_share share = {.segments = open[i]};
		struct segments left;

		if (!find_unclaimed(claims, item, open[i], &left))
			continue;
		*open[i] = left;
		share.excess = segments_buffers(&left) - segments_fewest(item, &left);
		share.most = pipe_buffers_for(item->amount);
		share.end = last_end(item, &left);
		share.begin_ns = item->op->resumed_ns ? item->op->resumed_ns : item->enter_ns;
		if (segments_buffers(&left) > segments_fewest(item, &left))
			ARENA_PUSH(p->context->round, shares, share_count, share);
	}
	segments_share(p->context->round, shares, share_count);
}

/*
 * The claim of a send that got its place, or was split into segments, in an earlier round; false if
 * neither is so, or if it is ambiguous.
 */
static bool claim_of(const struct flow_item *item, struct claim *claim)
{
	uint64_t from = item->place.placed
				? item->place.from - 1
				: item->place.window.lo; /* it may begin within a buffer */
	uint64_t to = item->place.placed ? item->place.to : item->place.window.hi;

	*claim = (struct claim){{(uint32_t)(from / SLOT_LEN), (uint32_t)(to / SLOT_LEN)},
				to % SLOT_LEN};
	return (item->place.placed || (item->place.part && item->place.held)) && !item->ambiguous &&
	       is_before(claim->segment.from, claim->segment.to);
}

static void claim_earlier(const struct flow *flow, struct claims *claims)
{
	for (size_t i = 0; i < flow->sends.count; i++) {
		struct claim claim;

		if (claim_of(&flow->sends.items[i], &claim))
			ARENA_PUSH(claims->arena, claims->list, claims->count, claim);
	}
}

void segments_claim(struct placing *p, struct segments *all, size_t count)
{
	struct claims claims = {.arena = p->context->round};
	struct segments **open = NULL;
	struct segments_share *left = NULL;
	size_t open_count = 0, left_count = 0;
	bool again = true;

	claim_earlier(p->flow, &claims);
	for (size_t i = 0; i < count; i++) {
		const struct flow_item *item = &p->flow->sends.items[all[i].index];

		struct segments_share one = {.segments = &all[i]};

		if (is_all_own(item, &all[i]))
			add_claims(&claims, item, &all[i]);
		else if (item->amount > PAGE_LEN)
			ARENA_PUSH(p->context->round, open, open_count, &all[i]);
		else
			ARENA_PUSH(p->context->round, left, left_count, one);
	}
	for (size_t pass = 0; again && open_count && claims.count && pass < PASSES_MAX; pass++)
		again = claim_more(p->flow, &claims, open, &open_count);
	share_rest(p, &claims, open, open_count);
	for (size_t i = 0; i < open_count; i++) {
		struct segments_share one = {.segments = open[i]};

		ARENA_PUSH(p->context->round, left, left_count, one);
	}
	segments_doubt(p->context->round, left, left_count);
}

uint64_t segments_fewest(const struct flow_item *item, const struct segments *segments)
{
	return pipe_buffers_for(least_own(item, segments));
}
