// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Collects births, execs and exits of processes and threads. */
#include <stdlib.h>

#include "viz/scene/drafts.h"

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The only thread of the process that lived then, besides the new one; NULL: there were several. */
static const struct viz_thread *only_thread(const struct viz_process_event *event)
{
	const struct viz_thread *only = NULL;

	for (size_t i = 0; i < event->process->thread_count; i++) {
		const struct viz_thread *thread = event->process->threads[i];

		if (thread == event->thread || thread->start_ns > event->at_ns ||
		    thread->end_ns < event->at_ns)
			continue;
		if (only)
			return NULL;
		only = thread;
	}
	return only;
}

/*
 * The lane that forked. If the trace does not name the thread: the first one of the parent process;
 * for a new thread the only other one, else SCENE_NOWHERE.
 */
static int maker_lane(const struct scene_drafts *d, const struct viz_process_event *event)
{
	const struct viz_process *process = event->new_thread ? event->process : event->parent;
	uint32_t tid = event->maker_tid;

	if (event->new_thread && !tid) {
		const struct viz_thread *only = only_thread(event);

		if (!only)
			return SCENE_NOWHERE;
		tid = only->tid;
	}
	return process ? d->lane_of[scene_actor_of_tid(d, process, tid, event->at_ns)]
		       : SCENE_NOWHERE;
}

static void collect_event(struct scene_drafts *d, const struct viz_process_event *event)
{
	bool fork = event->event == PROCESS_EVENT_FORK;
	const struct viz_thread *thread = fork && event->new_thread ? event->thread : NULL;
	int lane = d->lane_of[scene_actor_of(d, event->process, thread)], parent;
	struct draft *draft;

	if (lane < 0 || (thread && !d->request->threads))
		return;
	parent = fork ? maker_lane(d, event) : SCENE_NOWHERE;
	if (fork && parent >= 0 && parent != lane)
		draft = scene_draft(d, SCENE_FORK, parent, lane);
	else if (event->event == PROCESS_EVENT_EXEC)
		draft = scene_draft(d, SCENE_EXEC, lane, SCENE_NOWHERE);
	else
		return;
	draft->of.event = event;
	if (thread)
		scene_set_detail(d, draft)->thread = thread;
	draft->sent_ns = draft->received_ns = event->at_ns;
}

static const struct viz_message **exit_notices(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	const struct viz_message **notices =
		arena_array(d->arena, d->request->model->process_count + 1, sizeof(*notices));

	for (size_t i = 0; i < pairing->message_count; i++)
		if (scene_is_exit_notice(pairing->messages[i]))
			notices[pairing->messages[i]->from.process->index] = pairing->messages[i];
	return notices;
}

/* By lane: the latest time of any draft so far. An exit is drawn after it. */
static uint64_t *last_moments(struct scene_drafts *d)
{
	uint64_t *last = arena_array(d->arena, d->scene->lane_count + 1, sizeof(*last));

	for (size_t i = 0; i < d->count; i++) {
		const struct draft *draft = &d->rows[i];

		if (draft->from >= 0)
			last[draft->from] = latest(last[draft->from], draft->sent_ns);
		if (draft->to >= 0)
			last[draft->to] = latest(last[draft->to], draft->received_ns);
	}
	return last;
}

static void collect_exit(struct scene_drafts *d, const struct viz_process *process,
			 const struct viz_message *notice, uint64_t last_ns)
{
	int lane = scene_lane_of(d, process);
	int to = notice && scene_wants_message(d, notice) ? scene_lane_of_end(d, &notice->to)
							  : SCENE_NOWHERE;
	struct draft *draft = scene_draft(d, SCENE_EXIT, lane, to);

	draft->of.process = process;
	scene_set_detail(d, draft)->notice = notice;
	draft->sent_ns = latest(process->end_ns, last_ns);
	if (notice)
		draft->sent_ns = latest(draft->sent_ns, notice->signal->generate->at_ns);
	draft->received_ns = draft->sent_ns;
}

/* A group's lane goes on when one of its members ends. */
static bool is_group(const struct scene_drafts *d, int lane)
{
	return d->scene->lanes[lane].kind == SCENE_LANE_GROUP;
}

/* Exits of threads that have a lane of their own, except the first: its exit is the process's. */
static void collect_thread_exits(struct scene_drafts *d, const uint64_t *last)
{
	for (size_t i = 0; i < d->actor_count; i++) {
		const struct scene_actor *actor = &d->actors[i];
		struct draft *draft;
		int lane = d->lane_of[i];

		if (actor->first || lane < 0 || actor->thread->end_ns == VIZ_NEVER)
			continue;
		draft = scene_draft(d, SCENE_EXIT, lane, SCENE_NOWHERE);
		draft->of.process = actor->process;
		scene_set_detail(d, draft)->thread = actor->thread;
		draft->sent_ns = draft->received_ns = latest(actor->thread->end_ns,
							     is_group(d, lane) ? 0 : last[lane]);
	}
}

void scene_collect_processes(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_message **notices = exit_notices(d);
	uint64_t *last;

	for (size_t i = 0; i < model->process_event_count; i++)
		collect_event(d, model->process_events[i]);
	last = last_moments(d);
	for (size_t i = 0; i < model->process_count; i++) {
		const struct viz_process *process = model->processes[i];
		int lane = scene_lane_of(d, process);

		if (process->ended && lane >= 0)
			collect_exit(d, process, notices[i], is_group(d, lane) ? 0 : last[lane]);
	}
	if (last)
		collect_thread_exits(d, last);
}
