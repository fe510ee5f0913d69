// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decides at which time each draft is drawn.
 *
 * A draft that touches its lanes at one moment is drawn there. A message left its sender at one
 * time and had arrived at a later one; one straight arrow may be drawn at any time between, as long
 * as it overtakes nothing: neither what its sender did later, nor what its receiver did before. In
 * terms of moments (one for each lane that a draft touches), it may be drawn from where the moment
 * before its arrival is drawn up to where the moment after its leaving is drawn. If that leaves no
 * room (messages that cross, a queue that gives the urgent one first, a reader born when the writer
 * was gone), the message becomes two rows, sent and received. A piece that hangs on another one of
 * its call (pieces.h) touches only the lane at which it has an end.
 *
 * Messages are decided in order of receipt. At that point all earlier receipts are decided, and a
 * leaving that is not yet decided is never drawn before its own time, so the moments of each lane
 * stay in order.
 */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/sort.h"
#include "viz/scene/pieces.h"

/* How often messages are made halves because they would cross too many rows. */
enum { ROUNDS_MOST = 4 };

/* --- moments: the points at which drafts touch lanes --- */

#define NO_MOMENT UINT32_MAX

/* One end of a draft on a lane. Moments are sorted by lane, then time. */
struct moment {
	uint64_t ns;	   /* when it happened */
	uint64_t drawn_ns; /* the time at which it is drawn */
	uint32_t draft;
	unsigned lane : 31;
	bool arrival : 1; /* it is the draft's `to` end */
};

struct placing {
	struct scene_drafts *d;
	struct moment *moments;
	size_t count;
	size_t *next;	      /* by lane: where its next moment goes, while they are made */
	uint32_t *leaves;     /* by draft: its moment on `from`, or NO_MOMENT */
	uint32_t *arrives;    /* by draft: its moment on `to`, or NO_MOMENT */
	uint32_t *by_receipt; /* drafts in order of received_ns */
	size_t drafts;	      /* number of drafts, without the halves made here */
};

/*
 * --- order ---
 *
 * Sorts all drafts by the time at which they are drawn, and equal times by the order of each lane.
 * A lane is a queue of moments. A draft is ready when it is at the head of every queue that it is
 * in; of the ready ones the earliest goes first (a heap). Messages drawn at the very same time may
 * block each other; then the earliest becomes two rows.
 */

struct ordering {
	struct placing *p;
	size_t *next;	/* by lane: its first moment not yet placed */
	uint32_t *half; /* by draft: the other half, if it was split; else 0 */
	/* by moment: the draft that it waits for (the received half, after a split) */
	uint32_t *waiting;
	bool *placed; /* by draft */
	bool *queued; /* by draft: it is in the heap */
	uint32_t *heap;
	size_t heap_count;
	uint32_t *order; /* the resulting order of drafts */
	size_t order_count;
	size_t capacity; /* number of drafts, with all possible splits */
};

static int compare(const struct ordering *o, size_t a, size_t b)
{
	const struct draft *x = &o->p->d->rows[a], *y = &o->p->d->rows[b];

	return COMPARE(x->at_ns, y->at_ns)
		       ?: COMPARE(x->sent_ns, y->sent_ns)
		       ?: COMPARE(x->order, y->order);
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t keep = *a;

	*a = *b;
	*b = keep;
}

static void heap_push(struct ordering *o, size_t draft)
{
	size_t i = o->heap_count++;

	o->heap[i] = (uint32_t)draft;
	for (; i > 0 && compare(o, o->heap[i], o->heap[(i - 1) / 2]) < 0; i = (i - 1) / 2)
		swap(&o->heap[i], &o->heap[(i - 1) / 2]);
}

static size_t heap_pop(struct ordering *o)
{
	size_t top = o->heap[0];
	size_t i = 0;

	o->heap[0] = o->heap[--o->heap_count];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < o->heap_count && compare(o, o->heap[child + 1], o->heap[child]) < 0)
			child++;
		if (child >= o->heap_count || compare(o, o->heap[i], o->heap[child]) <= 0)
			return top;
		swap(&o->heap[i], &o->heap[child]);
		i = child;
	}
}

