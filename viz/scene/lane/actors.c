// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/scene/lane/actors.h"

#include "viz/base/arena.h"
#include "viz/scene/drafts.h"

static size_t count_of(const struct scene_drafts *d, const struct viz_process *process)
{
	return d->request->threads && process->thread_count > 1 ? process->thread_count : 1;
}

/* The index of the thread whose tid is the pid, or 0 if that thread is not in the trace. */
static size_t first_of(const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->tid == process->pid)
			return i;
	return 0;
}

static void add_process(struct scene_drafts *d, const struct viz_process *process)
{
	size_t count = count_of(d, process);
	size_t first = first_of(process);

	d->actor_base[process->index] = d->actor_count;
	d->actor_first[process->index] = d->actor_count + (count > 1 ? first : 0);
	for (size_t i = 0; i < count; i++)
		d->actors[d->actor_count++] = (struct scene_actor){
			.process = process,
			.thread = count > 1 ? process->threads[i] : NULL,
			.first = count == 1 || i == first,
			.before_trace = count > 1 && i != first ? true : process->before_trace,
		};
}

/* Threads whose birth is in the trace did not exist before it. */
static void note_births(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < model->process_event_count; i++) {
		const struct viz_process_event *event = model->process_events[i];

		if (event->event == PROCESS_EVENT_FORK && event->new_thread)
			d->actors[scene_actor_of(d, event->process, event->thread)].before_trace =
				false;
	}
}

void scene_make_actors(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	size_t count = 0;

	for (size_t i = 0; i < model->process_count; i++)
		count += count_of(d, model->processes[i]);
	d->actors = arena_array(d->arena, count + 1, sizeof(*d->actors));
	d->actor_base = arena_array(d->arena, model->process_count + 1, sizeof(*d->actor_base));
	d->actor_first = arena_array(d->arena, model->process_count + 1, sizeof(*d->actor_first));
	for (size_t i = 0; i < model->process_count; i++)
		add_process(d, model->processes[i]);
	if (d->request->threads)
		note_births(d);
}

size_t scene_actor_of(const struct scene_drafts *d, const struct viz_process *process,
		      const struct viz_thread *thread)
{
	if (!thread || thread->process != process || count_of(d, process) == 1)
		return d->actor_first[process->index];
	return d->actor_base[process->index] + thread->index;
}

/* If several threads had this tid one after the other, the last that was born by at_ns. */
size_t scene_actor_of_tid(const struct scene_drafts *d, const struct viz_process *process,
			  uint32_t tid, uint64_t at_ns)
{
	const struct viz_thread *thread = NULL;

	if (count_of(d, process) == 1 || !tid)
		return d->actor_first[process->index];
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->tid == tid &&
		    (!thread || process->threads[i]->start_ns <= at_ns))
			thread = process->threads[i];
	return scene_actor_of(d, process, thread);
}

size_t scene_actor_of_operation(const struct scene_drafts *d, const struct viz_operation *op)
{
	return scene_actor_of(d, op->process, op->thread);
}

size_t scene_actor_of_end(const struct scene_drafts *d, const struct viz_end *end)
{
	const struct viz_operation *op = end->operation;

	if (op && op->process == end->process && op->thread && op->thread->tid == end->tid)
		return scene_actor_of_operation(d, op);
	return scene_actor_of_tid(d, end->process, end->tid,
				  end->timed ? end->enter_ns : VIZ_NEVER);
}

uint64_t scene_actor_start_ns(const struct scene_actor *actor)
{
	return actor->first ? actor->process->start_ns : actor->thread->start_ns;
}

uint64_t scene_actor_end_ns(const struct scene_actor *actor)
{
	if (actor->first || actor->thread->end_ns == VIZ_NEVER)
		return actor->process->end_ns;
	return actor->thread->end_ns;
}

int scene_lane_of(const struct scene_drafts *d, const struct viz_process *process)
{
	return process ? d->lane_of[d->actor_first[process->index]] : SCENE_NOWHERE;
}

int scene_lane_of_operation(const struct scene_drafts *d, const struct viz_operation *op)
{
	return op ? d->lane_of[scene_actor_of_operation(d, op)] : SCENE_NOWHERE;
}

int scene_lane_of_end(const struct scene_drafts *d, const struct viz_end *end)
{
	return end->process ? d->lane_of[scene_actor_of_end(d, end)] : SCENE_NOWHERE;
}
