// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Stretches of lanes: calls that slept, of a group all at once, and handlers that ran. */
#include <stdlib.h>

#include "scene_draft.h"

#define LIVELY_PART 2 /* a call that slept this part of its time is a bar */

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

/* Of several threads or processes, others do other things while one of them sleeps. */
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

/* Whether the call is a bar, and until when. */
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

/* Somebody joins a group or leaves it, falls asleep or wakes. */
struct turn {
	int lane;
	uint64_t at_ns;
	int living;
	int asleep;
};

struct turns {
	struct turn *items;
	size_t count;
	size_t capacity;
};

static void add_turns(struct turns *turns, struct turn turn, uint64_t until_ns)
{
	if (turn.at_ns >= until_ns)
		return;
	LIST_PUSH(turns, turn);
	turn.at_ns = until_ns;
	turn.living = -turn.living;
	turn.asleep = -turn.asleep;
	LIST_PUSH(turns, turn);
}

/* Who wakes is awake before somebody else falls asleep. */
static int by_lane_and_time(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->asleep - y->asleep;
}

static bool is_group(const struct scene_drafts *d, int lane)
{
	return lane >= 0 && d->scene->lanes[lane].kind == SCENE_LANE_GROUP;
}

/* Of a member with several threads on it nobody can tell when all of these sleep. */
static bool *find_murky(const struct scene_drafts *d)
{
	bool *murky = calloc(d->scene->lane_count + 1, sizeof(*murky));

	for (size_t i = 0; murky && i < d->actor_count; i++) {
		const struct scene_actor *actor = &d->actors[i];

		if (d->lane_of[i] >= 0 && !actor->thread && actor->process->thread_count > 1)
			murky[d->lane_of[i]] = true;
	}
	return murky;
}

static void collect_turns(const struct scene_drafts *d, struct turns *turns)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < d->actor_count; i++)
		if (is_group(d, d->lane_of[i]))
			add_turns(turns,
				  (struct turn){.lane = d->lane_of[i],
						.at_ns = scene_actor_start_ns(&d->actors[i]),
						.living = 1},
				  scene_actor_end_ns(&d->actors[i]));
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];
		int lane = scene_lane_of_operation(d, op);
		uint64_t until_ns;

		if (is_group(d, lane) && slept(d, op, &until_ns))
			add_turns(turns,
				  (struct turn){.lane = lane, .at_ns = op->enter_ns, .asleep = 1},
				  until_ns);
	}
}

/* A bar while all who live are asleep. */
static void add_groups(struct scene_drafts *d)
{
	struct turns turns = {0};
	bool *murky = find_murky(d);
	int living = 0, asleep = 0;
	uint64_t since_ns = VIZ_NEVER;

	if (murky)
		collect_turns(d, &turns);
	if (turns.count)
		qsort(turns.items, turns.count, sizeof(*turns.items), by_lane_and_time);
	for (size_t i = 0; i < turns.count; i++) {
		const struct turn *turn = &turns.items[i];
		bool all;

		living += turn->living;
		asleep += turn->asleep;
		if (i + 1 < turns.count && turn[1].lane == turn->lane &&
		    turn[1].at_ns == turn->at_ns)
			continue;
		all = living && living == asleep && !murky[turn->lane];
		if (!all && since_ns != VIZ_NEVER)
			add_bar(d, turn->lane, SCENE_BLOCKED, since_ns, turn->at_ns);
		if (!all || since_ns == VIZ_NEVER)
			since_ns = all ? turn->at_ns : VIZ_NEVER;
	}
	d->failed |= !murky;
	free(murky);
	free(turns.items);
}

static int by_first_row(const void *a, const void *b)
{
	const struct scene_bar *x = a, *y = b;

	return x->first_row < y->first_row ? -1 : x->first_row > y->first_row;
}

void scene_write_bars(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < model->operation_count; i++)
		add_sleep(d, model->operations[i]);
	for (size_t i = 0; i < pairing->signal_count; i++)
		add_handler(d, pairing->signals[i]);
	add_groups(d);
	if (d->scene->bar_count)
		qsort(d->scene->bars, d->scene->bar_count, sizeof(*d->scene->bars), by_first_row);
}
