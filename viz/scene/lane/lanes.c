// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Decides which processes or threads get a lane, and in what order. */
#include <stdlib.h>
#include <string.h>

#include "viz/scene/drafts.h"

bool scene_is_filtered(const struct viz_filter *f)
{
	return f && (f->pid.count || f->comm.count || f->channel.count || f->from.count ||
		     f->to.count || f->any_mechanism);
}

static bool names_processes(const struct viz_filter *f)
{
	return f->pid.count || f->comm.count || f->from.count || f->to.count;
}

/* Marks an actor for a lane, and the first actor of its process for what concerns both. */
static void mark(struct scene_drafts *d, size_t actor)
{
	const struct viz_process *process = d->actors[actor].process;

	if (scene_is_outside(d, process))
		return;
	d->lane_of[actor] = 0;
	d->lane_of[scene_actor_of(d, process, NULL)] = 0;
}

static void mark_end(struct scene_drafts *d, const struct viz_end *end)
{
	if (end->process)
		mark(d, scene_actor_of_end(d, end));
}

static void mark_eof(struct scene_drafts *d, const struct viz_eof *eof)
{
	if (eof->closed_by)
		mark(d, scene_actor_of_operation(d, eof->closed_by));
	else if (eof->process)
		mark(d, scene_actor_of(d, eof->process, NULL));
	mark(d, scene_actor_of_operation(d, eof->receive));
}

/* Memory that the filter lets through, of processes that it lets through. */
static void mark_memory(struct scene_drafts *d, const struct draft_memory *memory)
{
	for (size_t i = 0; i < memory->use_count; i++)
		if (viz_filter_process(d->request->filter, memory->uses[i].process))
			mark(d, scene_actor_of(d, memory->uses[i].process, NULL));
}

/* With a filter, only actors that take part in what it lets through get a lane. */
static void mark_filtered(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	const struct viz_filter *filter = d->request->filter;

	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

		if (!viz_filter_message(filter, m))
			continue;
		mark_end(d, &m->from);
		mark_end(d, &m->to);
	}
	for (size_t i = 0; i < pairing->eof_count; i++)
		if (viz_filter_operation(filter, pairing->eofs[i]->receive))
			mark_eof(d, pairing->eofs[i]);
	for (size_t i = 0; i < d->memory_count; i++)
		mark_memory(d, &d->memories[i]);
	for (size_t i = 0; names_processes(filter) && i < d->actor_count; i++)
		if (viz_filter_process(filter, d->actors[i].process))
			mark(d, i);
}

static void add_lane(struct scene_drafts *d, size_t index, size_t members)
{
	const struct scene_actor *actor = &d->actors[index];
	struct scene_lane *lane;
	char *name = scene_comm(d, index);

	d->actor_on[d->scene->lane_count] = index;
	d->lane_of[index] = (int)d->scene->lane_count;
	lane = scene_add_lane(d->scene, name, members > 1 ? 0 : actor->process->pid);
	lane->host = scene_host_of(d, actor->process);
	if (members <= 1 && actor->process->host)
		lane->pid_base = actor->process->host->pid_base;
	if (members <= 1 && actor->process->ns_pid != actor->process->pid)
		lane->ns_pid = actor->process->ns_pid;
	if (actor->thread && members <= 1) {
		lane->kind = SCENE_LANE_THREAD;
		lane->tid = actor->thread->tid;
	}
	if (members > 1) {
		lane->kind = SCENE_LANE_GROUP;
		scene_set(d->scene, &lane->title, "%s ×%zu", name, members);
	}
	free(name);
}

/* Counts the members of each group, by the index of its first actor; gives the groups by host. */
static size_t *count_groups(const struct scene_drafts *d, const size_t *first, size_t *members)
{
	size_t *counts = arena_array(d->arena, d->request->model->host_count + 1, sizeof(*counts));

	for (size_t i = 0; i < d->actor_count; i++) {
		if (d->lane_of[i] != 0)
			continue;
		members[first[i]]++;
		counts[scene_host_of(d, d->actors[i].process)] += first[i] == i;
	}
	return counts;
}

/* Lanes of one machine stand together; those of none come last. */
static void add_groups(struct scene_drafts *d, const size_t *first, size_t *members)
{
	const size_t *counts = count_groups(d, first, members);

	scene_plan_vias(d);
	for (size_t host = 0; host <= d->request->model->host_count; host++) {
		size_t number = 0;

		scene_add_kernel(d, host, number, counts[host]);
		for (size_t i = 0; i < d->actor_count; i++) {
			if (d->lane_of[i] != 0 || scene_host_of(d, d->actors[i].process) != host)
				continue;
			if (first[i] != i) {
				d->lane_of[i] = d->lane_of[first[i]];
				continue;
			}
			add_lane(d, i, members[i]);
			scene_add_kernel(d, host, ++number, counts[host]);
			scene_add_vias(d, i);
		}
	}
}

static void add_lanes(struct scene_drafts *d)
{
	size_t *first = scene_group(d, d->request->group);
	size_t *members = arena_array(d->arena, d->actor_count + 1, sizeof(*members));

	add_groups(d, first, members);
}

void scene_make_lanes(struct scene_drafts *d)
{
	bool filtered = scene_is_filtered(d->request->filter);

	for (size_t i = 0; i < d->actor_count; i++)
		d->lane_of[i] = SCENE_NOWHERE;
	for (size_t i = 0; !filtered && i < d->actor_count; i++)
		mark(d, i);
	if (filtered)
		mark_filtered(d);
	for (size_t i = 0; i < d->actor_count; i++)
		if (!scene_focus_process(d->distance, d->request->focus.depth,
					 d->actors[i].process))
			d->lane_of[i] = SCENE_NOWHERE;
	add_lanes(d);
	for (size_t i = 0; i < d->actor_count; i++) {
		uint64_t *end_ns = &d->lane_end_ns[d->lane_of[i] < 0 ? 0 : d->lane_of[i]];
		uint64_t ns = scene_actor_end_ns(&d->actors[i]);

		if (d->lane_of[i] >= 0 && ns > *end_ns)
			*end_ns = ns;
	}
	scene_find_namesakes(d);
}
