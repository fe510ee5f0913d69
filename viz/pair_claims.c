// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which buffers of a pipe are certainly whose. The ends of a turn are looked at without the lock,
 * so others may have written within it. A write that has room for no buffer but its own has claimed
 * all of them; what is left to the others may be no more than their own then, and so on.
 */
#include <stdlib.h>

#include "pair_turns.h"

#define PASSES_MAX 16
#define STEPS_MAX 1000000 /* of a search; behind these, nothing is claimed */

struct claim {
	struct turn turn;
	uint64_t end; /* so far, or further, its last buffer is full */
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

	return (x->turn.from > y->turn.from) - (x->turn.from < y->turn.from);
}

/* So many of its bytes would go into the last buffer that it finds, if there were room. */
static uint64_t part_of(const struct flow_item *item)
{
	return at_least(item->op->requested, item->amount) % PAGE_LEN;
}

static bool may_fill_up(const struct flow_item *item, const struct turns *turns)
{
	uint64_t part = part_of(item);

	return part && part <= item->amount && turns->end + part <= PAGE_LEN;
}

/* What goes into buffers of its own at least. */
static uint64_t least_own(const struct flow_item *item, const struct turns *turns)
{
	return item->amount - (may_fill_up(item, turns) ? part_of(item) : 0);
}

static uint64_t buffers_for(uint64_t bytes)
{
	return (bytes + PAGE_LEN - 1) / PAGE_LEN;
}

static uint64_t last_end(const struct flow_item *item, const struct turns *turns)
{
	return (least_own(item, turns) - 1) % PAGE_LEN + 1;
}

static bool is_all_own(const struct flow_item *item, const struct turns *turns)
{
	return turns_buffers(turns) == buffers_for(least_own(item, turns));
}

static void add_claims(struct claims *claims, const struct flow_item *item,
		       const struct turns *turns)
{
	size_t before = claims->count;

	for (size_t i = 0; i < turns->count; i++) {
		struct claim claim = {turns->list[i], PAGE_LEN};

		if (claim.turn.from != claim.turn.to)
			ARENA_PUSH(claims->arena, claims->list, claims->count, claim);
	}
	if (before < claims->count)
		claims->list[claims->count - 1].end = last_end(item, turns);
}

/* The first claim that may reach beyond a buffer. */
static size_t claim_beyond(const struct claims *claims, uint32_t buffer)
{
	size_t low = 0, high = claims->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(buffer, claims->list[middle].turn.to))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* How far the last buffer was full that its first turn found; what went there later is on top. */
static uint64_t end_before(const struct claims *claims, const struct turns *turns)
{
	uint32_t from = turns->list[0].from;
	size_t i = claim_beyond(claims, from - 1);

	if (i == claims->count || !is_before(claims->list[i].turn.from, from))
		return turns->end;
	return at_least(claims->list[i].turn.to == from ? claims->list[i].end : PAGE_LEN,
			turns->end);
}

static void add_turn(const struct claims *claims, struct turns *left, uint32_t from, uint32_t to)
{
	struct turn turn = {from, to};

	ARENA_PUSH(claims->arena, left->list, left->count, turn);
}

/*
 * What nobody has claimed of a turn goes to `left`. Behind any of the others the first turn may
 * have found room. true: there are others.
 */
static bool leave_unclaimed(struct claims *claims, struct turns *left, struct turn turn)
{
	bool first = left->count == 0, others = false;

	for (size_t i = claim_beyond(claims, turn.from); i < claims->count; i++) {
		const struct claim *claim = &claims->list[i];

		if (!is_before(claim->turn.from, turn.to) || ++claims->steps > STEPS_MAX)
			break;
		if (is_before(turn.from, claim->turn.from))
			add_turn(claims, left, turn.from, claim->turn.from);
		if (first)
			left->end = at_most(left->end, claim->end);
		turn.from = is_before(claim->turn.to, turn.to) ? claim->turn.to : turn.to;
		others = true;
	}
	if (turn.from != turn.to || left->count == 0)
		add_turn(claims, left, turn.from, turn.to);
	return others;
}

/* What is left of it; false: nobody knows where the part went that goes where there was room. */
static bool find_unclaimed(struct claims *claims, const struct flow_item *item,
			   const struct turns *turns, struct turns *left)
{
	bool others;

	*left = (struct turns){.index = turns->index, .told = turns->told};
	left->end = end_before(claims, turns);
	others = leave_unclaimed(claims, left, turns->list[0]);
	for (size_t i = 1; i < turns->count; i++)
		leave_unclaimed(claims, left, turns->list[i]);
	return !others || !may_fill_up(item, left);
}

static bool take_unclaimed(struct claims *claims, const struct flow_item *item, struct turns *turns)
{
	struct turns left;

	if (!find_unclaimed(claims, item, turns, &left) || !is_all_own(item, &left))
		return false;
	*turns = left;
	return true;
}

/* Adds what has become certain to the claims; false: nothing has. */
static bool claim_more(const struct flow *flow, struct claims *claims, struct turns **open,
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

static void share_rest(struct placing *p, struct claims *claims, struct turns **open, size_t count)
{
	struct turns_share *shares = NULL;
	size_t share_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct flow_item *item = &p->flow->sends.items[open[i]->index];
		struct turns_share share = {.turns = open[i]};
		struct turns left;

		if (!find_unclaimed(claims, item, open[i], &left))
			continue;
		*open[i] = left;
		share.excess = turns_buffers(&left) - buffers_for(least_own(item, &left));
		share.end = last_end(item, &left);
		share.begin_ns = item->op->resumed_ns ? item->op->resumed_ns : item->enter_ns;
		if (turns_buffers(&left) > buffers_for(least_own(item, &left)))
			ARENA_PUSH(p->context->round, shares, share_count, share);
	}
	turns_share(p->context->round, shares, share_count);
}

/* What has its place since an earlier round, or is a turn since then; false: neither. */
static bool claim_of(const struct flow_item *item, struct claim *claim)
{
	uint64_t from = item->placed ? item->from - 1 : item->lo; /* it may begin within a buffer */
	uint64_t to = item->placed ? item->to : item->hi;

	*claim = (struct claim){{(uint32_t)(from / SLOT_LEN), (uint32_t)(to / SLOT_LEN)},
				to % SLOT_LEN};
	return (item->placed || (item->turn && item->held)) && !item->doubt &&
	       is_before(claim->turn.from, claim->turn.to);
}

static void claim_earlier(const struct flow *flow, struct claims *claims)
{
	for (size_t i = 0; i < flow->sends.count; i++) {
		struct claim claim;

		if (claim_of(&flow->sends.items[i], &claim))
			ARENA_PUSH(claims->arena, claims->list, claims->count, claim);
	}
}

void turns_claim(struct placing *p, struct turns *all, size_t count)
{
	struct claims claims = {.arena = p->context->round};
	struct turns **open = NULL;
	size_t open_count = 0;
	bool again = true;

	claim_earlier(p->flow, &claims);
	for (size_t i = 0; i < count; i++) {
		const struct flow_item *item = &p->flow->sends.items[all[i].index];

		if (is_all_own(item, &all[i]))
			add_claims(&claims, item, &all[i]);
		else if (item->amount > PAGE_LEN)
			ARENA_PUSH(p->context->round, open, open_count, &all[i]);
	}
	for (size_t pass = 0; again && open_count && claims.count && pass < PASSES_MAX; pass++)
		again = claim_more(p->flow, &claims, open, &open_count);
	share_rest(p, &claims, open, open_count);
}
