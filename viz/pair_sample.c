// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Both sides of a pipe counted, and what was found in it when nobody moved anything. */
#include <stdlib.h>

#include "pair_counted.h"

#define PAGE_LEN 4096
#define MISSING_MAX ((uint64_t)1 << 30)

static bool is_settled(const struct flow *flow, const struct flow_item *item)
{
	return !item->open && item->exit_ns < flow->until_ns;
}

static bool tells_positions(const struct flow *flow, const struct flow_side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct viz_operation *op = side->items[i].op;

		if (is_settled(flow, &side->items[i]) &&
		    (!op->at_entry.known || !op->at_exit.known || op->role == ROLE_TRANSFER))
			return false;
	}
	return side->count > 0;
}

static int compare_enters(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	return (x->local > y->local) - (x->local < y->local);
}

static uint64_t *list(struct counting *c, struct flow_side *side, struct flow_item ***items,
		      size_t *count)
{
	uint64_t *at;

	for (size_t i = 0; i < side->count; i++)
		if (is_settled(c->flow, &side->items[i]))
			ARENA_PUSH(c->context->round, *items, *count, &side->items[i]);
	if (*count)
		qsort(*items, *count, sizeof(**items), compare_enters);
	at = arena_array(c->context->round, *count + 1, sizeof(*at));
	for (size_t i = 0; i < *count; i++) {
		at[i + 1] = at[i] + (*items)[i]->amount;
		(*items)[i]->used = 0;
	}
	return at;
}

static bool is_pipe_end(const struct viz_channel *channel)
{
	return channel && (channel->mechanism == MECH_PIPE || channel->mechanism == MECH_FIFO);
}

/* It last waited for what the writer of its pipe has written. */
static bool waited_for_data(const struct counting *c, const struct viz_operation *op)
{
	const struct viz_operation *waker = viz_model_operation(c->context->model, op->waker);

	return waker && op->channel && viz_operation_sink(waker) == op->channel;
}

/*
 * When it moved something, at the earliest. Who has slept had moved nothing before, fs/pipe.c and
 * fs/splice.c; but a large write goes on in parts, and so does what a socket takes.
 */
static uint64_t begin_of(const struct counting *c, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	bool in_parts = op->requested > PAGE_LEN;

	if (op->role == ROLE_TRANSFER)
		in_parts = !is_pipe_end(op->channel_out) && !waited_for_data(c, op);
	return op->resumed_ns && !in_parts ? op->resumed_ns : item->enter_ns;
}

/* Before the first of the other side's calls that are not settled. */
static uint64_t known_until(const struct counting *c)
{
	const struct flow_side *side = c->receives ? &c->flow->sends : &c->flow->receives;
	uint64_t until_ns = c->receives ? c->flow->until_ns : c->flow->open_receive_ns;

	for (size_t i = 0; i < side->count; i++)
		if (!is_settled(c->flow, &side->items[i]) && side->items[i].enter_ns < until_ns)
			until_ns = side->items[i].enter_ns;
	return until_ns < c->flow->until_ns ? until_ns : c->flow->until_ns;
}

enum join { JOINED, JOINED_MAYBE, APART };

static enum join writes_join(const struct viz_position *from, const struct viz_position *to)
{
	return from->head == to->head && from->end == to->end ? JOINED : APART;
}

/* Where bytes that were spliced begin in their slot, nobody tells. */
static enum join reads_join(const struct viz_position *from, const struct viz_position *to)
{
	bool was_empty = from->head == from->tail, is_empty = to->head == to->tail;

	if (from->tail != to->tail || (is_empty && !was_empty))
		return APART;
	if (is_empty || (!was_empty && from->start == to->start))
		return JOINED;
	if (!was_empty)
		return APART;
	return to->start == 0 ? JOINED : JOINED_MAYBE;
}

/* Whether nothing is missing between an item of the side with positions and the one before. */
static enum join joins(const struct counting *c, size_t at)
{
	const struct viz_operation *before, *op = c->known[at]->op;

