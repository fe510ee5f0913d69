// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A pipe of which records are missing, and of which only one side tells its positions: the other
 * one splices, so its places are no counted bytes. The side with positions shows by itself where
 * one of its calls is missing. What it found in the pipe when a call began tells how far the other
 * side had come, if that one moved nothing just then. Two such samples that agree prove that
 * nothing is missing on the other side between them; from one that does not, counting begins anew.
 *
 * Bytes of both sides are counted from the first item on; a sample says by how much the counts of
 * the same byte differ.
 */
#include "pair_counted.h"
#include "search.h"

#define WAITING_MAX 4096 /* items that wait for a sample */

static void add_part(struct counting *c, const struct flow_item *send,
		     const struct flow_item *receive, uint64_t at, uint64_t len, bool proven)
{
	struct flow_piece piece = {.send = send, .receive = receive, .start = at, .amount = len};
	bool exact = proven && !send->doubt && !receive->doubt &&
		     !flow_contradicts(c->flow, &piece);

	pair_add_part(c->context, c->route, &piece)->match = exact ? MATCH_EXACT : MATCH_AMBIGUOUS;
}

/* As far as `used` in its own bytes, what is not yet told of it is nobody's that we know. */
static void use(struct counting *c, struct flow_item *item, bool receive, uint64_t from,
		uint64_t to)
{
	if (from > item->used) {
		struct flow_piece piece = {.receive = item,
					   .start = item->start + item->used,
					   .amount = from - item->used};

		c->unknown += piece.amount;
		if (!c->unknown_ns || item->enter_ns < c->unknown_ns)
			c->unknown_ns = item->enter_ns;
		if (receive)
			pair_add_part(c->context, c->route, &piece)->match = MATCH_AMBIGUOUS;
	}
	item->used = to;
}

static uint64_t known_end(const void *counting, size_t at)
{
	const struct counting *c = counting;

	return c->known_at[at] + c->known[at]->amount;
}

/* The first item of the side with positions that reaches beyond a count. */
static size_t first_beyond(const struct counting *c, uint64_t at, size_t low)
{
	return search_beyond(c, low, c->known_count, known_end, at);
}

/* Joins an item of the other side with those that have its bytes by this sample. */
static void join_item(struct counting *c, const struct sample *sample, size_t at, size_t reach_end,
		      bool proven)
{
	struct flow_item *other = c->other[at];
	uint64_t begin = c->other_at[at] - sample->shift;

	if ((int64_t)begin < 0)
		return; /* what had it is missing */
	other->start = begin;
	for (size_t i = first_beyond(c, begin, sample->reach); i < reach_end; i++) {
		struct flow_item *known = c->known[i];
		uint64_t from = most(c->known_at[i] + known->used, begin + other->used);
		uint64_t to = least(known_end(c, i), begin + other->amount);
		bool sure = proven && i >= sample->begin && i < sample->end;

		if (c->known_at[i] >= begin + other->amount)
			return;
		if (from >= to)
			continue;
		known->start = c->known_at[i];
		use(c, known, c->receives, from - known->start, to - known->start);
		use(c, other, !c->receives, from - begin, to - begin);
		add_part(c, c->receives ? other : known, c->receives ? known : other, from,
			 to - from, sure);
	}
}

/* What the other side had moved before the first sample after a gap, and is not paired yet. */
static size_t first_unpaired(const struct counting *c, size_t before)
{
	while (before && c->other[before - 1]->used < c->other[before - 1]->amount)
		before--;
	return before;
}

/* Where nobody can tell any more how much is missing. */
static size_t reach_end(const struct counting *c, size_t sample)
{
	for (size_t k = sample + 1; k < c->sample_count; k++)
		if (c->samples[k].first)
			return c->samples[k].begin;
	return c->known_count;
}

static void join_all(struct counting *c)
{
	size_t at = 0;

	for (size_t k = 0; k < c->sample_count; k++) {
		const struct sample *sample = &c->samples[k];

		for (size_t i = at; k && sample->first && i < sample->other; i++)
			join_item(c, sample - 1, i, sample->begin, false);
		if (sample->first)
			at = first_unpaired(c, at);
		for (; at < sample->other; at++)
			join_item(c, sample, at, reach_end(c, k), sample->proven);
	}
	for (; pair_is_last(c->context) && at < c->other_count; at++)
		join_item(c, &c->samples[c->sample_count - 1], at, c->known_count, false);
}

/* Nobody else will be found for what lies before this. */
static void finish(struct counting *c, struct flow_item **items, const uint64_t *at, size_t count,
		   uint64_t front, bool receives)
{
	for (size_t i = 0; i < count && (int64_t)(at[i] - front) < 0; i++) {
		uint64_t done = least(items[i]->amount, front - at[i]);

		if (done <= items[i]->used)
			continue;
		items[i]->start = at[i];
		use(c, items[i], receives, done, done);
	}
}

static void tell_unread(struct counting *c)
{
	for (size_t i = 0; i < c->flow->sends.count; i++) {
		struct flow_item *item = &c->flow->sends.items[i];
		struct flow_piece piece = {.send = item, .amount = item->amount - item->used};

		if (item->open || !piece.amount)
			continue;
		item->start = 0;
		piece.start = item->used;
		pair_add_rest(c->context, c->route, &piece)->match = MATCH_AMBIGUOUS;
		item->used = item->amount;
	}
}

static void tell_gap(struct counting *c)
{
	struct viz_gap gap = {.mechanism = c->route->mechanism,
			      .channel = c->route->channel,
			      .units = c->unknown,
			      .bytes = true,
			      .from_ns = c->unknown_ns,
			      .to_ns = c->flow->until_ns};

	if (c->unknown)
		pair_add_gap(c->context, &gap);
}

static void finish_all(struct counting *c)
{
	const struct sample *last = &c->samples[c->sample_count - 1];
	uint64_t front = last->front, behind = last->front + last->shift;

	if (pair_is_last(c->context))
		front = c->known_at[c->known_count];
	if (c->receives || !pair_is_last(c->context))
		finish(c, c->known, c->known_at, c->known_count, front, c->receives);
	if (pair_is_last(c->context))
		behind = c->other_at[c->other_count];
	if (!c->receives || !pair_is_last(c->context))
		finish(c, c->other, c->other_at, c->other_count, behind, !c->receives);
	if (pair_is_last(c->context))
		tell_unread(c);
	else
		c->flow->placed_ns = counting_not_before(c, last->known);
}

bool pair_flow_counted(struct pair_context *context, struct flow *flow,
		       const struct pair_route *route)
{
	struct counting c = {.context = context, .flow = flow, .route = route};

	if (!counting_begin(&c))
		return false;
	counting_sample(&c);
	if (!c.sample_count)
		return !pair_is_last(context) && c.known_count + c.other_count < WAITING_MAX;
	flow->sent = true;
	join_all(&c);
	finish_all(&c);
	tell_gap(&c);
	return true;
}
