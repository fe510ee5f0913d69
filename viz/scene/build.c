// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Builds a scene step by step; drafts.h describes the steps. */
#include "viz/scene/drafts.h"

#include <stdlib.h>

#include "viz/protocol/talks.h"

static void begin(struct scene_drafts *d, const struct scene_request *request)
{
	const struct viz_model *model = request->model;
	size_t lanes;

	*d = (struct scene_drafts){.request = request, .scene = scene_new()};
	d->arena = arena_new();
	d->distance = scene_focus_distances(request);
	scene_make_actors(d);
	d->scene->language = request->language;
	lanes = d->actor_count + model->channel_count + model->host_count + 2;
	d->lane_of = arena_array(d->arena, d->actor_count + 1, sizeof(*d->lane_of));
	d->channel_lane = arena_array(d->arena, model->channel_count + 1, sizeof(*d->channel_lane));
	d->kernel_lanes = arena_array(d->arena, model->host_count + 1, sizeof(*d->kernel_lanes));
	d->actor_on = arena_array(d->arena, lanes, sizeof(*d->actor_on));
	d->names = arena_array(d->arena, d->actor_count + 1, sizeof(*d->names));
	d->lane_end_ns = arena_array(d->arena, lanes, sizeof(*d->lane_end_ns));
	d->namesake = arena_array(d->arena, lanes, sizeof(*d->namesake));
	d->interrupter = arena_array(d->arena, model->operation_count + 1, sizeof(*d->interrupter));
}

static void end(struct scene_drafts *d)
{
	scene_drop_drafts(d);
	free(d->distance);
	arena_free(d->arena);
}

/* Data formats have the messages as facts: of the rows they need those that are at one lane. */
static void keep_marks(struct scene_drafts *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		enum scene_kind kind = d->rows[i].kind;

		if (kind == SCENE_FAILED || kind == SCENE_WAITING || kind == SCENE_NOTE ||
		    kind == SCENE_REMOVED || kind == SCENE_FOUND)
			d->rows[kept++] = d->rows[i];
	}
	d->count = kept;
}

static void draw(struct scene_drafts *d)
{
	if (d->request->facts)
		keep_marks(d);
	if (!d->request->unfold)
		scene_fold(d);
	scene_cap(d);
	scene_find_lonely(d);
	scene_write(d);
	scene_place_marks(d);
}

struct scene *scene_build(const struct scene_request *request)
{
	struct scene_drafts d;

	begin(&d, request);
	if (!request->pairing->packed)
		protocol_hear_all(request->model);
	scene_name_processes(&d);
	scene_plan_memories(&d);
	scene_make_lanes(&d);
	scene_find_nobody(&d);
	scene_collect(&d);
	scene_rank_lanes(&d);
	scene_fold_lives(&d);
	scene_fold_noise(&d);
	scene_place(&d);
	scene_sum_counts(&d);
	scene_sum_channels(&d);
	if (request->dataset || request->facts)
		scene_collect_facts(&d);
	if (request->dataset)
		scene_write_dataset(&d);
	else
		draw(&d);
	if (request->facts)
		scene_collect_fact_calls(&d);
	scene_report_missing(&d);
	end(&d);
	return d.scene;
}
