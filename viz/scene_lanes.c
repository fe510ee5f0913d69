// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which processes, or threads of theirs, get a lane, and in what order. */
#include <stdlib.h>
#include <string.h>

#include "scene_draft.h"

static bool is_filtered(const struct viz_filter *f)
{
	return f && (f->pid.count || f->comm.count || f->channel.count || f->from.count ||
		     f->to.count || f->any_mechanism);
}

static bool names_processes(const struct viz_filter *f)
{
	return f->pid.count || f->comm.count || f->from.count || f->to.count;
}

/*
 * What a program says to its user, and hears from him: the other end of that terminal is a terminal
 * emulator or a server of ssh, which the trace does not know. Who asks for terminals gets it.
 */
bool scene_is_console(const struct scene_drafts *d, const struct viz_message *message)
{
	const struct viz_filter *filter = d->request->filter;

	return message->mechanism == MECH_PTY && (!message->from.known || !message->to.known) &&
	       message->fate == FATE_NONE && !message->echo &&
	       !(filter && (filter->any_mechanism || filter->channel.count));
}

bool scene_wants_message(const struct scene_drafts *d, const struct viz_message *message)
{
	if (!d->request->filter)
		return !scene_is_console(d, message);
	return viz_filter_message(d->request->filter, message) && !scene_is_console(d, message);
}

/* The tracer, and whoever is known only as an address of a message. */
bool scene_is_outside(const struct scene_drafts *d, const struct viz_process *process)
{
	return !process || process->pid == d->request->model->header.tracer;
}

/* With a thread goes the first one of its process, for what concerns them all. */
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

/* With a filter, only who has part in what it lets through. */
static void mark_filtered(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	const struct viz_filter *filter = d->request->filter;

	for (size_t i = 0; i < pairing->message_count; i++)
		if (viz_filter_message(filter, pairing->messages[i])) {
			mark_end(d, &pairing->messages[i]->from);
			mark_end(d, &pairing->messages[i]->to);
		}
	for (size_t i = 0; i < pairing->eof_count; i++)
		if (viz_filter_operation(filter, pairing->eofs[i]->receive))
			mark_eof(d, pairing->eofs[i]);
	for (size_t i = 0; names_processes(filter) && i < d->actor_count; i++)
		if (viz_filter_process(filter, d->actors[i].process))
			mark(d, i);
}

static int by_title(const void *a, const void *b, void *lanes)
{
	const struct scene_lane *all = lanes;

	return strcmp(all[*(const size_t *)a].title, all[*(const size_t *)b].title);
}

static void find_namesakes(struct scene_drafts *d)
{
	size_t count = d->scene->lane_count;
	size_t *sorted = calloc(count + 1, sizeof(*sorted));

	if (!sorted) {
		d->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = i;
	if (count)
		qsort_r(sorted, count, sizeof(*sorted), by_title, d->scene->lanes);
	for (size_t i = 1; i < count; i++)
		if (strcmp(d->scene->lanes[sorted[i - 1]].title,
			   d->scene->lanes[sorted[i]].title) == 0)
			d->namesake[sorted[i - 1]] = d->namesake[sorted[i]] = true;
	free(sorted);
}

static void add_lane(struct scene_drafts *d, size_t index, size_t members)
{
	const struct scene_actor *actor = &d->actors[index];
	struct scene_lane *lane;
	char *name = scene_comm(d, index);

	d->actor_on[d->scene->lane_count] = index;
	d->lane_of[index] = (int)d->scene->lane_count;
	lane = scene_add_lane(d->scene, name ? name : "?", members > 1 ? 0 : actor->process->pid);
	if (actor->thread && members <= 1) {
		lane->kind = SCENE_LANE_THREAD;
		lane->tid = actor->thread->tid;
	}
	if (members > 1) {
		lane->kind = SCENE_LANE_GROUP;
		scene_set(d->scene, &lane->title, "%s ×%zu", name ? name : "?", members);
	}
	free(name);
}

/* Members of each group, by its first one's index; gives how many groups there are. */
static size_t count_groups(const struct scene_drafts *d, const size_t *first, size_t *members)
{
	size_t count = 0;

	for (size_t i = 0; i < d->actor_count; i++) {
		if (d->lane_of[i] != 0)
			continue;
		members[first[i]]++;
		count += first[i] == i;
	}
	return count;
}

static void add_groups(struct scene_drafts *d, const size_t *first, size_t *members)
{
	size_t count = count_groups(d, first, members);
	size_t number = 0;

	scene_plan_vias(d);
	for (size_t i = 0; i < d->actor_count; i++) {
		if (d->lane_of[i] != 0)
			continue;
		if (first[i] != i) {
			d->lane_of[i] = d->lane_of[first[i]];
			continue;
		}
		add_lane(d, i, members[i]);
		scene_add_vias(d, i, ++number, count);
	}
}

static void add_lanes(struct scene_drafts *d)
{
	size_t *first = scene_group(d, d->request->group);
	size_t *members = calloc(d->actor_count + 1, sizeof(*members));

	if (first && members)
		add_groups(d, first, members);
	else
		d->failed = true;
	free(first);
	free(members);
}

void scene_make_lanes(struct scene_drafts *d)
{
	bool filtered = is_filtered(d->request->filter);

	for (size_t i = 0; i < d->actor_count; i++)
		d->lane_of[i] = SCENE_NOWHERE;
	for (size_t i = 0; !filtered && i < d->actor_count; i++)
		mark(d, i);
	if (filtered)
		mark_filtered(d);
	add_lanes(d);
	for (size_t i = 0; i < d->actor_count; i++) {
		uint64_t *end_ns = &d->lane_end_ns[d->lane_of[i] < 0 ? 0 : d->lane_of[i]];
		uint64_t ns = scene_actor_end_ns(&d->actors[i]);

		if (d->lane_of[i] >= 0 && ns > *end_ns)
			*end_ns = ns;
	}
	find_namesakes(d);
}
