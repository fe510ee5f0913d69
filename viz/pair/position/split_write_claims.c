// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds which buffers of a pipe certainly belong to which large write. The ends of a segment are
 * read without the pipe's lock, so other writes may lie within it. A write whose segments have no
 * more buffers than it filled owns, or claims, all of them. That may leave another write no more
 * buffers than it filled, and so on. Then what nobody else can have filled decides, then what the
 * trace calls sure; what still remains is shared, and ambiguous.
 */
#include <stdlib.h>

#include "viz/pair/position/write_segments.h"

#define PASSES_MAX 16
#define STEPS_MAX 1000000 /* per search */

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

/* True if the search was given up: not all claims were looked at, so none holds any more. */
static bool is_exhausted(const struct claims *claims)
{
	return claims->steps > STEPS_MAX;
}

static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return (x->segment.from > y->segment.from) - (x->segment.from < y->segment.from);
}

static void sort_claims(struct claims *claims)
{
	if (claims->count)
		qsort(claims->list, claims->count, sizeof(*claims->list), compare_claims);
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
 * Where the last buffer before `from` ended: as the write saw it (`seen`), or as far as the claim
 * on that buffer says, whichever is further.
 */
static uint64_t end_before(const struct claims *claims, uint32_t from, uint64_t seen)
{
	size_t i = claim_beyond(claims, from - 1);

	if (!claims->count || i == claims->count || !is_before(claims->list[i].segment.from, from))
		return seen;
	return at_least(claims->list[i].segment.to == from ? claims->list[i].end : PAGE_LEN, seen);
}

static void add_segment(const struct claims *claims, struct segments *left, uint32_t from,
			uint32_t to)
{
	struct segment segment = {from, to};

	ARENA_PUSH(claims->arena, left->list, left->count, segment);
}

/* The parts of a write's segments that no other one claims. */
struct unclaimed {
	struct segments left;
	uint64_t least_end; /* of the buffers that it may have found at its first segment */
	bool others;	    /* a claim lies within the first segment */
};

/*
 * Appends the parts of `segment` that are not claimed to `left`. The first segment may have found
 * room in the last buffer of any claim within it.
 */
static void leave_unclaimed(struct claims *claims, struct unclaimed *unclaimed,
			    struct segment segment)
{
	struct segments *left = &unclaimed->left;
	bool first = left->count == 0;

	for (size_t i = claim_beyond(claims, segment.from); i < claims->count; i++) {
		const struct claim *claim = &claims->list[i];

		if (!is_before(claim->segment.from, segment.to) || is_exhausted(claims))
			break;
		claims->steps++;
		if (is_before(segment.from, claim->segment.from))
			add_segment(claims, left, segment.from, claim->segment.from);
		if (first)
			unclaimed->least_end = at_most(unclaimed->least_end, claim->end);
		segment.from = is_before(claim->segment.to, segment.to) ? claim->segment.to
									: segment.to;
		unclaimed->others |= first;
	}
	if (segment.from != segment.to || left->count == 0)
		add_segment(claims, left, segment.from, segment.to);
}

static struct unclaimed find_unclaimed(struct claims *claims, const struct segments *segments)
{
	struct unclaimed unclaimed = {.left = *segments};
	struct segments *left = &unclaimed.left;
	uint32_t from = segments->list[0].from;

	left->list = NULL;
	left->count = 0;
	unclaimed.least_end = end_before(claims, from, segments->end);
	leave_unclaimed(claims, &unclaimed, segments->list[0]);
	for (size_t i = 1; i < segments->count; i++)
		leave_unclaimed(claims, &unclaimed, segments->list[i]);
	left->end = end_before(claims, left->list[0].from,
			       left->list[0].from == from || left->merged_nothing ? segments->end
										  : 0);
	return unclaimed;
}

/* False if the bytes beyond whole pages may have been merged into a buffer of another's claim. */
static bool is_layout_known(const struct flow_item *item, const struct unclaimed *unclaimed)
{
	struct segments least = unclaimed->left;

	least.end = unclaimed->least_end;
	return !unclaimed->others || least.merged_nothing || !may_fill_up(item, &least);
}

/*
 * True if what is left is exactly what the write filled. If that is no more than it has filled at
 * the least, the bytes beyond whole pages were merged into the buffer before; else they may have
 * been merged into one within the first segment, too.
 */
static bool is_all_left(const struct flow_item *item, const struct unclaimed *unclaimed)
{
	return is_all_own(item, &unclaimed->left) &&
	       (may_fill_up(item, &unclaimed->left) ||
		(!unclaimed->left.perhaps_merged && is_layout_known(item, unclaimed)));
}

static bool take_unclaimed(struct claims *claims, const struct flow_item *item,
			   struct segments *segments)
{
	struct unclaimed unclaimed = find_unclaimed(claims, segments);

	if (is_exhausted(claims) || !is_all_left(item, &unclaimed))
		return false;
	*segments = unclaimed.left;
	segments->perhaps_merged = false;
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

	sort_claims(claims);
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
		struct unclaimed unclaimed = find_unclaimed(claims, open[i]);

		if (!is_layout_known(item, &unclaimed))
			continue;
		*open[i] = unclaimed.left;
		share.excess = segments_buffers(open[i]) - segments_fewest(item, open[i]);
		share.most = pipe_buffers_for(item->amount);
		share.end = last_end(item, open[i]);
		share.begin_ns = item->op->resumed_ns ? item->op->resumed_ns : item->enter_ns;
		if (segments_buffers(open[i]) > segments_fewest(item, open[i]))
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

/* The writes of which it is not known yet which buffers they filled. */
struct open {
	struct segments **large;
	size_t large_count;
	/* Those that claim none: they may have filled none, or others have as good a claim. */
	struct segments **barred;
	size_t barred_count;
};

/* Sets `tentative` of those with no more buffers than they filled, one of them in common. */
static void doubt_all_own(const struct placing *p, struct segments *all, size_t count)
{
	struct segments **own = NULL;
	size_t own_count = 0;

	for (size_t i = 0; i < count; i++) {
		struct segments *one = &all[i];

		if (!one->perhaps_merged && is_all_own(&p->flow->sends.items[one->index], one))
			ARENA_PUSH(p->context->round, own, own_count, one);
	}
	segments_doubt(p->context->round, own, own_count);
}

static void claim_all_own(struct placing *p, struct claims *claims, struct open *open,
			  struct segments *all, size_t count)
{
	doubt_all_own(p, all, count);
	for (size_t i = 0; i < count; i++) {
		const struct flow_item *item = &p->flow->sends.items[all[i].index];

		if (all[i].tentative || !segments_fewest(item, &all[i]))
			ARENA_PUSH(claims->arena, open->barred, open->barred_count, &all[i]);
		else if (is_all_own(item, &all[i]) && !all[i].perhaps_merged)
			add_claims(claims, item, &all[i]);
		else
			ARENA_PUSH(claims->arena, open->large, open->large_count, &all[i]);
		all[i].tentative = false;
	}
}

static void claim_in_passes(const struct placing *p, struct claims *claims, struct open *open)
{
	bool again = true;

	for (size_t pass = 0; again && open->large_count && pass < PASSES_MAX; pass++)
		again = claim_more(p->flow, claims, open->large, &open->large_count);
}

/* Lists all open writes, the large ones first. */
static struct segments **list_open(struct arena *arena, const struct open *open, size_t *count)
{
	struct segments **list = NULL;

	*count = 0;
	for (size_t i = 0; i < open->large_count; i++)
		ARENA_PUSH(arena, list, *count, open->large[i]);
	for (size_t i = 0; i < open->barred_count; i++)
		ARENA_PUSH(arena, list, *count, open->barred[i]);
	return list;
}

/*
 * Returns, for each write of list_open(), the buffers that nobody else claims. Sets `tentative`
 * where another open one may have filled some of them.
 */
static const struct segments *doubt_left(struct claims *claims, const struct open *open)
{
	size_t count;
	struct segments **list = list_open(claims->arena, open, &count);
	struct segments *left = arena_array(claims->arena, count + 1, sizeof(*left));

	for (size_t i = 0; i < count; i++) {
		left[i] = find_unclaimed(claims, list[i]).left;
		list[i] = &left[i];
	}
	segments_doubt(claims->arena, list, count);
	return left;
}

/*
 * No other write can have filled any buffer of `left`, so this one did. If it needed all of them,
 * its bytes beyond whole pages are in one of them, too. True if that was not known.
 */
static bool trust_left(const struct flow_item *item, struct segments *segments,
		       const struct segments *left)
{
	bool news = segments->perhaps_merged;

	segments->perhaps_merged = false;
	if (!segments->merged_nothing && segments_buffers(left) == pipe_buffers_for(item->amount)) {
		segments->merged_nothing = news = true;
		segments->end = PAGE_LEN;
	}
	return news;
}

/*
 * Every buffer was filled by some write. So a write has all those that no other one claims or may
 * have filled, if the trace has them all: a write that is not completed may have filled some behind
 * the place where it was entered. True if that decides anything.
 */
static bool trust_sole(struct placing *p, struct claims *claims, const struct open *open)
{
	const struct segments *left;
	uint64_t limit = windows_first_unsettled(p);
	bool any = false;

	if (p->context->lost || p->flow->foreign)
		return false;
	left = doubt_left(claims, open);
	if (is_exhausted(claims))
		return false;
	for (size_t i = 0; i < open->large_count; i++) {
		const struct flow_item *item = &p->flow->sends.items[open->large[i]->index];

		if (!left[i].tentative && segments_end(open->large[i]) < limit)
			any |= trust_left(item, open->large[i], &left[i]);
	}
	return any;
}

/*
 * Where nothing better is known, the segments that are not unsure are a write's own if they are as
 * many as it filled. If another write claims one, or may be left with it, it is in doubt.
 */
static void take_turns(struct placing *p, struct claims *claims, struct open *open)
{
	const struct segments *left;
	size_t kept = 0;

	for (size_t i = 0; i < open->large_count; i++)
		if (open->large[i]->turns)
			*open->large[i] = *open->large[i]->turns;
	left = doubt_left(claims, open);
	for (size_t i = 0; i < open->large_count; i++) {
		struct segments *segments = open->large[i];
		const struct flow_item *item = &p->flow->sends.items[segments->index];

		if (left[i].tentative && is_all_own(item, segments)) {
			segments->tentative = true;
			ARENA_PUSH(claims->arena, open->barred, open->barred_count, segments);
		} else {
			open->large[kept++] = segments;
		}
	}
	open->large_count = kept;
	claim_in_passes(p, claims, open);
}

static bool is_claimed(const struct claims *claims, const struct segments *segments)
{
	for (size_t i = 0; i < segments->count; i++) {
		size_t claim = claim_beyond(claims, segments->list[i].from);

		if (claim < claims->count &&
		    is_before(claims->list[claim].segment.from, segments->list[i].to))
			return true;
	}
	return false;
}

/*
 * Assumes that those which are in doubt are right. What they leave to others then adds up, as a
 * rule, and is in doubt like themselves.
 */
static void assume_doubted(struct placing *p, struct claims *claims, struct open *open)
{
	sort_claims(claims);
	for (size_t i = 0; i < open->barred_count && !is_exhausted(claims); i++) {
		const struct segments *segments = open->barred[i];

		if (!segments->tentative || is_claimed(claims, segments))
			continue;
		add_claims(claims, &p->flow->sends.items[segments->index], segments);
		sort_claims(claims);
		claims->steps += claims->count;
	}
	for (size_t i = 0; i < open->large_count; i++)
		open->large[i]->tentative = true;
	claim_in_passes(p, claims, open);
	for (size_t i = 0; i < open->large_count; i++)
		open->large[i]->tentative = false;
}

/*
 * Sets `tentative` of what is open still: where another open write may have filled a buffer, and of
 * large ones of which it is not known whether bytes were merged into another's.
 */
static void doubt_open(const struct placing *p, const struct claims *claims,
		       const struct open *open)
{
	size_t count;
	struct segments **list = list_open(claims->arena, open, &count);

	segments_doubt(claims->arena, list, count);
	for (size_t i = 0; i < count; i++)
		list[i]->tentative |= p->flow->sends.items[list[i]->index].amount > PAGE_LEN &&
				      (list[i]->perhaps_merged || is_exhausted(claims));
}

void segments_claim(struct placing *p, struct segments *all, size_t count)
{
	struct claims claims = {.arena = p->context->round};
	struct open open = {.large = NULL};

	claim_earlier(p->flow, &claims);
	claim_all_own(p, &claims, &open, all, count);
	claim_in_passes(p, &claims, &open);
	if (trust_sole(p, &claims, &open))
		claim_in_passes(p, &claims, &open);
	take_turns(p, &claims, &open);
	assume_doubted(p, &claims, &open);
	share_rest(p, &claims, open.large, open.large_count);
	doubt_open(p, &claims, &open);
}

uint64_t segments_fewest(const struct flow_item *item, const struct segments *segments)
{
	return pipe_buffers_for(least_own(item, segments));
}