static bool at_head(const struct ordering *o, size_t moment)
{
	return moment == NO_MOMENT || o->next[o->p->moments[moment].lane] == moment;
}

static bool is_ready(const struct ordering *o, size_t draft)
{
	const struct draft *row = &o->p->d->rows[draft];

	if (row->behind && !o->placed[row->behind - 1])
		return false;
	switch (scene_hangs(row) ? SCENE_WHOLE : row->part) {
	case SCENE_RECEIVED:
		return o->placed[o->half[draft]] && at_head(o, o->p->arrives[o->half[draft]]);
	case SCENE_SENT:
		return at_head(o, o->p->leaves[draft]);
	default:
		return at_head(o, o->p->leaves[draft]) && at_head(o, o->p->arrives[draft]);
	}
}

static void consider(struct ordering *o, size_t draft)
{
	if (o->placed[draft] || o->queued[draft] || !is_ready(o, draft))
		return;
	o->queued[draft] = true;
	heap_push(o, draft);
}

/* Gives the moment at the head of a lane; false if none is left. */
static bool lane_head(const struct ordering *o, size_t lane, size_t *moment)
{
	*moment = o->next[lane];
	return *moment < o->p->count && o->p->moments[*moment].lane == lane;
}

/* Removes the moments of placed drafts from a lane's queue and considers its new head. */
static void advance(struct ordering *o, int lane)
{
	size_t moment;

	while (lane >= 0 && lane_head(o, (size_t)lane, &moment) && o->placed[o->waiting[moment]])
		o->next[lane]++;
	if (lane >= 0 && lane_head(o, (size_t)lane, &moment))
		consider(o, o->waiting[moment]);
}

static void place(struct ordering *o, size_t draft)
{
	const struct draft *row = &o->p->d->rows[draft];

	o->placed[draft] = true;
	o->order[o->order_count++] = (uint32_t)draft;
	advance(o, row->from);
	advance(o, row->to);
	if (row->part == SCENE_SENT && !row->headless)
		consider(o, o->half[draft]);
	if (row->before)
		consider(o, row->before - 1);
}

/* Links the two halves of a message, and the arrival to the received half. */
static void adopt_half(struct ordering *o, size_t sent, size_t received)
{
	o->half[sent] = (uint32_t)received;
	o->half[received] = (uint32_t)sent;
	o->waiting[o->p->arrives[sent]] = (uint32_t)received;
}

/*
 * Called when no draft is ready. The earliest whole message that leaves a lane's head is split; if
 * there is none, the earliest draft at any head is placed.
 */
static void unblock(struct ordering *o)
{
	size_t best = SIZE_MAX, any = SIZE_MAX;
	size_t moment;

	for (size_t lane = 0; lane < o->p->d->scene->lane_count; lane++) {
		size_t draft;

		if (!lane_head(o, lane, &moment))
			continue;
		draft = o->waiting[moment];
		if (any == SIZE_MAX || compare(o, draft, any) < 0)
			any = draft;
		if (!o->p->moments[moment].arrival && o->p->d->rows[draft].part == SCENE_WHOLE &&
		    o->p->arrives[draft] != NO_MOMENT &&
		    (best == SIZE_MAX || compare(o, draft, best) < 0))
			best = draft;
	}
	if (best != SIZE_MAX && o->p->d->rows[best].sent_ns < o->p->d->rows[best].received_ns) {
		adopt_half(o, best, scene_split(o->p->d, best));
		consider(o, best);
	} else if (any != SIZE_MAX) {
		place(o, any);
	}
}

