// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which processes get a lane, and in what order. */
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

static void mark(struct scene_drafts *d, const struct viz_process *process)
{
	if (!scene_is_outside(d, process))
		d->lane_of[process->index] = 0;
}

static void mark_operation(struct scene_drafts *d, const struct viz_operation *operation)
{
	if (operation)
		mark(d, operation->process);
}

/* With a filter, only who has part in what it lets through. */
static void mark_filtered(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_pairing *pairing = d->request->pairing;
	const struct viz_filter *filter = d->request->filter;

	for (size_t i = 0; i < pairing->message_count; i++)
		if (viz_filter_message(filter, pairing->messages[i])) {
			mark(d, pairing->messages[i]->from.process);
			mark(d, pairing->messages[i]->to.process);
		}
	for (size_t i = 0; i < pairing->eof_count; i++)
		if (viz_filter_operation(filter, pairing->eofs[i]->receive)) {
			mark(d, pairing->eofs[i]->process);
			mark_operation(d, pairing->eofs[i]->receive);
		}
	for (size_t i = 0; names_processes(filter) && i < model->process_count; i++)
		if (viz_filter_process(filter, model->processes[i]))
			mark(d, model->processes[i]);
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

void scene_make_lanes(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	bool filtered = is_filtered(d->request->filter);

	for (size_t i = 0; i < model->process_count; i++) {
		d->lane_of[i] = SCENE_NOWHERE;
		if (!filtered)
			mark(d, model->processes[i]);
	}
	if (filtered)
		mark_filtered(d);
	for (size_t i = 0; i < model->process_count; i++) {
		char *title;

		if (d->lane_of[i] != 0)
			continue;
		title = scene_comm(d, model->processes[i]);
		d->processes[d->scene->lane_count] = model->processes[i];
		d->lane_of[i] = (int)d->scene->lane_count;
		scene_add_lane(d->scene, title ? title : "?", model->processes[i]->pid);
		free(title);
	}
	find_namesakes(d);
}
