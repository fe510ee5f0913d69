// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signals. Each thread has a queue of pending signals, and each process one that any of its
 * threads may take from; within a number they are first in first out, a thread's own first.
 * Generation and delivery are recorded under the kernel's own lock, so their order is the truth.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_build.h"
#include "pair_signal.h"

/*
 * tid 0: the process's own queue. Processes go by index, because a pid may be used again; those
 * outside the trace by pid, behind all indices.
 */
static struct pending *pending_of(struct signal_context *context, struct map *map,
				  const struct viz_signal_event *event, uint32_t tid)
{
	uint64_t process = event->to ? event->to->index : (uint64_t)1 << 63 | event->to_pid;
	uint64_t words[2] = {process, (uint64_t)tid << 32 | (uint32_t)event->number};
	struct viz_bytes key = {(const char *)words, sizeof(words)};
	struct pending *pending;

	if (map == &context->handlers)
		words[1] = tid;
	pending = map_get(map, key);
	if (!pending) {
		pending = arena_alloc(context->pair->arena, sizeof(*pending));
		map_put(context->pair->arena, map, key, pending);
		LIST_PUSH(&context->all, pending);
	}
	return pending;
}

static void pending_push(struct pending *pending, struct viz_signal *signal)
{
	if (pending->taken == pending->count)
		pending->taken = pending->count = 0;
	LIST_PUSH(pending, signal);
}

static struct viz_signal *pending_take(struct pending *pending)
{
	return pending->taken < pending->count ? pending->items[pending->taken++] : NULL;
}

struct target *signal_target(struct signal_context *context, const struct viz_process *process)
{
	while (context->targets.count <= process->index)
		LIST_PUSH(&context->targets, (struct target){0});
	return &context->targets.items[process->index];
}

struct viz_signal *signal_new(struct signal_context *context, const struct viz_signal_event *event)
{
	struct viz_signal *signal = pair_new(context->pair, sizeof(*signal));

	signal->index = context->count++;
	signal->number = event->number;
	signal->name = event->name;
	signal->match = context->pair->lost ? MATCH_AMBIGUOUS : MATCH_EXACT;
	signal->fate = FATE_PENDING;
	LIST_PUSH(&context->signals, signal);
	return signal;
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
	default: /* lost: only its details are, it comes all the same */
		return FATE_PENDING;
	}
}

/* What becomes of a signal to somebody outside the trace is not seen: that is no pending one. */
static enum fate fate_of(const struct viz_signal_event *event)
{
	enum fate fate = fate_of_result(event->result);

	if (fate == FATE_IGNORED && event->number == SIGNAL_CONTINUE)
		return FATE_DEFAULT; /* ignored or not, it wakes a stopped process when sent */
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
		pending_push(pending_of(context, &context->queues, event,
					event->group ? 0 : event->to_tid),
			     signal);
}

/*
 * A fatal default action shows as delivery of SIGKILL to every thread, which nobody sent; the
 * signal that it stands for is found when the process's end is looked at.
 */
static bool is_group_exit(const struct viz_signal_event *event)
{
	return event->number == SIGNAL_KILL && event->action == SIGNAL_ACTION_DEFAULT;
}

struct viz_signal *signal_take_pending(struct signal_context *context,
				       const struct viz_signal_event *event)
{
	struct viz_signal *signal =
		pending_take(pending_of(context, &context->queues, event, event->to_tid));

	if (!signal)
		signal = pending_take(pending_of(context, &context->queues, event, 0));
	return signal;
}

static bool may_be(const struct viz_signal_event *sent, const struct viz_siginfo *taken)
{
	if (sent->has_code && sent->code != taken->code)
		return false;
	if (sent->has_value && taken->has_value)
		return sent->value == taken->value;
	return !sent->from_pid || !taken->pid || sent->from_pid == taken->pid;
}

struct viz_signal *signal_take_named(struct signal_context *context,
				     const struct viz_signal_event *event,
				     const struct viz_siginfo *taken)
{
	const uint32_t queues[] = {event->to_tid, 0};

	for (size_t q = 0; q < 2; q++) {
		struct pending *pending = pending_of(context, &context->queues, event, queues[q]);
		size_t i = pending->taken;

		while (i < pending->count && !may_be(pending->items[i]->generate, taken))
			i++;
		if (i == pending->count)
			continue;
		while (pending->taken < i)
			pending_take(pending)->fate = FATE_NONE;
		return pending_take(pending);
	}
	return NULL;
}

static void forget_before(struct pending *pending, uint64_t before_ns)
{
	while (pending->taken < pending->count &&
	       pending->items[pending->taken]->generate->at_ns < before_ns)
		pending_take(pending)->fate = FATE_NONE;
}

void signal_forget_same(struct signal_context *context, const struct viz_signal_event *event,
			uint64_t before_ns)
{
	forget_before(pending_of(context, &context->queues, event, event->to_tid), before_ns);
	forget_before(pending_of(context, &context->queues, event, 0), before_ns);
}

void signal_forget_lower(struct signal_context *context, const struct viz_signal_event *event,
			 uint64_t before_ns)
{
	struct viz_signal_event like = *event;

	pending_of(context, &context->queues, event, 0)->waited_for = true;
	for (like.number = 1; like.number < event->number; like.number++) {
		struct pending *pending = pending_of(context, &context->queues, &like, 0);

		if (pending->waited_for)
			forget_before(pending, before_ns);
	}
}

/* It may yet have ended the process; the one before it has not. */
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
		pending_push(pending_of(context, &context->handlers, event, event->to_tid), signal);
	} else if (event->action == SIGNAL_ACTION_IGNORE) {
		signal->fate = FATE_IGNORED;
	} else {
		signal->fate = FATE_DEFAULT;
		if (event->to)
			set_default(context, event->to, signal);
	}
}

static void deliver(struct signal_context *context, struct viz_signal_event *event)
{
	struct viz_signal *signal = signal_take_pending(context, event);

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

/* Handlers nest: the last that began is the first to return. One that jumped out never does. */
static void handler_return(struct signal_context *context, struct viz_signal_event *event)
{
	struct pending *running = pending_of(context, &context->handlers, event, event->to_tid);
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

/* Where the oldest one waits that is pending for a process or any of its threads; NULL: nowhere. */
static struct pending *oldest_pending(struct signal_context *context, struct viz_process *process)
{
	struct viz_signal_event like = {.to = process, .number = process->exit_signal};
	const struct viz_signal *oldest = NULL;
	struct pending *found = NULL;

	for (size_t i = 0; i <= process->thread_count; i++) {
		uint32_t tid = i ? process->threads[i - 1]->tid : 0;
		struct pending *pending = pending_of(context, &context->queues, &like, tid);
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

/* The signal that ended a process: the one delivered last, else the oldest that was pending. */
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

		killer = pending ? pending_take(pending) : NULL;
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
	else
		pair_free(context->pair, event);
}