static void begin(struct ordering *o)
{
	struct scene_drafts *d = o->p->d;

	o->capacity = d->count * 2 + 1;
	o->next = memory_array(d->scene->lane_count + 1, sizeof(*o->next));
	o->half = memory_array(o->capacity, sizeof(*o->half));
	o->waiting = memory_array(o->p->count + 1, sizeof(*o->waiting));
	o->placed = memory_array(o->capacity, sizeof(*o->placed));
	o->queued = memory_array(o->capacity, sizeof(*o->queued));
	o->heap = memory_array(o->capacity, sizeof(*o->heap));
	o->order = memory_array(o->capacity, sizeof(*o->order));
}

static void end(struct ordering *o)
{
	free(o->next);
	free(o->half);
	free(o->waiting);
	free(o->placed);
	free(o->queued);
	free(o->heap);
	free(o->order);
}

/*
 * Links the halves of messages that scene_place() has split; they share a tie number, and the
 * received half has the higher index.
 */
static void find_halves(struct ordering *o)
{
	struct scene_drafts *d = o->p->d;
	size_t *sent = memory_array(d->ties + 1, sizeof(*sent));

	for (size_t i = 0; i < d->count; i++) {
		if (scene_hangs(&d->rows[i]))
			continue;
		if (d->rows[i].part == SCENE_SENT)
			sent[d->rows[i].tie] = i;
		if (d->rows[i].part == SCENE_RECEIVED)
			adopt_half(o, sent[d->rows[i].tie], i);
	}
	free(sent);
}

static void order_all(struct ordering *o)
{
	const struct placing *p = o->p;

	for (size_t i = p->count; i-- > 0;) {
		o->waiting[i] = p->moments[i].draft;
		o->next[p->moments[i].lane] = i;
	}
	for (size_t lane = 0; lane < p->d->scene->lane_count; lane++)
		if (p->count && p->moments[o->next[lane]].lane != lane)
			o->next[lane] = p->count;
	find_halves(o);
	for (size_t i = 0; i < p->d->count; i++)
		consider(o, i);
	while (o->order_count < p->d->count) {
		if (o->heap_count)
			place(o, heap_pop(o));
		else
			unblock(o);
	}
}

/* Moves the drafts to their places, one circle of the permutation after the other. */
static void permute(struct ordering *o)
{
	struct draft *rows = o->p->d->rows;

	for (uint32_t i = 0; i < o->order_count; i++) {
		const struct draft first = rows[i];
		uint32_t to = i, from;

		for (; (from = o->order[to]) != i; to = from) {
			rows[to] = rows[from];
			o->order[to] = to;
		}
		rows[to] = first;
		o->order[to] = to;
	}
}

static void order_rows(struct placing *p)
{
	struct ordering o = {.p = p};

	begin(&o);
	order_all(&o);
	permute(&o);
	end(&o);
}

/* --- places --- */

static int by_lane_and_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return COMPARE(x->lane, y->lane)
		       ?: COMPARE(x->ns, y->ns)
		       ?: COMPARE(x->draft, y->draft)
		       ?: COMPARE(x->arrival, y->arrival);
}

typedef void take_moment(struct placing *p, const struct moment *moment);

static void count_moment(struct placing *p, const struct moment *moment)
{
	p->next[moment->lane + 1]++;
	p->count++;
}

static void put_moment(struct placing *p, const struct moment *moment)
{
	p->moments[p->next[moment->lane]++] = *moment;
}

static void take_end(struct placing *p, take_moment *take, int lane, struct moment moment)
{
	if (lane < 0)
		return;
	moment.lane = (unsigned)lane;
	moment.drawn_ns = moment.ns;
	take(p, &moment);
}

static void take_moments(struct placing *p, take_moment *take)
{
	for (size_t i = 0; i < p->d->count; i++) {
		const struct draft *draft = &p->d->rows[i];
		struct moment moment = {.ns = draft->sent_ns, .draft = (uint32_t)i};

		/* A message that a process sends to itself is drawn where it arrives. */
		if (!draft->tailless && (draft->from != draft->to || draft->part != SCENE_WHOLE))
			take_end(p, take, draft->from, moment);
		moment.ns = draft->received_ns;
		moment.arrival = true;
		if (!draft->headless &&
		    (draft->part == SCENE_WHOLE || draft->tailless || draft->from < 0))
			take_end(p, take, draft->to, moment);
	}
}

