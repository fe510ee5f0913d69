// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Places pieces that touch no lane, and splits messages whose ends are too far apart to be seen as
 * one: a brace in the text, or a slanted line, would cross too many rows of others. How many these
 * will be is estimated by the times at which drafts are to be drawn.
 */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/scene/lane/actors.h"
#include "viz/scene/pieces.h"

enum {
#define BOUND(name, number) name = (number),
#include "viz/scene/fold_limits.def"
#undef BOUND
};

struct piece_places {
	struct scene_drafts *d;
	uint64_t *times; /* at which drafts are drawn, ascending */
	size_t count;
	size_t most; /* rows of others between two ends that belong together */
	bool splits; /* what is too far apart becomes halves */
};

/* --- pieces that touch no lane --- */

static struct draft *neighbour(struct scene_drafts *d, const struct draft *draft,
			       enum piece_end end, int step, uint32_t *index)
{
	const struct piece_call *call = scene_piece_call(draft, end);

	*index = call ? (uint32_t)call->drafts[draft->piece->number[end] - 1 + (uint32_t)step] : 0;
	return *index ? &d->rows[*index - 1] : NULL;
}

/* Nobody received this rest of a send: it stands right behind the piece before. */
static void put_rest(struct scene_drafts *d, size_t index)
{
	struct draft *draft = &d->rows[index];
	struct draft *other = neighbour(d, draft, PIECE_SENT, -1, &draft->behind);

	if (!other)
		return;
	other->before = (uint32_t)index + 1;
	draft->at_ns = other->at_ns;
}

/*
 * Its send has begun before, and its receive goes on: it stands before the next piece of that, or
 * if that is two halves, before the arriving one.
 */
static void put_between(struct scene_drafts *d, struct draft *draft)
{
	uint32_t index;
	const struct draft *other = neighbour(d, draft, PIECE_RECEIVED, 1, &index);

	if (other)
		draft->at_ns = other->part == SCENE_WHOLE ? other->at_ns : draft->received_ns;
}

/* From the last piece on, since each may stand beside the next one. */
static void put_loose(struct scene_drafts *d)
{
	for (size_t i = d->count; i-- > 0;)
		if (d->rows[i].tailless && d->rows[i].headless)
			put_between(d, &d->rows[i]);
}

static void put_rests(struct scene_drafts *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->rows[i].tailless && d->rows[i].part != SCENE_RECEIVED)
			put_rest(d, i);
}

