// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Builds signal events from `signal` lines. */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/model/builder.h"

static struct viz_bytes comm_of(const struct model_builder *b, const struct viz_process *process,
				uint32_t tid)
{
	const struct viz_thread *thread = process ? build_known_thread(b, process, tid) : NULL;

	if (thread && thread->comm.data)
		return thread->comm;
	return process ? process->comm : (struct viz_bytes){NULL, 0};
}

static void add_signal_ends(struct model_builder *b, struct viz_signal_event *event)
{
	const struct trace_value *from = VALUE(signal, from);
	const struct trace_value *to = VALUE(signal, to);

	event->to_pid = build_thread_member(to->json, "pid");
	event->to_tid = build_thread_member(to->json, "tid");
	event->to = build_known_process(b, event->to_pid);
	event->to_comm = comm_of(b, event->to, event->to_tid);
	if (!from->present)
		return;
	event->from_pid = build_thread_member(from->json, "pid");
	event->from_tid = build_thread_member(from->json, "tid");
	event->from = build_known_process(b, event->from_pid);
	event->from_comm = comm_of(b, event->from, event->from_tid);
	if (event->origin == ORIGIN_CHILD && event->from && event->from->ended)
		event->from->parent_notified_ns = event->at_ns;
}

static struct viz_signal_event *new_copy(struct viz_model *model)
{
	struct viz_signal_event *spare = model->index->spare_events;

	if (!spare)
		return arena_alloc(model->arena, sizeof(*spare));
	model->index->spare_events = spare->kept;
	return spare;
}

/* As ARENA_PUSH(), for a list that also becomes shorter. */
static void push_event(struct viz_model *model, struct viz_signal_event *event)
{
	struct model_index *index = model->index;

	if (model->signal_event_count == index->event_capacity) {
		struct viz_signal_event **outgrown = model->signal_events;

		index->event_capacity = index->event_capacity ? 2 * index->event_capacity : 64;
		model->signal_events = arena_array(model->arena, index->event_capacity,
						   sizeof(*outgrown));
		if (outgrown)
			memcpy(model->signal_events, outgrown,
			       model->signal_event_count * sizeof(*outgrown));
	}
	model->signal_events[model->signal_event_count++] = event;
}

/* While streaming the event is the caller's, who frees it: the model has a copy. */
static void collect_event(struct model_builder *b, struct viz_signal_event *event)
{
	struct viz_signal_event *kept = event;

	if (b->live) {
		kept = new_copy(b->model);
		*kept = *event;
		event->kept = kept;
	}
	push_event(b->model, kept);
}

static void close_up_events(struct viz_model *model)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->signal_event_count; i++) {
		if (!model->signal_events[i])
			continue;
		model->signal_events[i]->index = kept;
		model->signal_events[kept++] = model->signal_events[i];
	}
	model->signal_event_count = kept;
	model->index->events_forgotten = 0;
}

void model_forget_signal_event(struct viz_model *model, const struct viz_signal_event *kept)
{
	enum { FORGOTTEN_LEAST = 4096 }; /* before the list is closed up */
	struct viz_signal_event *event = model->signal_events[kept->index];
	struct model_index *index = model->index;

	model->signal_events[kept->index] = NULL;
	model->ordinary_signal_events++;
	event->kept = index->spare_events;
	index->spare_events = event;
	if (++index->events_forgotten >= FORGOTTEN_LEAST &&
	    index->events_forgotten >= model->signal_event_count / 2)
		close_up_events(model);
}

void build_signal_line(struct model_builder *b)
{
	struct viz_signal_event *event = b->live ? memory_new(sizeof(*event))
						 : arena_alloc(b->arena, sizeof(*event));
	uint64_t number = VALUE(signal, number)->number;

	event->event = (enum signal_event)VALUE(signal, event)->number;
	event->at_ns = build_time(b, FIELD_signal_at_ns);
	event->index = b->model->signal_event_count;
	event->number = number > INT16_MAX ? 0 : (int)number;
	event->name = build_string(b, FIELD_signal_signal);
	event->origin = (enum origin)VALUE(signal, origin)->number;
	event->has_code = VALUE(signal, code)->present;
	event->code = VALUE(signal, code)->integer;
	event->has_value = VALUE(signal, value)->present;
	event->value = VALUE(signal, value)->integer;
	event->has_sender = VALUE(signal, sender_pid)->present;
	event->sender_pid = build_u32(b, FIELD_signal_sender_pid);
	event->group = VALUE(signal, group)->flag;
	event->result = (enum signal_result)VALUE(signal, result)->number;
	event->action = (enum signal_action)VALUE(signal, action)->number;
	event->target_state = (enum target_state)VALUE(signal, target_state)->number;
	event->has_operation = VALUE(signal, operation)->present;
	event->operation_id = VALUE(signal, operation)->number;
	event->interrupted = build_string(b, FIELD_signal_interrupted);
	add_signal_ends(b, event);
	b->signal = event;
	if (event->event != SIGNAL_EVENT_NONE && build_collects(b))
		collect_event(b, event);
}

static int compare_signals(const void *a, const void *b)
{
	const struct viz_signal_event *x = *(struct viz_signal_event *const *)a;
	const struct viz_signal_event *y = *(struct viz_signal_event *const *)b;

	return COMPARE(x->at_ns, y->at_ns) ?: COMPARE(x->index, y->index);
}

static int compare_process_events(const void *a, const void *b)
{
	const struct viz_process_event *x = *(struct viz_process_event *const *)a;
	const struct viz_process_event *y = *(struct viz_process_event *const *)b;

	return COMPARE(x->at_ns, y->at_ns) ?: COMPARE(x->index, y->index);
}

/*
 * Resolves the operations that signal lines name. They may stand below the signal line, so this
 * runs after the last line; it also sorts signal and process events by time.
 */
void build_finish_signals(struct model_builder *b)
{
	struct viz_model *model = b->model;

	close_up_events(model);
	if (model->signal_event_count)
		qsort(model->signal_events, model->signal_event_count,
		      sizeof(*model->signal_events), compare_signals);
	for (size_t i = 0; i < model->signal_event_count; i++) {
		struct viz_signal_event *event = model->signal_events[i];

		event->index = i;
		if (event->has_operation)
			event->operation = viz_model_operation(model, event->operation_id);
	}
	if (model->process_event_count)
		qsort(model->process_events, model->process_event_count,
		      sizeof(*model->process_events), compare_process_events);
	for (size_t i = 0; i < model->process_event_count; i++)
		model->process_events[i]->index = i;
}