/* Lane by lane; the drafts of each are nearly in order already. */
static void make_moments(struct placing *p)
{
	const size_t lanes = p->d->scene->lane_count;

	p->next = memory_array(lanes + 1, sizeof(*p->next));
	take_moments(p, count_moment);
	for (size_t lane = 0; lane < lanes; lane++)
		p->next[lane + 1] += p->next[lane];
	take_moments(p, put_moment);
	free(p->next);
	sort_nearly(p->moments, p->count, sizeof(*p->moments), by_lane_and_time);
	for (size_t i = 0; i < p->d->count; i++)
		p->leaves[i] = p->arrives[i] = NO_MOMENT;
	for (size_t i = 0; i < p->count; i++)
		(p->moments[i].arrival ? p->arrives : p->leaves)[p->moments[i].draft] = (uint32_t)i;
}

/* The time at which the neighbouring moment on the same lane is drawn; `none` if there is none. */
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
	/* There is no room, or only the one time at which two other drafts are drawn already. */
	if (low > high || (low == high && low > draft->sent_ns && high < draft->received_ns)) {
		scene_split(p->d, index);
		return;
	}
	draft->at_ns = low > draft->sent_ns && high == draft->received_ns ? high : low;
	leave->drawn_ns = arrive->drawn_ns = draft->at_ns;
}

static int by_receipt(const void *a, const void *b, void *drafts)
{
	const struct draft *x = (struct draft *)drafts + *(const uint32_t *)a;
	const struct draft *y = (struct draft *)drafts + *(const uint32_t *)b;

	return COMPARE(x->received_ns, y->received_ns) ?: COMPARE(x->order, y->order);
}

static void allocate(struct placing *p)
{
	size_t count = p->d->count;

	p->moments = memory_array(count * 2 + 1, sizeof(*p->moments));
	p->leaves = memory_array(count + 1, sizeof(*p->leaves));
	p->arrives = memory_array(count + 1, sizeof(*p->arrives));
	p->by_receipt = memory_array(count + 1, sizeof(*p->by_receipt));
}

static uint64_t first_choice_ns(const struct draft *draft)
{
	bool arrives = draft->tailless || (draft->from == draft->to && draft->part == SCENE_WHOLE);

	return arrives ? draft->received_ns : draft->sent_ns;
}

static void sort_receipts(struct placing *p)
{
	for (size_t i = 0; i < p->drafts; i++)
		p->by_receipt[i] = (uint32_t)i;
	if (p->drafts)
		qsort_r(p->by_receipt, p->drafts, sizeof(*p->by_receipt), by_receipt, p->d->rows);
}

/*
 * Also again, if some messages have become halves since: others may not be drawn where they were.
 */
static void decide_all(struct placing *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->moments[i].drawn_ns = p->moments[i].ns;
	for (size_t i = 0; i < p->drafts; i++)
		p->d->rows[i].at_ns = first_choice_ns(&p->d->rows[i]);
	for (size_t i = 0; i < p->drafts; i++)
		if (is_two_ended(&p->d->rows[p->by_receipt[i]]))
			decide(p, p->by_receipt[i]);
}

void scene_place(struct scene_drafts *d)
{
	struct placing p = {.d = d, .drafts = d->count};
	int round = 0;

	allocate(&p);
	make_moments(&p);
	sort_receipts(&p);
	do
		decide_all(&p);
	while (scene_place_pieces(d, round++ < ROUNDS_MOST));
	order_rows(&p);
	free(p.moments);
	free(p.leaves);
	free(p.arrives);
	free(p.by_receipt);
	d->start_ns = viz_model_begin_ns(d->request->model);
	if (d->count && d->rows[0].at_ns < d->start_ns)
		d->start_ns = d->rows[0].at_ns;
}
