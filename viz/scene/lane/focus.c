// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/scene/lane/focus.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/scene/drafts.h"

/* A number that no process of the trace has may be of a PID namespace of its own. */
static bool take_namespaced(const struct scene_request *r, const char *item, size_t *distance)
{
	bool any = false;

	for (size_t i = 0; i < r->model->process_count; i++) {
		uint32_t number = r->model->processes[i]->ns_pid;

		if (!number || !viz_is_number(item, number))
			continue;
		distance[i] = 0;
		any = true;
	}
	return any;
}

/* Sets the distance of what an item names to 0; false if it names nothing. */
static bool take_processes(const struct scene_request *r, const char *item, size_t *distance)
{
	bool any = false;

	for (size_t i = 0; i < r->model->process_count; i++) {
		const struct viz_process *process = r->model->processes[i];

		if (!viz_is_numbered(item, process, process->pid) &&
		    !viz_is_named(item, process, process->comm))
			continue;
		distance[i] = 0;
		any = true;
	}
	/* Of a process that executed several programs, each names it. */
	for (size_t i = 0; i < r->model->process_event_count; i++) {
		const struct viz_process_event *event = r->model->process_events[i];

		if (event->event != PROCESS_EVENT_EXEC ||
		    !viz_is_named(item, event->process, event->comm))
			continue;
		distance[event->process->index] = 0;
		any = true;
	}
	return any || take_namespaced(r, item, distance);
}

/*
 * The processes that a finding is about, one after the other; NULL: no more. A finding about none,
 * as about a queue that is left behind, is about those who had its channel.
 */
static const struct viz_process *about(const struct finding *f, size_t i)
{
	if (i < f->process_count)
		return f->processes[i];
	i -= f->process_count;
	if (i < f->operation_count)
		return f->operations[i]->process;
	if (f->process_count || f->operation_count || !f->channel || i >= f->channel->holding_count)
		return NULL;
	return f->channel->holdings[i]->process;
}

static bool take_findings(const struct scene_request *r, const char *item, size_t *distance)
{
	bool any = false;

	for (size_t i = 0; r->diagnosis && i < r->diagnosis->count; i++) {
		const struct finding *f = r->diagnosis->findings[i];

		if (strcmp(f->row->name, item) != 0)
			continue;
		for (size_t k = 0; about(f, k); k++)
			distance[about(f, k)->index] = 0;
		any = true;
	}
	return any;
}

static size_t *all_far(const struct viz_model *model)
{
	size_t *distance = memory_array(model->process_count + 1, sizeof(*distance));

	for (size_t i = 0; i < model->process_count; i++)
		distance[i] = SCENE_FAR;
	return distance;
}

const char *scene_focus_misses(const struct scene_request *r)
{
	const char *missing = NULL;
	size_t *distance = all_far(r->model);

	for (size_t i = 0; i < r->focus.count && !missing; i++) {
		bool any = take_processes(r, r->focus.items[i], distance);

		if (!take_findings(r, r->focus.items[i], distance) && !any)
			missing = r->focus.items[i];
	}
	free(distance);
	return missing;
}

/* --- whom they talk with --- */

/* Two that talk with each other: the one at distance `from` draws in the other. */
static void join(size_t *distance, const struct viz_process *a, const struct viz_process *b,
		 size_t from)
{
	if (!a || !b)
		return;
	if (distance[a->index] == from && distance[b->index] > from + 1)
		distance[b->index] = from + 1;
	if (distance[b->index] == from && distance[a->index] > from + 1)
		distance[a->index] = from + 1;
}

static const struct viz_process *caller(const struct viz_operation *op)
{
	return op ? op->process : NULL;
}

static void join_talkers(const struct scene_request *r, size_t *distance, size_t from)
{
	const struct viz_pairing *pairing = r->pairing;

	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

		if (!scene_is_exit_notice(m))
			join(distance, m->from.process, m->to.process, from);
	}
	for (size_t i = 0; i < pairing->connection_count; i++)
		join(distance, caller(pairing->connections[i]->connect),
		     caller(pairing->connections[i]->accept), from);
	for (size_t i = 0; i < pairing->eof_count; i++)
		join(distance, pairing->eofs[i]->process, caller(pairing->eofs[i]->receive), from);
}

/* Who is in one finding with a process may be what it waits for, without a message between them. */
static void join_findings(const struct scene_request *r, size_t *distance, size_t from)
{
	for (size_t i = 0; r->diagnosis && i < r->diagnosis->count; i++) {
		const struct finding *f = r->diagnosis->findings[i];

		for (size_t a = 0; f->severity > SEVERITY_NOTE && a < f->process_count; a++)
			for (size_t b = 0; b < a; b++)
				join(distance, f->processes[a], f->processes[b], from);
	}
}

size_t *scene_focus_distances(const struct scene_request *r)
{
	size_t *distance;

	if (!r->focus.count)
		return NULL;
	distance = all_far(r->model);
	for (size_t i = 0; i < r->focus.count; i++) {
		take_processes(r, r->focus.items[i], distance);
		take_findings(r, r->focus.items[i], distance);
	}
	for (size_t from = 0; from < r->focus.depth && from < r->model->process_count; from++) {
		join_talkers(r, distance, from);
		join_findings(r, distance, from);
	}
	return distance;
}

/* --- findings --- */

static bool is_named(const struct scene_focus *focus, const struct finding *f)
{
	for (size_t i = 0; i < focus->count; i++)
		if (strcmp(f->row->name, focus->items[i]) == 0)
			return true;
	return false;
}

static bool concerns(const struct finding *f, const size_t *distance, size_t depth)
{
	size_t nearest = SCENE_FAR, farthest = 0;

	for (size_t i = 0; about(f, i); i++) {
		size_t own = distance[about(f, i)->index];

		nearest = own < nearest ? own : nearest;
		farthest = own > farthest ? own : farthest;
	}
	return depth ? nearest < depth : nearest == 0 && farthest == 0;
}

bool *scene_focus_findings(const struct scene_request *r)
{
	size_t *distance = scene_focus_distances(r);
	bool *wanted = memory_array(r->diagnosis->count + 1, sizeof(*wanted));

	for (size_t i = 0; i < r->diagnosis->count; i++) {
		const struct finding *f = r->diagnosis->findings[i];

		wanted[i] = !distance || is_named(&r->focus, f) ||
			    concerns(f, distance, r->focus.depth);
	}
	free(distance);
	return wanted;
}
