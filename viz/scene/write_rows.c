// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The last step: leaves out rows beyond the cap, adds idle gaps, writes rows and the lanes'
 * extents.
 */
#include <stdlib.h>
#include <string.h>

#include "viz/scene/fold.h"
#include "viz/scene/pieces.h"

#define IDLE_MIN_NS 10000000 /* a shorter gap is not drawn */
#define IDLE_PART 20	     /* nor is a gap of less than 1/20 of the whole */

/* Consecutive rows that are left out. */
struct gap {
	uint64_t at_ns;
	struct draft_gap sums;
};

static void leave_row_out(struct scene_drafts *d, struct gap *gap, const struct draft *draft)
{
	size_t messages = scene_draft_messages(draft);

	if (!gap->sums.rows++)
		gap->at_ns = draft->at_ns;
	gap->sums.messages += messages;
	d->left_out++;
	d->left_out_messages += messages;
}

/* Writes the note on the rows left out at index `at`; gives the index behind it. */
static size_t close_gap(struct scene_drafts *d, struct gap *gap, size_t at)
{
	struct draft_gap *sums;

	if (!gap->sums.rows)
		return at;
	sums = arena_alloc(d->arena, sizeof(*sums));
	*sums = gap->sums;
	d->rows[at] = (struct draft){.kind = SCENE_NOTE,
				     .from = SCENE_NOWHERE,
				     .to = SCENE_NOWHERE,
				     .at_ns = gap->at_ns};
	d->rows[at].of.left_out = sums;
	*gap = (struct gap){0};
	return at + 1;
}

/* The worst findings are kept wherever they are. */
static bool is_kept(const struct scene_drafts *d, const struct draft *draft)
{
	return draft->kind == SCENE_FOUND && draft->of.mark < d->request->max_rows / 8;
}

static size_t count_kept(const struct scene_drafts *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->count; i++)
		count += is_kept(d, &d->rows[i]);
	return count;
}

/* If `row` is inside a loop, the loop's first row, or with `behind` the row behind its end. */
static size_t outside_loop(const struct scene_drafts *d, size_t row, bool behind)
{
	size_t depth = 0, begin = 0;

	for (size_t i = 0; i < d->count; i++) {
		if (i >= row && !depth)
			return i;
		if (i >= row && !behind)
			return begin;
		if (d->rows[i].kind == SCENE_LOOP && !depth++)
			begin = i;
		depth -= d->rows[i].kind == SCENE_LOOP_END;
	}
	return d->count;
}

/* Keeps the first three quarters of max_rows and the last one: beginning and end of the trace. */
static void leave_out(struct scene_drafts *d)
{
	size_t max = d->request->max_rows;
	size_t at = max - max / 4 - 1 - 2 * count_kept(d);
	size_t last = d->count - max / 4;
	struct gap gap = {0};

	at = outside_loop(d, at, false);
	last = outside_loop(d, last, true);
	for (size_t i = at; i < last; i++) {
		struct draft draft = d->rows[i];

		if (is_kept(d, &draft)) {
			at = close_gap(d, &gap, at);
			d->rows[at++] = draft;
		} else {
			leave_row_out(d, &gap, &draft);
		}
	}
	at = close_gap(d, &gap, at);
	memmove(&d->rows[at], &d->rows[last], (d->count - last) * sizeof(*d->rows));
	d->count = at + (d->count - last);
}

