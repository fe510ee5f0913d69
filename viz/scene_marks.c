// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What diagnose found, at its place: errors and warnings are rows on the lane of the process that
 * they are about, not above what they tell of and not below the process's end.
 */
#include "scene_draft.h"
#include "search.h"

/* Of its calls one that the filter lets through, else one of its processes that has a lane. */
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

	return filter && !subject(d, f) &&
	       (f->operation_count || f->process_count ||
		(f->channel && !viz_filter_channel(filter, f->channel)));
}

/* Within the life of who it is about. */
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

static void add_mark(struct scene_drafts *d, const struct finding *f)
{
	const struct scene_actor *actor = subject(d, f);
	struct scene_mark *mark = scene_add_mark(d->scene, f->severity);
	size_t index = d->scene->mark_count - 1;

	mark->at_ns = f->at_ns;
	mark->lane = actor ? d->lane_of[actor - d->actors] : SCENE_NOWHERE;
	scene_set(d->scene, &mark->id, "%s", f->row->name);
	scene_set(d->scene, &mark->text, "%s", f->text);
	scene_set(d->scene, &mark->advice, "%s", f->advice);
	if (f->channel)
		scene_say_owned(d, &mark->channel, "%s", scene_channel_name(f->channel));
	for (size_t i = 0; i < f->line_count; i++)
		scene_add_mark_line(d->scene, mark, f->lines[i]);
	if (f->severity > SEVERITY_NOTE && !d->scene->failed)
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

/* The last row drawn at that time or before; SCENE_NO_ROW: none. */
static size_t row_at(const struct scene *scene, uint64_t ns)
{
	size_t until = search_until(scene->rows, scene->row_count, drawn_at, ns);

	return until ? until - 1 : SCENE_NO_ROW;
}

void scene_place_marks(struct scene_drafts *d)
{
	struct scene *scene = d->scene;

	if (scene->failed)
		return;
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

void scene_say_found(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct scene_mark *mark;

	if (d->scene->failed)
		return;
	mark = &d->scene->marks[draft->of.mark];
	row->style = SCENE_CONTROL;
	row->important = true;
	row->severity = mark->severity;
	scene_set(d->scene, &row->label, "%s", mark->id);
	scene_set(d->scene, &row->channel, "%s", mark->channel);
	if (row->from < 0) /* without a lane to stand on, only the detail is told */
		scene_set(d->scene, &row->detail, "%s: %s", mark->id, mark->text);
	else
		scene_set(d->scene, &row->detail, "%s", mark->text);
}
