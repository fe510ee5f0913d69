// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How much each lane matters: what a reader came for is shown first where there is no room for all.
 * Before anything that works stand the processes of findings and those whose calls failed, then the
 * program that was asked to be traced.
 */
#include <string.h>

#include "viz/scene/drafts.h"

static void raise_lane(struct scene_drafts *d, int lane, enum scene_rank rank)
{
	if (lane >= 0 && d->scene->lanes[lane].rank < rank)
		d->scene->lanes[lane].rank = rank;
}

static void rank_findings(struct scene_drafts *d)
{
	const struct diagnosis *diagnosis = d->request->diagnosis;

	for (size_t i = 0; diagnosis && i < diagnosis->count; i++) {
		const struct finding *f = diagnosis->findings[i];
		enum scene_rank rank = f->severity == SEVERITY_ERROR ? SCENE_RANK_ERROR
								     : SCENE_RANK_WARNING;

		if (f->severity <= SEVERITY_NOTE)
			continue;
		for (size_t k = 0; k < f->process_count; k++)
			raise_lane(d, scene_lane_of(d, f->processes[k]), rank);
		for (size_t k = 0; k < f->operation_count; k++)
			raise_lane(d, scene_lane_of_operation(d, f->operations[k]), rank);
	}
}

static void rank_calls(struct scene_drafts *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->rows[i].kind == SCENE_FAILED)
			raise_lane(d, d->rows[i].from, SCENE_RANK_FAILED);
		if (d->rows[i].kind == SCENE_WAITING)
			raise_lane(d, d->rows[i].from, SCENE_RANK_WAITS);
	}
}

/*
 * The process that was started as the traced command, and each that executed a program of that
 * name: a command behind a version manager's wrapper is the second.
 */
static void rank_command(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	struct viz_bytes command = {0};

	if (!model->header.command_count)
		return;
	command = viz_base_name(model->header.command[0]);
	for (size_t i = 0; i < model->process_event_count; i++) {
		const struct viz_process_event *event = model->process_events[i];
		bool root = model->header.tracer && event->process->ppid == model->header.tracer;

		if (event->event == PROCESS_EVENT_EXEC &&
		    (root ||
		     (event->path.data && viz_bytes_equal(viz_base_name(event->path), command))))
			raise_lane(d, scene_lane_of(d, event->process), SCENE_RANK_COMMAND);
	}
}

void scene_rank_lanes(struct scene_drafts *d)
{
	for (size_t i = 0; i < d->scene->lane_count; i++)
		if (d->scene->lanes[i].kind == SCENE_LANE_KERNEL)
			d->scene->lanes[i].rank = SCENE_RANK_ERROR;
	rank_findings(d);
	rank_calls(d);
	rank_command(d);
}