/* --- distances --- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return COMPARE(x, y);
}

/* The number of drafts that are drawn before ns, or with `including` at ns too. */
static size_t drawn_before(const struct piece_places *p, uint64_t ns, bool including)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->times[middle] < ns || (including && p->times[middle] == ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_far(const struct piece_places *p, uint64_t from_ns, uint64_t to_ns)
{
	size_t from = drawn_before(p, from_ns, true), to = drawn_before(p, to_ns, false);

	return to > from && to - from > p->most;
}

static bool may_split(const struct draft *draft)
{
	return draft->part == SCENE_WHOLE && draft->from >= 0 && draft->to >= 0 &&
	       draft->from != draft->to && draft->sent_ns < draft->received_ns;
}

/* --- calls of several pieces --- */

/* True if two pieces that follow one another are far apart. */
static bool has_gap(const struct piece_places *p, const struct piece_call *call)
{
	for (uint32_t i = 1; i < call->collected; i++) {
		uint64_t a = p->d->rows[call->drafts[i - 1] - 1].at_ns;
		uint64_t b = p->d->rows[call->drafts[i] - 1].at_ns;

		if (is_far(p, a < b ? a : b, a < b ? b : a))
			return true;
	}
	return false;
}

/* True if a piece would be drawn below the one with the head. */
static bool is_overtaken(const struct piece_places *p, const struct piece_call *call, size_t last)
{
	for (uint32_t i = 0; i < call->collected; i++)
		if (p->d->rows[call->drafts[i] - 1].at_ns > p->d->rows[last].at_ns)
			return true;
	return false;
}

/*
 * True if a piece would hang beside the lane of its call before the birth or after the end of that:
 * another process may live in the column then.
 */
static bool outlives_lane(const struct piece_places *p, const struct piece_call *call, size_t index,
			  enum piece_end end)
{
	const struct scene_drafts *d = p->d;
	size_t lane = (size_t)(end == PIECE_SENT ? d->rows[index].from : d->rows[index].to);
	const struct scene_actor *actor = &d->actors[d->actor_on[lane]];
	uint64_t birth_ns = actor->before_trace ? 0 : scene_actor_start_ns(actor);

	for (uint32_t i = 0; i < call->collected; i++) {
		uint64_t at_ns = d->rows[call->drafts[i] - 1].at_ns;

		if (at_ns < birth_ns || at_ns > d->lane_end_ns[lane])
			return true;
	}
	return false;
}

/* If the piece with the end of its own has become two halves, the others bear their number. */
static void place_call(struct piece_places *p, size_t index, enum piece_end end)
{
	const struct piece_call *call = scene_piece_call(&p->d->rows[index], end);
	unsigned tie;

	if (p->splits && may_split(&p->d->rows[index]) &&
	    (has_gap(p, call) || outlives_lane(p, call, index, end) ||
	     (end == PIECE_RECEIVED && is_overtaken(p, call, index))))
		scene_split(p->d, index);
	tie = p->d->rows[index].tie;
	for (uint32_t i = 0; tie && i < call->collected; i++) {
		struct draft *draft = &p->d->rows[call->drafts[i] - 1];

		if (end == PIECE_SENT ? draft->tailless && draft->part == SCENE_RECEIVED
				      : draft->headless && draft->part == SCENE_SENT)
			draft->tie = tie;
	}
}

/* Of each call of several pieces that hang together, the one that has its end. */
static void place_calls(struct piece_places *p)
{
	size_t count = p->d->count;

	for (size_t i = 0; i < count; i++) {
		const struct draft *draft = &p->d->rows[i];
		const struct scene_piece *piece = draft->piece;

		if (!piece || scene_hangs(draft) || draft->from == draft->to ||
		    (draft->part != SCENE_WHOLE && draft->part != SCENE_SENT) || draft->from < 0 ||
		    draft->to < 0)
			continue;
		if (scene_is_via(p->d, draft->from) || scene_is_via(p->d, draft->to))
			continue;
		if (piece->call[PIECE_SENT])
			place_call(p, i, PIECE_SENT);
		if (piece->call[PIECE_RECEIVED])
			place_call(p, i, PIECE_RECEIVED);
	}
}

/* --- single messages --- */

/* A line that slants across too many rows is two halves, too. */
static void split_long(struct piece_places *p)
{
	size_t count = p->d->count;

	for (size_t i = 0; i < count; i++) {
		const struct draft *draft = &p->d->rows[i];

		if ((draft->kind == SCENE_MESSAGE || draft->kind == SCENE_SIGNAL) &&
		    may_split(draft) && is_far(p, draft->at_ns, draft->received_ns))
			scene_split(p->d, i);
	}
}

static bool has_pieces(const struct scene_drafts *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->rows[i].piece)
			return true;
	return false;
}

bool scene_place_pieces(struct scene_drafts *d, bool splits)
{
	bool slants = d->request->slants;
	struct piece_places p = {.d = d,
				 .count = d->count,
				 .most = slants ? SLANT_MOST : BRACE_MOST,
				 .splits = splits};

	if (!(slants && splits) && !has_pieces(d))
		return false;
	put_loose(d);
	put_rests(d);
	p.times = memory_array(p.count + 1, sizeof(*p.times));
	for (size_t i = 0; i < p.count; i++)
		p.times[i] = d->rows[i].at_ns;
	if (p.count)
		qsort(p.times, p.count, sizeof(*p.times), by_value);
	place_calls(&p);
	if (slants && splits)
		split_long(&p);
	put_loose(d); /* once more, as what they stand beside may have become halves */
	free(p.times);
	return d->count > p.count;
}
