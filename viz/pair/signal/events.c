// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Follows each signal from event to event: generated, delivered, handled; or its target ended. */
#include "viz/model/builder.h"
#include "viz/pair/signal/pending.h"

static void pending_push(struct pending *pending, struct viz_signal *signal)
{
	if (pending->taken == pending->count)
		pending->taken = pending->count = 0;
	LIST_PUSH(pending, signal);
}

static enum fate fate_of_result(enum signal_result result)
{
	switch (result) {
	case SIGNAL_RESULT_IGNORED:
		return FATE_IGNORED;
	case SIGNAL_RESULT_COALESCED:
		return FATE_COALESCED;
	case SIGNAL_RESULT_OVERFLOW:
		return FATE_DROPPED;
	default: /* SIGNAL_RESULT_LOST: only its siginfo is lost, and it is delivered */
		return FATE_PENDING;
	}
}

/* The fate of a signal to a process outside the trace is not known, so it does not stay pending. */
static enum fate fate_of(const struct viz_signal_event *event)
{
	enum fate fate = fate_of_result(event->result);

	if (fate == FATE_IGNORED && event->number == SIGNAL_CONTINUE)
		return FATE_DEFAULT; /* SIGCONT continues a stopped process even if it is ignored */
	return fate == FATE_PENDING && !event->to ? FATE_NONE : fate;
}

static void generate(struct signal_context *context, const struct viz_signal_event *event)
{
	struct viz_signal *signal = signal_new(context, event);

	signal->generate = event;
	signal->raised_by = viz_operation_use(event->operation);
	signal->fate = fate_of(event);
	if (event->has_operation)
		id_map_put(&context->raised, event->operation_id, signal);
	if (signal->fate == FATE_PENDING)
		pending_push(signal_pending_of(context, &context->queues, event,
					       event->group ? 0 : event->to_tid),
			     signal);
}

/*
 * A fatal default action shows as a delivery of SIGKILL to every thread, which no process sent. The
 * signal that it stands for is found when the end of the process is handled.
 */
static bool is_group_exit(const struct viz_signal_event *event)
{
	return event->number == SIGNAL_KILL && event->action == SIGNAL_ACTION_DEFAULT;
}

/* This signal may have ended the process; an earlier one has not. */
static void set_default(struct signal_context *context, const struct viz_process *process,
			struct viz_signal *signal)
{
	signal_target(context, process)->last_default = signal;
}

static void begin_action(struct signal_context *context, struct viz_signal *signal)
{
	const struct viz_signal_event *event = signal->deliver;

	if (event->action == SIGNAL_ACTION_HANDLER) {
		signal->fate = FATE_HANDLED;
		pending_push(signal_pending_of(context, &context->handlers, event, event->to_tid),
			     signal);
	} else if (event->action == SIGNAL_ACTION_IGNORE) {
		signal->fate = FATE_IGNORED;
	} else {
		signal->fate = FATE_DEFAULT;
		if (event->to)
			set_default(context, event->to, signal);
	}
}

static struct viz_signal *take_delivered(struct signal_context *context,
					 const struct viz_signal_event *event)
{
	struct viz_siginfo reported = {.known = event->has_code,
				       .code = event->code,
				       .has_value = event->has_value,
				       .value = event->value,
				       .pid = event->sender_pid};

	return signal_take_reported(context, event, &reported);
}

static void deliver(struct signal_context *context, struct viz_signal_event *event)
{
	struct viz_signal *signal = take_delivered(context, event);

	if (!signal && is_group_exit(event)) {
		if (event->to && !signal_target(context, event->to)->group_exit)
			signal_target(context, event->to)->group_exit = event;
		else
			pair_free(context->pair, event);
		return;
	}
	if (!signal)
		signal = signal_new(context, event);
	signal->deliver = event;
	signal->interrupted = viz_operation_use(event->operation);
	begin_action(context, signal);
}

/*
 * Handlers nest: the last one that began returns first. A handler that left by longjmp(3) never
 * returns, so those above the one that does are removed from the stack.
 */
static void handler_return(struct signal_context *context, struct viz_signal_event *event)
{
	struct pending *running = signal_pending_of(context, &context->handlers, event,
						    event->to_tid);
	size_t i = running->count;

	while (i > 0 && running->items[i - 1]->number != event->number)
		i--;
	if (i == 0) {
		pair_free(context->pair, event);
		return;
	}
	running->items[i - 1]->end = event;
	running->items[i - 1]->restarted = viz_bytes_equal(event->interrupted,
							   viz_bytes_of("restart"));
	running->count = i - 1;
}

/*
 * The queue with the oldest signal that is pending for a process or one of its threads and has the
 * number that ended it. NULL if there is none.
 */
static struct pending *oldest_pending(struct signal_context *context, struct viz_process *process)
{
	struct viz_signal_event like = {.to = process, .number = process->exit_signal};
	const struct viz_signal *oldest = NULL;
	struct pending *found = NULL;

	for (size_t i = 0; i <= process->thread_count; i++) {
		uint32_t tid = i ? process->threads[i - 1]->tid : 0;
		struct pending *pending = signal_queue(context, &like, tid);
		const struct viz_signal *first = pending->taken < pending->count
							 ? pending->items[pending->taken]
							 : NULL;

		if (!first || (oldest && first->generate->at_ns >= oldest->generate->at_ns))
			continue;
		oldest = first;
		found = pending;
	}
	return found;
}

/*
 * The signal that ended a process is the last one with a default action, else the oldest pending.
 */
void signal_name_killer(struct signal_context *context, struct viz_process *process)
{
	struct target *target = signal_target(context, process);
	struct viz_signal *killer = target->last_default;

	target->ended = true;
	target->last_default = NULL;
	if (!process->exit_signal)
		return;
	if (!killer || killer->number != process->exit_signal) {
		struct pending *pending = oldest_pending(context, process);

		killer = pending ? signal_queue_take(pending) : NULL;
	}
	if (!killer)
		return;
	killer->fate = FATE_DEFAULT;
	killer->killed = true;
	if (killer->deliver)
		return;
	killer->deliver = target->group_exit;
	target->group_exit = NULL;
}

static void found(struct signal_context *context, struct viz_signal_event *event)
{
	struct pending *pending = signal_pending_of(context, &context->queues, event,
						    event->group ? 0 : event->to_tid);

	LIST_PUSH(&pending->found, event);
}

void signal_event_add(struct signal_context *context, struct viz_signal_event *event)
{
	if (event->has_operation)
		event->operation = viz_model_operation(context->pair->model, event->operation_id);
	if (event->event == SIGNAL_EVENT_GENERATE)
		generate(context, event);
	else if (event->event == SIGNAL_EVENT_DELIVER)
		deliver(context, event);
	else if (event->event == SIGNAL_EVENT_RETURN)
		handler_return(context, event);
	else if (event->event == SIGNAL_EVENT_PENDING)
		found(context, event);
	else
		pair_free(context->pair, event);
}
