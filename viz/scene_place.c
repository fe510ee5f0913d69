// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where each draft is drawn.
 *
 * What happens at one moment on one lane stays where it is. A message left its sender at some time
 * and had arrived at some later one; one straight arrow may be drawn anywhere between, as long as
 * it overtakes nothing: not what its sender did later, not what its receiver did before. In terms
 * of moments (one for each lane that a draft touches): it may be drawn from where the moment before
 * its arrival is drawn up to where the moment behind its leaving is drawn. Where that leaves no
 * room (messages that cross, a queue that gives the urgent one first, a reader born when the writer
 * was gone), the message becomes two rows, sent and received.
 *
 * Messages are decided by time of receipt. Then all earlier receipts are decided, and a leaving
 * not yet decided is never drawn before its own time: the moments of each lane stay in order.
 */
#include "scene_place.h"

#include <stdlib.h>

#include "model_begin.h"

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_lane_and_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->ns != y->ns)
		return compare(x->ns, y->ns);
	if (x->draft != y->draft)
		return compare(x->draft, y->draft);
	return compare(x->arrival, y->arrival);
}

static void add_moment(struct placing *p, int lane, uint64_t ns, size_t draft, bool arrival)
{
	if (lane >= 0)
		p->moments[p->count++] = (struct moment){
			.lane = lane, .arrival = arrival, .ns = ns, .drawn_ns = ns, .draft = draft};
}

static void make_moments(struct placing *p)
{
	for (size_t i = 0; i < p->d->count; i++) {
		const struct draft *draft = &p->d->rows[i];

		/* What a process sends itself is drawn where it arrives. */
		if (draft->from != draft->to || draft->part != SCENE_WHOLE)
			add_moment(p, draft->from, draft->sent_ns, i, false);
		if (draft->part == SCENE_WHOLE || draft->from < 0)
			add_moment(p, draft->to, draft->received_ns, i, true);
	}
	qsort(p->moments, p->count, sizeof(*p->moments), by_lane_and_time);
	for (size_t i = 0; i < p->d->count; i++)
		p->leaves[i] = p->arrives[i] = NO_MOMENT;
	for (size_t i = 0; i < p->count; i++)
		(p->moments[i].arrival ? p->arrives : p->leaves)[p->moments[i].draft] = i;
}

/* Where the neighbour on the same lane is drawn, or `none`. */
static uint64_t neighbour(const struct placing *p, size_t moment, int step, uint64_t none)
{
	size_t other = moment + (size_t)step;

	if (other >= p->count || p->moments[other].lane != p->moments[moment].lane)
		return none;
	return p->moments[other].drawn_ns;
}

static bool is_two_ended(const struct draft *draft)
{
	return draft->from >= 0 && draft->to >= 0 && draft->from != draft->to &&
	       draft->part == SCENE_WHOLE && draft->sent_ns < draft->received_ns;
}

size_t scene_split(struct placing *p, size_t index)
{
	struct scene_drafts *d = p->d;
	struct draft whole = d->rows[index];
	struct draft *half = scene_draft(d, whole.kind, whole.from, whole.to);
	size_t order = half->order;

	*half = whole;
	half->order = order;
	half->part = SCENE_RECEIVED;
	half->tie = ++d->ties;
	half->at_ns = whole.received_ns;
	d->rows[index].part = SCENE_SENT;
	d->rows[index].tie = d->ties;
	d->rows[index].at_ns = whole.sent_ns;
	return order;
}

static void decide(struct placing *p, size_t index)
{
	struct draft *draft = &p->d->rows[index];
	struct moment *leave = &p->moments[p->leaves[index]];
	struct moment *arrive = &p->moments[p->arrives[index]];
	uint64_t low = neighbour(p, p->arrives[index], -1, 0);
	uint64_t high = neighbour(p, p->leaves[index], 1, UINT64_MAX);

	if (low < draft->sent_ns)
		low = draft->sent_ns;
	if (high > draft->received_ns)
		high = draft->received_ns;
	/* No room, or a point between two others that are drawn at the very same time. */
	if (low > high || (low == high && low > draft->sent_ns && high < draft->received_ns)) {
		scene_split(p, index);
		return;
	}
	draft->at_ns = low > draft->sent_ns && high == draft->received_ns ? high : low;
	leave->drawn_ns = arrive->drawn_ns = draft->at_ns;
}

static int by_receipt(const void *a, const void *b, void *drafts)
{
	const struct draft *x = (struct draft *)drafts + *(const size_t *)a;
	const struct draft *y = (struct draft *)drafts + *(const size_t *)b;

	if (x->received_ns != y->received_ns)
		return compare(x->received_ns, y->received_ns);
	return compare(x->order, y->order);
}

static bool allocate(struct placing *p)
{
	size_t count = p->d->count;

	p->moments = calloc(count * 2 + 1, sizeof(*p->moments));
	p->leaves = calloc(count + 1, sizeof(*p->leaves));
	p->arrives = calloc(count + 1, sizeof(*p->arrives));
	p->by_receipt = calloc(count + 1, sizeof(*p->by_receipt));
	return p->moments && p->leaves && p->arrives && p->by_receipt && !p->d->failed;
}

static uint64_t first_choice_ns(const struct draft *draft)
{
	return draft->from == draft->to && draft->part == SCENE_WHOLE ? draft->received_ns
								      : draft->sent_ns;
}

static void decide_all(struct placing *p)
{
	size_t count = p->d->count;

	for (size_t i = 0; i < count; i++) {
		p->by_receipt[i] = i;
		p->d->rows[i].at_ns = first_choice_ns(&p->d->rows[i]);
	}
	if (count)
		qsort_r(p->by_receipt, count, sizeof(*p->by_receipt), by_receipt, p->d->rows);
	for (size_t i = 0; i < count; i++)
		if (is_two_ended(&p->d->rows[p->by_receipt[i]]))
			decide(p, p->by_receipt[i]);
}

void scene_place(struct scene_drafts *d)
{
	struct placing p = {.d = d};

	if (allocate(&p)) {
		make_moments(&p);
		decide_all(&p);
		scene_order(&p);
	} else {
		d->failed = true;
	}
	free(p.moments);
	free(p.leaves);
	free(p.arrives);
	free(p.by_receipt);
	d->start_ns = viz_model_begin_ns(d->request->model);
	if (d->count && d->rows[0].at_ns < d->start_ns)
		d->start_ns = d->rows[0].at_ns;
}
