// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One order of all drafts: by the time where they are drawn, and where times are equal as the
 * lanes' own orders say. Each lane is a queue of moments; a draft is ready when it is at the head
 * of every queue it stands in, and of the ready ones the earliest goes first (a heap). Messages
 * drawn at the very same time may block each other; then the earliest becomes two rows.
 */
#include <stdlib.h>
#include <string.h>

#include "scene_place.h"

struct ordering {
	struct placing *p;
	size_t *next; /* of a lane: its first moment not yet placed */
	size_t *half; /* of a draft that was split: its arriving half, or 0 */
	/* of a moment: the draft that stands there (an arriving half, after a split) */
	size_t *waiting;
	bool *placed; /* of a draft */
	bool *queued; /* of a draft: in the heap */
	size_t *heap;
	size_t heap_count;
	size_t *order; /* the result */
	size_t order_count;
	size_t capacity; /* of drafts, splits included */
};

static int compare(const struct ordering *o, size_t a, size_t b)
{
	const struct draft *x = &o->p->d->rows[a], *y = &o->p->d->rows[b];

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->sent_ns != y->sent_ns)
		return x->sent_ns < y->sent_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void swap(size_t *a, size_t *b)
{
	size_t keep = *a;

	*a = *b;
	*b = keep;
}

static void heap_push(struct ordering *o, size_t draft)
{
	size_t i = o->heap_count++;

	o->heap[i] = draft;
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
	switch (o->p->d->rows[draft].part) {
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

/* The head of a lane, if there is one left. */
static bool lane_head(const struct ordering *o, size_t lane, size_t *moment)
{
	*moment = o->next[lane];
	return *moment < o->p->count && o->p->moments[*moment].lane == (int)lane;
}

/* Moments of placed drafts leave their queues; who comes to the head is considered. */
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
	o->order[o->order_count++] = draft;
	advance(o, row->from);
	advance(o, row->to);
	if (row->part == SCENE_SENT)
		consider(o, o->half[draft]);
}

/* Ties a split message's halves to each other and to their moments. */
static void adopt_half(struct ordering *o, size_t sent, size_t received)
{
	o->half[sent] = received;
	o->half[received] = sent;
	o->waiting[o->p->arrives[sent]] = received;
}

/* Nothing is ready: the earliest leaving message at a lane's head gives way, else whatever is. */
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
		adopt_half(o, best, scene_split(o->p, best));
		consider(o, best);
	} else if (any != SIZE_MAX) {
		place(o, any);
	}
}

static bool begin(struct ordering *o)
{
	struct scene_drafts *d = o->p->d;

	o->capacity = d->count * 2 + 1;
	o->next = calloc(d->scene->lane_count + 1, sizeof(*o->next));
	o->half = calloc(o->capacity, sizeof(*o->half));
	o->waiting = calloc(o->p->count + 1, sizeof(*o->waiting));
	o->placed = calloc(o->capacity, sizeof(*o->placed));
	o->queued = calloc(o->capacity, sizeof(*o->queued));
	o->heap = calloc(o->capacity, sizeof(*o->heap));
	o->order = calloc(o->capacity, sizeof(*o->order));
	return o->next && o->half && o->waiting && o->placed && o->queued && o->heap && o->order &&
	       !d->failed;
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

/* The halves of one message bear the same number; the arriving one was added later. */
static void find_halves(struct ordering *o)
{
	struct scene_drafts *d = o->p->d;
	size_t *sent = calloc(d->ties + 1, sizeof(*sent));

	for (size_t i = 0; sent && i < d->count; i++) {
		if (d->rows[i].part == SCENE_SENT)
			sent[d->rows[i].tie] = i;
		if (d->rows[i].part == SCENE_RECEIVED)
			adopt_half(o, sent[d->rows[i].tie], i);
	}
	d->failed |= !sent;
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
		if (p->count && p->moments[o->next[lane]].lane != (int)lane)
			o->next[lane] = p->count;
	find_halves(o);
	for (size_t i = 0; i < p->d->count; i++)
		consider(o, i);
	while (o->order_count < p->d->count && !p->d->failed) {
		if (o->heap_count)
			place(o, heap_pop(o));
		else
			unblock(o);
	}
}

static void permute(struct ordering *o)
{
	struct scene_drafts *d = o->p->d;
	struct draft *sorted = calloc(d->count + 1, sizeof(*sorted));

	if (!sorted) {
		d->failed = true;
		return;
	}
	for (size_t i = 0; i < o->order_count; i++)
		sorted[i] = d->rows[o->order[i]];
	free(d->rows);
	d->rows = sorted;
	d->count = o->order_count;
	d->capacity = d->count + 1;
}

void scene_order(struct placing *p)
{
	struct ordering o = {.p = p};

	if (begin(&o)) {
		order_all(&o);
		if (!p->d->failed)
			permute(&o);
	} else {
		p->d->failed = true;
	}
	end(&o);
}