static uint64_t span_ns(const struct scene_drafts *d)
{
	return d->count ? d->rows[d->count - 1].at_ns - d->start_ns : 0;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* A folded row lasts until the last draft that it stands for. */
static uint64_t end_ns(const struct draft *draft)
{
	return draft->fold && draft->fold->until_ns ? draft->fold->until_ns : draft->at_ns;
}

/* `since_ns`: until then the rows before it lasted. */
static bool is_idle(const struct draft *before, const struct draft *draft, uint64_t since_ns,
		    uint64_t limit_ns)
{
	return draft->kind != SCENE_LOOP_END && draft->at_ns > since_ns &&
	       draft->at_ns - since_ns >= IDLE_MIN_NS && draft->at_ns - since_ns >= limit_ns &&
	       before->kind != SCENE_NOTE;
}

/* Walks over the rows, and over the pauses of the command beside them. */
struct idling {
	struct scene_drafts *d;
	uint64_t limit_ns; /* a shorter gap is not drawn */
	uint64_t lives_ns; /* lives that are one row lasted until then */
	size_t pause;	   /* the next one */
	size_t depth;	   /* of loops */
};

/*
 * Takes the pauses before a row. Those while the row before it lasted, or within a loop, or
 * among rows left out, have no place of their own: only a note tells of them.
 */
static struct draft_idle pauses_take(struct idling *w, const struct draft *draft, uint64_t since_ns)
{
	const struct viz_model *model = w->d->request->model;
	struct draft_idle idle = {0};

	for (; w->pause < model->pause_count && model->pauses[w->pause].at_ns < draft->at_ns;
	     w->pause++) {
		if (w->depth || model->pauses[w->pause].at_ns < since_ns)
			continue;
		idle.pauses++;
		idle.paused_ns += model->pauses[w->pause].stood_ns;
	}
	return idle;
}

static void idle_before(struct idling *w, const struct draft *before, const struct draft *draft)
{
	bool left_out = before->kind == SCENE_NOTE && before->from == SCENE_NOWHERE;
	uint64_t since_ns = latest(end_ns(before), w->lives_ns);
	struct draft_idle idle = pauses_take(w, draft, left_out ? UINT64_MAX : since_ns);
	struct draft_idle *told;
	struct draft *row;

	if (!idle.pauses && !is_idle(before, draft, since_ns, w->limit_ns))
		return;
	row = scene_draft(w->d, SCENE_IDLE, SCENE_NOWHERE, SCENE_NOWHERE);
	idle.ns = draft->at_ns - since_ns;
	told = arena_alloc(w->d->arena, sizeof(*told));
	*told = idle;
	row->of.idle = told;
	row->at_ns = draft->at_ns - idle.ns / 2;
}

static uint64_t lives_end_ns(const struct draft *draft)
{
	return scene_lives_end_ns(scene_detail(draft)->lives);
}

static void add_idle(struct scene_drafts *d)
{
	struct idling w = {.d = d, .limit_ns = span_ns(d) / IDLE_PART};
	struct draft *before = d->rows;
	size_t count = d->count;

	d->rows = NULL;
	d->count = d->capacity = 0;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			idle_before(&w, &before[i - 1], &before[i]);
		else
			pauses_take(&w, &before[i], UINT64_MAX);
		if (scene_detail(&before[i])->lives)
			w.lives_ns = latest(w.lives_ns, lives_end_ns(&before[i]));
		w.depth += before[i].kind == SCENE_LOOP;
		w.depth -= before[i].kind == SCENE_LOOP_END && w.depth > 0;
		*scene_draft(d, before[i].kind, before[i].from, before[i].to) = before[i];
	}
	free(before);
}

void scene_cap(struct scene_drafts *d)
{
	if (d->request->max_rows && d->count > d->request->max_rows)
		leave_out(d);
	add_idle(d);
}

/* --- lanes --- */

static void count_message(struct scene *scene, int lane)
{
	if (lane >= 0)
		scene->lanes[lane].messages++;
}

/* What the rows show of a lane. */
struct life {
	size_t first; /* the first row that touches it; SIZE_MAX: none */
	size_t last;
	bool born;   /* the first one is its birth */
	bool exited; /* one of them is its exit */
};

static void touch(struct life *lives, int lane, size_t row, bool born)
{
	struct life *life = &lives[lane < 0 ? 0 : lane];

	if (lane < 0)
		return;
	if (life->first == SIZE_MAX) {
		life->first = row;
		life->born = born;
	}
	life->last = row;
}

/* The time in which the actors of a lane lived: from the first birth to the last end. */
struct span {
	bool known;
	bool before_trace;
	bool ended;
	uint64_t start_ns, end_ns;
};

