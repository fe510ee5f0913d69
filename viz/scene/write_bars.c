// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bars: calls that slept (on a group's lane, only when all members sleep), handlers that ran, and
 * when somebody had shared memory.
 */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/sorted_search.h"
#include "viz/scene/drafts.h"

#define LIVELY_PART 2 /* a call that slept at least 1/2 of its time is a bar */

static void add_bar(struct scene_drafts *d, int lane, enum scene_bar_kind kind, uint64_t from_ns,
		    uint64_t to_ns)
{
	const struct scene_lane *l = &d->scene->lanes[lane];
	size_t first = scene_row_after(d, from_ns);
	size_t last = scene_row_after(d, to_ns);
	struct scene_bar *bar;

	if (first < l->first_row + l->born)
		first = l->first_row + l->born;
	if (last > l->last_row)
		last = l->last_row;
	if (first >= last)
		return;
	bar = scene_add_bar(d->scene, lane, kind);
	bar->first_row = first;
	bar->last_row = last - 1;
	bar->from_ns = from_ns > d->start_ns ? from_ns - d->start_ns : 0;
	bar->to_ns = to_ns > d->start_ns ? to_ns - d->start_ns : 0;
}

/* True if the lane has several threads or processes: others may run while one of them sleeps. */
static bool is_crowd(const struct scene_drafts *d, int lane, const struct viz_process *process)
{
	enum scene_lane_kind kind = d->scene->lanes[lane].kind;

	return kind == SCENE_LANE_GROUP ||
	       (kind == SCENE_LANE_PROCESS && process->thread_count > 1);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whether the call is drawn as a bar, and its end. */
static bool slept(const struct scene_drafts *d, const struct viz_operation *op, uint64_t *until_ns)
{
	*until_ns = op->exit_ns;
	if (viz_operation_done(op))
		return op->off_cpu_ns &&
		       op->off_cpu_ns >= (op->exit_ns - op->enter_ns) / LIVELY_PART;
	*until_ns = least(scene_actor_end_ns(&d->actors[scene_actor_of_operation(d, op)]),
			  d->request->model->end_ns);
	return true;
}

static void add_sleep(struct scene_drafts *d, const struct viz_operation *op)
{
	int lane = scene_lane_of_operation(d, op);
	uint64_t until_ns;

	if (lane >= 0 && !is_crowd(d, lane, op->process) && slept(d, op, &until_ns))
		add_bar(d, lane, SCENE_BLOCKED, op->enter_ns, until_ns);
}

/* A packed call that may be a bar. */
struct sleep {
	uint64_t enter_ns, id, until_ns;
	const struct viz_operation *op; /* packed_brief()'s */
};

struct sleeps {
	struct sleep *items;
	size_t count, capacity;
};

static int by_entry(const void *a, const void *b)
{
	const struct sleep *x = a, *y = b;

	return COMPARE(x->enter_ns, y->enter_ns) ?: COMPARE(x->id, y->id);
}

/* The packed receives that slept while something is drawn; a packed send has not slept. */
static void find_sleeps(const struct scene_drafts *d, struct sleeps *sleeps)
{
	const struct packed_messages *packed = d->request->pairing->packed;

	for (size_t i = 0; packed && i < packed_count(packed); i++) {
		const struct viz_operation *op = packed_whole(packed_at(packed, i))->to.operation;
		uint64_t until_ns;

		if (!slept(d, op, &until_ns) ||
		    scene_row_after(d, op->enter_ns) >= scene_row_after(d, until_ns))
			continue;
		LIST_PUSH(sleeps,
			  ((struct sleep){op->enter_ns, op->id, until_ns,
					  packed_brief(packed_at(packed, i))->to.operation}));
	}
	if (sleeps->count)
		qsort(sleeps->items, sleeps->count, sizeof(*sleeps->items), by_entry);
}

static void add_packed_sleep(struct scene_drafts *d, const struct sleep *sleep)
{
	int lane = scene_lane_of_operation(d, sleep->op);

	if (lane >= 0 && !is_crowd(d, lane, sleep->op->process))
		add_bar(d, lane, SCENE_BLOCKED, sleep->enter_ns, sleep->until_ns);
}

/* In the order of their begin. */
static void add_sleeps(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	struct sleeps sleeps = {0};
	size_t next = 0;

	find_sleeps(d, &sleeps);
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];
		const struct sleep before = {.enter_ns = op->enter_ns, .id = op->id};

		for (; next < sleeps.count && by_entry(&sleeps.items[next], &before) < 0; next++)
			add_packed_sleep(d, &sleeps.items[next]);
		add_sleep(d, op);
	}
	for (; next < sleeps.count; next++)
		add_packed_sleep(d, &sleeps.items[next]);
	free(sleeps.items);
}

static void add_handler(struct scene_drafts *d, const struct viz_signal *signal)
{
	const struct viz_signal_event *deliver = signal->deliver;
	int lane = SCENE_NOWHERE;

	if (deliver && deliver->to)
		lane = d->lane_of[scene_actor_of_tid(d, deliver->to, deliver->to_tid,
						     deliver->at_ns)];
	if (lane >= 0 && signal->end)
		add_bar(d, lane, SCENE_HANDLER, deliver->at_ns, signal->end->at_ns);
}

/* --- of a group --- */

/* A member joins or leaves a group (living), or falls asleep or wakes (asleep). */
struct change {
	int lane;
	uint64_t at_ns;
	int living;
	int asleep;
};