	if (at == 0)
		return JOINED;
	before = c->known[at - 1]->op;
	if (before == op)
		return JOINED;
	if (before->exit_ns > op->enter_ns)
		return APART;
	return c->receives ? reads_join(&before->at_exit, &op->at_entry)
			   : writes_join(&before->at_exit, &op->at_entry);
}

/* The other side moved nothing from `from_ns` to `to_ns`; *other: how many had moved before. */
static bool is_quiet(const struct counting *c, uint64_t from_ns, uint64_t to_ns, size_t *other)
{
	while (*other < c->other_count && c->other[*other]->exit_ns <= from_ns)
		++*other;
	for (size_t i = *other; i < c->other_count && c->other[i]->enter_ns < to_ns; i++)
		if (begin_of(c, c->other[i]) < to_ns)
			return false;
	return to_ns <= c->until_ns;
}

/* A sample was taken after the same thread's call before had returned. */
uint64_t counting_not_before(const struct counting *c, size_t at)
{
	const struct flow_item *before = at ? c->known[at - 1] : NULL;
	uint64_t from_ns = c->flow->placed_ns;

	if (before && before->op->thread == c->known[at]->op->thread)
		return most(before->exit_ns, from_ns);
	return before ? most(before->enter_ns, from_ns) : from_ns;
}

/*
 * Something is missing on the side with positions. If nothing is on the other one, the samples tell
 * how much; from there on all is counted as if that were there.
 */
static bool bridge(struct counting *c, struct sample *sample, const struct sample *last)
{
	uint64_t missing = sample->shift - last->shift;

	if (missing == 0 || missing > MISSING_MAX)
		return false;
	for (size_t i = sample->begin; i <= c->known_count; i++)
		c->known_at[i] += missing;
	sample->front += missing;
	sample->shift -= missing;
	sample->reach = last->reach;
	return true;
}

static void add_sample(struct counting *c, struct sample sample, bool certain)
{
	const struct sample *last = c->sample_count ? &c->samples[c->sample_count - 1] : NULL;
	uint64_t bytes = c->known[sample.known]->op->at_entry.bytes;
	bool joined = last && last->begin == sample.begin;

	sample.front = c->known_at[sample.known] - (c->receives ? 0 : bytes);
	sample.shift = c->other_at[sample.other] - (c->receives ? bytes : 0) - sample.front;
	sample.reach = joined ? last->reach : sample.begin;
	sample.first = !joined && !(last && bridge(c, &sample, last));
	sample.proven = joined && certain && last->shift == sample.shift;
	ARENA_PUSH(c->context->round, c->samples, c->sample_count, sample);
}

/* Where what is joined with a sample's items ends. */
static void find_ends(struct counting *c)
{
	size_t sample = c->sample_count, end = c->known_count;

	for (size_t i = c->known_count; i > 0; i--) {
		for (; sample && c->samples[sample - 1].known == i - 1; sample--)
			c->samples[sample - 1].end = end;
		if (joins(c, i - 1) == APART)
			end = i - 1;
	}
}

void counting_sample(struct counting *c)
{
	struct sample sample = {0};
	bool certain = true; /* nothing may be missing since the last sample */

	for (size_t i = 0; i < c->known_count; i++) {
		enum join join = joins(c, i);
		const struct flow_item *item = c->known[i];

		if (join == APART)
			sample.begin = i;
		certain &= join == JOINED;
		sample.known = i;
		if ((i && c->known[i - 1]->op == item->op) || item->local ||
		    item->enter_ns < c->flow->placed_ns || !item->op->at_entry.has_bytes ||
		    !is_quiet(c, counting_not_before(c, i), item->enter_ns, &sample.other))
			continue;
		add_sample(c, sample, certain);
		certain = true;
	}
	find_ends(c);
}

bool counting_begin(struct counting *c)
{
	struct flow *flow = c->flow;

	c->receives = tells_positions(flow, &flow->receives);
	if (c->receives == tells_positions(flow, &flow->sends))
		return false;
	c->known_at = list(c, c->receives ? &flow->receives : &flow->sends, &c->known,
			   &c->known_count);
	c->other_at = list(c, c->receives ? &flow->sends : &flow->receives, &c->other,
			   &c->other_count);
	c->until_ns = known_until(c);
	return true;
}