static void add_to_span(struct span *span, const struct scene_actor *actor)
{
	uint64_t start_ns = scene_actor_start_ns(actor), end_ns = scene_actor_end_ns(actor);

	if (!span->known)
		*span = (struct span){
			.known = true, .ended = true, .start_ns = start_ns, .end_ns = end_ns};
	span->before_trace |= actor->before_trace;
	span->ended &= end_ns != VIZ_NEVER;
	if (start_ns < span->start_ns)
		span->start_ns = start_ns;
	if (end_ns > span->end_ns)
		span->end_ns = end_ns;
}

/* By lane; `known` is false for lanes without actors. */
static struct span *find_spans(struct scene_drafts *d)
{
	struct span *spans = arena_array(d->arena, d->scene->lane_count + 1, sizeof(*spans));

	for (size_t i = 0; i < d->actor_count; i++)
		if (d->lane_of[i] >= 0)
			add_to_span(&spans[d->lane_of[i]], &d->actors[i]);
	return spans;
}

/*
 * Sets the rows in which a lane lives. Where its rows were left out, the times of its actors
 * decide.
 */
static void settle_life(const struct scene_drafts *d, size_t index, const struct life *life,
			const struct span *span)
{
	struct scene_lane *lane = &d->scene->lanes[index];
	size_t start = span->before_trace || !span->known ? 0 : scene_row_after(d, span->start_ns);

	lane->born = span->known && life->born;
	lane->first_row = lane->born || life->first < start ? life->first : start;
	if (!span->ended || !d->count)
		return;
	lane->ended = true;
	lane->last_row = life->last;
	if (!life->exited) {
		size_t after = scene_row_after(d, span->end_ns);

		if (after > life->last + 1)
			lane->last_row = after - 1;
	}
	if (lane->first_row > lane->last_row)
		lane->first_row = lane->last_row;
}

static void write_lives(struct scene_drafts *d)
{
	struct scene *scene = d->scene;
	struct life *lives = arena_array(d->arena, scene->lane_count + 1, sizeof(*lives));
	struct span *spans = find_spans(d);

	for (size_t i = 0; i < scene->lane_count; i++)
		lives[i].first = SIZE_MAX;
	for (size_t i = 0; i < scene->row_count; i++) {
		/*
		 * A half touches one lane only: the sender may be gone when the other half arrives.
		 */
		if (scene->rows[i].part != SCENE_RECEIVED && !scene->rows[i].tailless)
			touch(lives, scene->rows[i].from, i, false);
		if (scene->rows[i].part != SCENE_SENT)
			touch(lives, scene->rows[i].to, i, scene->rows[i].kind == SCENE_FORK);
		if (scene->rows[i].kind == SCENE_EXIT && scene->rows[i].from >= 0)
			lives[scene->rows[i].from].exited = true;
	}
	for (size_t i = 0; i < scene->lane_count; i++)
		settle_life(d, i, &lives[i], &spans[i]);
}

static void set_span(const struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	if ((draft->kind != SCENE_MESSAGE && draft->kind != SCENE_SIGNAL) || draft->fold ||
	    draft->from < 0 || draft->to < 0)
		return;
	if (draft->sent_ns >= d->start_ns)
		row->left_ns = draft->sent_ns - d->start_ns;
	if (draft->received_ns >= d->start_ns)
		row->arrived_ns = draft->received_ns - d->start_ns;
}

void scene_write(struct scene_drafts *d)
{
	struct scene *scene = d->scene;

	scene->start_ns = d->start_ns;
	for (size_t i = 0; i < d->count; i++) {
		const struct draft *draft = &d->rows[i];
		struct scene_row *row = scene_add_row(scene, draft->kind, draft->from, draft->to);

		row->part = draft->part;
		row->tie = draft->tie;
		row->at_ns = draft->at_ns - d->start_ns;
		set_span(d, draft, row);
		scene_text(d, draft, row);
		scene_link_piece(d, draft);
		if (scene_draft_is_message(draft)) {
			count_message(scene, draft->from);
			count_message(scene, draft->to);
		}
	}
	write_lives(d);
	scene_write_bars(d);
}