struct changes {
	struct change *items;
	size_t count;
	size_t capacity;
};

static void add_changes(struct changes *changes, struct change change, uint64_t until_ns)
{
	if (change.at_ns >= until_ns)
		return;
	LIST_PUSH(changes, change);
	change.at_ns = until_ns;
	change.living = -change.living;
	change.asleep = -change.asleep;
	LIST_PUSH(changes, change);
}

/* At equal times, wakings come before sleeps. */
static int by_lane_and_time(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return COMPARE(x->lane, y->lane) ?: COMPARE(x->at_ns, y->at_ns) ?: x->asleep - y->asleep;
}

static bool is_group(const struct scene_drafts *d, int lane)
{
	return lane >= 0 && d->scene->lanes[lane].kind == SCENE_LANE_GROUP;
}

/* By lane: a member has several threads, so it is unknown when all of them sleep. */
static bool *find_murky(const struct scene_drafts *d)
{
	bool *murky = arena_array(d->arena, d->scene->lane_count + 1, sizeof(*murky));

	for (size_t i = 0; i < d->actor_count; i++) {
		const struct scene_actor *actor = &d->actors[i];

		if (d->lane_of[i] >= 0 && !actor->thread && actor->process->thread_count > 1)
			murky[d->lane_of[i]] = true;
	}
	return murky;
}

static void collect_change(const struct scene_drafts *d, struct changes *changes,
			   const struct viz_operation *op)
{
	int lane = scene_lane_of_operation(d, op);
	uint64_t until_ns;

	if (is_group(d, lane) && slept(d, op, &until_ns))
		add_changes(changes,
			    (struct change){.lane = lane, .at_ns = op->enter_ns, .asleep = 1},
			    until_ns);
}

static void collect_changes(const struct scene_drafts *d, struct changes *changes)
{
	const struct viz_model *model = d->request->model;
	const struct packed_messages *packed = d->request->pairing->packed;

	for (size_t i = 0; i < d->actor_count; i++)
		if (is_group(d, d->lane_of[i]))
			add_changes(changes,
				    (struct change){.lane = d->lane_of[i],
						    .at_ns = scene_actor_start_ns(&d->actors[i]),
						    .living = 1},
				    scene_actor_end_ns(&d->actors[i]));
	for (size_t i = 0; i < model->operation_count; i++)
		collect_change(d, changes, model->operations[i]);
	for (size_t i = 0; packed && i < packed_count(packed); i++)
		if (is_group(d, scene_lane_of_end(d, &packed_brief(packed_at(packed, i))->to)))
			collect_change(d, changes,
				       packed_whole(packed_at(packed, i))->to.operation);
}

/* Adds a bar for each stretch in which all living members of a group sleep. */
static void add_groups(struct scene_drafts *d)
{
	struct changes changes = {0};
	bool *murky = find_murky(d);
	int living = 0, asleep = 0;
	uint64_t since_ns = VIZ_NEVER;

	collect_changes(d, &changes);
	if (changes.count)
		qsort(changes.items, changes.count, sizeof(*changes.items), by_lane_and_time);
	for (size_t i = 0; i < changes.count; i++) {
		const struct change *change = &changes.items[i];
		bool all;

		living += change->living;
		asleep += change->asleep;
		if (i + 1 < changes.count && change[1].lane == change->lane &&
		    change[1].at_ns == change->at_ns)
			continue;
		all = living && living == asleep && !murky[change->lane];
		if (!all && since_ns != VIZ_NEVER)
			add_bar(d, change->lane, SCENE_BLOCKED, since_ns, change->at_ns);
		if (!all || since_ns == VIZ_NEVER)
			since_ns = all ? change->at_ns : VIZ_NEVER;
	}
	free(changes.items);
}

/* Each stretch in which somebody has it is one bar. */
static void add_held(struct scene_drafts *d, const struct draft_memory *memory)
{
	uint64_t since_ns = 0, until_ns = 0, end_ns = d->request->model->end_ns;

	for (size_t i = 0; memory->lane >= 0 && i < memory->use_count; i++) {
		const struct viz_memory_use *use = &memory->uses[i];

		if (until_ns && use->since_ns > until_ns)
			add_bar(d, memory->lane, SCENE_HELD, since_ns, until_ns);
		if (!until_ns || use->since_ns > until_ns)
			since_ns = use->since_ns;
		if (use->until_ns > until_ns)
			until_ns = use->until_ns == VIZ_NEVER ? end_ns : use->until_ns;
	}
	if (until_ns)
		add_bar(d, memory->lane, SCENE_HELD, since_ns, until_ns);
}

static int by_first_row(const void *a, const void *b)
{
	const struct scene_bar *x = a, *y = b;

	return COMPARE(x->first_row, y->first_row);
}

void scene_write_bars(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	add_sleeps(d);
	for (size_t i = 0; i < pairing->signal_count; i++)
		add_handler(d, pairing->signals[i]);
	add_groups(d);
	for (size_t i = 0; i < d->memory_count; i++)
		add_held(d, &d->memories[i]);
	if (d->scene->bar_count)
		qsort(d->scene->bars, d->scene->bar_count, sizeof(*d->scene->bars), by_first_row);
}

static uint64_t drawn_at(const void *rows, size_t index)
{
	return ((const struct draft *)rows)[index].at_ns;
}

size_t scene_row_after(const struct scene_drafts *d, uint64_t ns)
{
	return search_until(d->rows, d->count, drawn_at, ns);
}
