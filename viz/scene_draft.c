// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "scene_draft.h"

#include <errno.h>
#include <stdlib.h>

static bool reserve(struct scene_drafts *d)
{
	size_t capacity = d->capacity ? d->capacity * 2 : 64;
	struct draft *grown;

	if (d->count < d->capacity)
		return true;
	grown = reallocarray(d->rows, capacity, sizeof(*grown));
	if (!grown) {
		d->failed = true;
		return false;
	}
	d->rows = grown;
	d->capacity = capacity;
	return true;
}

struct draft *scene_draft(struct scene_drafts *d, enum scene_kind kind, int from, int to)
{
	struct draft *draft = reserve(d) ? &d->rows[d->count] : &d->spare;

	*draft = (struct draft){.kind = kind, .from = from, .to = to, .order = d->count};
	if (draft != &d->spare)
		d->count++;
	return draft;
}

static int begin(struct scene_drafts *d, const struct scene_request *request)
{
	const struct viz_model *model = request->model;
	size_t lanes;

	*d = (struct scene_drafts){
		.request = request, .scene = scene_new(), .kernel_lane = SCENE_NOWHERE};
	d->arena = arena_new();
	scene_make_actors(d);
	lanes = d->actor_count + model->channel_count + 2;
	d->lane_of = calloc(d->actor_count + 1, sizeof(*d->lane_of));
	d->channel_lane = calloc(model->channel_count + 1, sizeof(*d->channel_lane));
	d->actor_on = calloc(lanes, sizeof(*d->actor_on));
	d->names = calloc(d->actor_count + 1, sizeof(*d->names));
	d->lane_end_ns = calloc(lanes, sizeof(*d->lane_end_ns));
	d->namesake = calloc(lanes, sizeof(*d->namesake));
	d->interrupter = calloc(model->operation_count + 1, sizeof(*d->interrupter));
	return d->scene && d->lane_of && d->actor_on && d->names && d->namesake &&
			       d->channel_lane && d->lane_end_ns && d->interrupter
		       ? 0
		       : -ENOMEM;
}

static void end(struct scene_drafts *d)
{
	free(d->lane_of);
	free(d->channel_lane);
	free(d->lane_end_ns);
	free(d->actor_on);
	free(d->names);
	free(d->namesake);
	free(d->interrupter);
	free(d->rows);
	arena_free(d->arena);
}

static void draw(struct scene_drafts *d)
{
	if (!d->request->unfold)
		scene_fold(d);
	scene_cap(d);
	scene_find_lonely(d);
	scene_write(d);
	scene_place_marks(d);
}

int scene_build(const struct scene_request *request, struct scene **scene)
{
	struct scene_drafts d;
	int err = begin(&d, request);

	if (!err) {
		scene_name_processes(&d);
		scene_make_lanes(&d);
		scene_collect(&d);
		scene_place(&d);
		scene_sum_counts(&d);
		scene_sum_channels(&d);
		if (request->ledger)
			scene_write_ledger(&d);
		else
			draw(&d);
		if (request->facts)
			scene_collect_facts(&d);
		scene_tell_missing(&d);
		err = d.failed || d.scene->failed ? -ENOMEM : 0;
	}
	end(&d);
	if (err)
		scene_free(d.scene);
	*scene = err ? NULL : d.scene;
	return err;
}
