// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Findings of diagnose. Errors and warnings become rows on the lane of the process that they are
 * about, within that process's life.
 */
#include "viz/base/sorted_search.h"
#include "viz/scene/drafts.h"

/*
 * The actor that a finding is about: the one of its first call that the filter lets through and
 * that has a lane; for findings without calls, of its first process that has a lane. NULL: none.
 */
static const struct scene_actor *subject(const struct scene_drafts *d, const struct finding *f)
{
	for (size_t i = 0; i < f->operation_count; i++)
		if (scene_wants_operation(d, f->operations[i]) &&
		    scene_lane_of_operation(d, f->operations[i]) >= 0)
			return &d->actors[scene_actor_of_operation(d, f->operations[i])];
	for (size_t i = 0; i < f->process_count && !f->operation_count; i++)
		if (scene_lane_of(d, f->processes[i]) >= 0)
			return &d->actors[scene_actor_of(d, f->processes[i], NULL)];
	return NULL;
}

static bool is_filtered_out(const struct scene_drafts *d, const struct finding *f)
{
	const struct viz_filter *filter = d->request->filter;

	if (subject(d, f) || (!filter && !d->distance))
		return false;
	return f->operation_count || f->process_count || d->distance ||
	       (f->channel && !viz_filter_channel(filter, f->channel));
}

/* The finding's time, moved into the life of the actor. */
static uint64_t moment_ns(const struct finding *f, const struct scene_actor *actor)
{
	uint64_t ns = f->at_ns;

	if (actor && ns <= scene_actor_start_ns(actor))
		ns = scene_actor_start_ns(actor) + 1;
	if (actor && ns > scene_actor_end_ns(actor))
		ns = scene_actor_end_ns(actor);
	return ns;
}

static void add_row(struct scene_drafts *d, const struct finding *f, int lane, size_t mark)
{
	struct draft *draft = scene_draft(d, SCENE_FOUND, lane, SCENE_NOWHERE);

	draft->of.mark = mark;
	draft->sent_ns = draft->received_ns = moment_ns(f, subject(d, f));
}

static void add_lane(struct scene_mark *mark, int lane)
{
	for (size_t i = 0; i < mark->lane_count; i++)
		if (mark->lanes[i] == lane)
			return;
	if (lane >= 0)
		mark->lanes[mark->lane_count++] = lane;
}

/* The lanes of all processes that a finding is about, each once. */
static void set_lanes(struct scene_drafts *d, const struct finding *f, struct scene_mark *mark)
{
	mark->lanes = arena_array(d->scene->arena, f->process_count + f->operation_count + 1,
				  sizeof(*mark->lanes));
	for (size_t i = 0; i < f->operation_count; i++)
		add_lane(mark, scene_lane_of_operation(d, f->operations[i]));
	for (size_t i = 0; i < f->process_count; i++)
		add_lane(mark, scene_lane_of(d, f->processes[i]));
}

static void add_mark(struct scene_drafts *d, const struct finding *f)
{
	const struct scene_actor *actor = subject(d, f);
	struct scene_mark *mark = scene_add_mark(d->scene, f->severity);
	size_t index = d->scene->mark_count - 1;

	mark->at_ns = f->at_ns;
	mark->lane = actor ? d->lane_of[actor - d->actors] : SCENE_NOWHERE;
	set_lanes(d, f, mark);
	scene_set(d->scene, &mark->id, "%s", f->row->name);
	scene_set(d->scene, &mark->text, "%s", f->text);
	scene_set(d->scene, &mark->advice, "%s", f->advice);
	if (f->channel)
		scene_text_owned(d, &mark->channel, "%s", scene_channel_name(d->scene, f->channel));
	for (size_t i = 0; i < f->line_count; i++)
		scene_add_mark_line(d->scene, mark, f->lines[i]);
	if (f->severity > SEVERITY_NOTE)
		add_row(d, f, mark->lane, index);
}

void scene_collect_marks(struct scene_drafts *d)
{
	const struct diagnosis *diagnosis = d->request->diagnosis;

	for (size_t i = 0; i < diagnosis->count; i++)
		if (!is_filtered_out(d, diagnosis->findings[i]))
			add_mark(d, diagnosis->findings[i]);
}

static uint64_t drawn_at(const void *rows, size_t index)
{
	return ((const struct scene_row *)rows)[index].at_ns;
}

/* Index of the last row drawn at `ns` or earlier; SCENE_NO_ROW: none. */
static size_t row_at(const struct scene *scene, uint64_t ns)
{
	size_t until = search_until(scene->rows, scene->row_count, drawn_at, ns);

	return until ? until - 1 : SCENE_NO_ROW;
}

void scene_place_marks(struct scene_drafts *d)
{
	struct scene *scene = d->scene;

	for (size_t i = 0; i < d->count; i++)
		if (d->rows[i].kind == SCENE_FOUND)
			scene->marks[d->rows[i].of.mark].row = i;
	for (size_t i = 0; i < scene->mark_count; i++) {
		struct scene_mark *mark = &scene->marks[i];

		if (mark->row == SCENE_NO_ROW)
			mark->row = row_at(
				scene, mark->at_ns > d->start_ns ? mark->at_ns - d->start_ns : 0);
	}
}
