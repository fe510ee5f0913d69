// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signals. Each thread has a queue of pending signals, and each process one that any of its
 * threads may take from; within a number they are first in first out, a thread's own first.
 * Generation and delivery are recorded under the kernel's own lock, so their order is the truth.
 */
#include <errno.h>
#include <stdlib.h>

#include "pair_internal.h"

/* Signals of one target and number, oldest first. */
struct pending {
	struct viz_signal **items;
	size_t count;
	size_t taken;
};

/* What is remembered of a process until its end. */
struct target {
	struct viz_signal *last_default;	   /* the last that took its default action */
	const struct viz_signal_event *group_exit; /* see is_group_exit() */
};

struct signal_context {
	struct pair_context *pair;
	struct map queues;	/* struct pending */
	struct map handlers;	/* of a thread: struct pending as a stack, the running ones */
	struct map raised;	/* operations that raised one */
	struct target *targets; /* by process index */
};

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
	}
	return pending;
}

static void pending_push(struct signal_context *context, struct pending *pending,
			 struct viz_signal *signal)
{
	ARENA_PUSH(context->pair->arena, pending->items, pending->count, signal);
}

static struct viz_signal *pending_take(struct pending *pending)
{
	return pending->taken < pending->count ? pending->items[pending->taken++] : NULL;
}

static struct viz_signal *new_signal(struct signal_context *context,
				     const struct viz_signal_event *event)
{
	struct viz_pairing *pairing = context->pair->pairing;
	struct viz_signal *signal = arena_alloc(context->pair->arena, sizeof(*signal));

	signal->index = pairing->signal_count;
	signal->number = event->number;
	signal->name = event->name;
	signal->match = context->pair->lost ? MATCH_AMBIGUOUS : MATCH_EXACT;
	signal->fate = FATE_PENDING;
	ARENA_PUSH(context->pair->arena, pairing->signals, pairing->signal_count, signal);
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
	struct viz_signal *signal = new_signal(context, event);

	signal->generate = event;
	signal->raised_by = event->operation;
	signal->fate = fate_of(event);
	if (event->has_operation)
		map_put_uint(context->pair->arena, &context->raised, event->operation_id, signal);
	if (signal->fate == FATE_PENDING)
		pending_push(context,
			     pending_of(context, &context->queues, event,
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

static struct viz_signal *find_generated(struct signal_context *context,
					 const struct viz_signal_event *event)
{
	struct viz_signal *signal =
		pending_take(pending_of(context, &context->queues, event, event->to_tid));

	if (!signal)
		signal = pending_take(pending_of(context, &context->queues, event, 0));
	return signal;
}

static void begin_action(struct signal_context *context, struct viz_signal *signal)
{
	const struct viz_signal_event *event = signal->deliver;

	if (event->action == SIGNAL_ACTION_HANDLER) {
		signal->fate = FATE_HANDLED;
		pending_push(context, pending_of(context, &context->handlers, event, event->to_tid),
			     signal);
	} else if (event->action == SIGNAL_ACTION_IGNORE) {
		signal->fate = FATE_IGNORED;
	} else {
		signal->fate = FATE_DEFAULT;
		if (event->to)
			context->targets[event->to->index].last_default = signal;
	}
}

static void deliver(struct signal_context *context, const struct viz_signal_event *event)
{
	struct viz_signal *signal = find_generated(context, event);

	if (!signal && is_group_exit(event)) {
		if (event->to && !context->targets[event->to->index].group_exit)
			context->targets[event->to->index].group_exit = event;
		return;
	}
	if (!signal)
		signal = new_signal(context, event);
	signal->deliver = event;
	signal->interrupted = event->operation;
	begin_action(context, signal);
}

/* Handlers nest: the last that began is the first to return. One that jumped out never does. */
static void handler_return(struct signal_context *context, const struct viz_signal_event *event)
{
	struct pending *running = pending_of(context, &context->handlers, event, event->to_tid);
	size_t i = running->count;

	while (i > 0 && running->items[i - 1]->number != event->number)
		i--;
	if (i == 0)
		return;
	running->items[i - 1]->end = event;
	running->items[i - 1]->restarted = viz_bytes_equal(event->interrupted,
							   viz_bytes_of("restart"));
	running->count = i - 1;
}

/* The oldest one pending for a process or any of its threads. */
static struct viz_signal *oldest_pending(struct signal_context *context,
					 struct viz_process *process)
{
	struct viz_signal_event like = {.to = process, .number = process->exit_signal};
	struct viz_signal *oldest = NULL;

	for (size_t i = 0; i <= process->thread_count; i++) {
		uint32_t tid = i ? process->threads[i - 1]->tid : 0;
		const struct pending *pending = pending_of(context, &context->queues, &like, tid);
		struct viz_signal *first = pending->taken < pending->count
						   ? pending->items[pending->taken]
						   : NULL;

		if (first && (!oldest || first->generate->at_ns < oldest->generate->at_ns))
			oldest = first;
	}
	return oldest;
}

/* The signal that ended a process: the one delivered last, else the oldest that was pending. */
static void name_killer(struct signal_context *context, struct viz_process *process)
{
	const struct target *target = &context->targets[process->index];
	struct viz_signal *killer = target->last_default;

	if (!process->exit_signal)
		return;
	if (!killer || killer->number != process->exit_signal)
		killer = oldest_pending(context, process);
	if (!killer)
		return;
	killer->fate = FATE_DEFAULT;
	killer->killed = true;
	if (!killer->deliver)
		killer->deliver = target->group_exit;
}

/* A call that raised nothing in the trace: its target does not exist, or is outside. */
static void add_unanswered(struct signal_context *context, const struct viz_operation *op)
{
	struct viz_signal_event like = {0};
	struct viz_signal *signal;
	char name[16];
	int64_t number;

	if (!viz_operation_argument(op, "sig", &number) || number <= 0 || number > INT16_MAX)
		return;
	like.number = (int)number;
	signal_name(like.number, name);
	like.name = arena_bytes(context->pair->arena, name, strlen(name));
	signal = new_signal(context, &like);
	signal->raised_by = op;
	signal->fate = op->returned == -ESRCH ? FATE_NO_PROCESS : FATE_NONE;
}

static void add_calls(struct signal_context *context)
{
	const struct viz_model *model = context->pair->model;

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->role != ROLE_SIGNAL || !viz_operation_done(op) || !viz_has(op, returned))
			continue;
		if (op->returned != 0 && op->returned != -ESRCH)
			continue;
		if (!map_get_uint(&context->raised, op->id))
			add_unanswered(context, op);
	}
}

#define SIGNALFD_RECORD 128 /* sizeof(struct signalfd_siginfo); the number comes first */
#define SIGNAL_MAX 64

static bool reads_signals(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && op->channel && op->channel->mechanism == MECH_SIGNALFD;
}

static bool accepts(const struct viz_operation *op)
{
	if (!viz_operation_done(op) || op->returned <= 0)
		return false;
	return reads_signals(op) || (op->role == ROLE_WAIT && op->returned <= SIGNAL_MAX &&
				     viz_bytes_equal(op->syscall, viz_bytes_of("rt_sigtimedwait")));
}

/* A wait for signals took one that was pending: no action is taken, no delivery recorded. */
static struct viz_signal *accept_signal(struct signal_context *context,
					const struct viz_operation *op, int number)
{
	struct viz_signal_event like = {
		.to = op->process, .to_tid = op->thread->tid, .number = number};
	struct viz_signal *signal = find_generated(context, &like);

	if (!signal)
		return NULL; /* it was sent before the trace began */
	signal->accepted_by = op;
	signal->fate = FATE_HANDLED;
	return signal;
}

/* The trace did not keep its number: of those pending the kernel gives the lowest it may. */
static void accept_lowest(struct signal_context *context, const struct viz_operation *op)
{
	struct viz_signal *signal = NULL;

	for (int number = 1; number <= SIGNAL_MAX && !signal; number++)
		signal = accept_signal(context, op, number);
	if (signal)
		signal->match = MATCH_AMBIGUOUS;
}

static void accept_signals(struct signal_context *context, const struct viz_operation *op)
{
	if (!reads_signals(op)) {
		accept_signal(context, op, (int)op->returned);
		return;
	}
	for (uint64_t at = 0; at + SIGNALFD_RECORD <= (uint64_t)op->returned; at += SIGNALFD_RECORD)
		if (at + sizeof(uint32_t) <= op->payload.len)
			accept_signal(context, op, (unsigned char)op->payload.data[at]);
		else
			accept_lowest(context, op);
}

static int compare_exits(const void *a, const void *b)
{
	const struct viz_operation *x = *(const struct viz_operation *const *)a;
	const struct viz_operation *y = *(const struct viz_operation *const *)b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static const struct viz_operation **list_waits(struct pair_context *pair, size_t *count)
{
	const struct viz_operation **waits = NULL;

	*count = 0;
	for (size_t i = 0; i < pair->model->operation_count; i++)
		if (accepts(pair->model->operations[i]))
			ARENA_PUSH(pair->arena, waits, *count, pair->model->operations[i]);
	if (*count)
		qsort(waits, *count, sizeof(*waits), compare_exits);
	return waits;
}

static void add_event(struct signal_context *context, const struct viz_signal_event *event)
{
	if (event->event == SIGNAL_EVENT_GENERATE)
		generate(context, event);
	else if (event->event == SIGNAL_EVENT_DELIVER)
		deliver(context, event);
	else
		handler_return(context, event);
}

static void add_events(struct signal_context *context)
{
	const struct viz_model *model = context->pair->model;
	size_t wait_count, wait = 0;
	const struct viz_operation **waits = list_waits(context->pair, &wait_count);

	for (size_t i = 0; i < model->signal_event_count; i++) {
		const struct viz_signal_event *event = model->signal_events[i];

		for (; wait < wait_count && waits[wait]->exit_ns < event->at_ns; wait++)
			accept_signals(context, waits[wait]);
		add_event(context, event);
	}
	for (; wait < wait_count; wait++)
		accept_signals(context, waits[wait]);
	for (size_t i = 0; i < model->process_count; i++)
		name_killer(context, model->processes[i]);
}

void pair_signals(struct pair_context *pair)
{
	struct signal_context context = {.pair = pair};

	context.targets = arena_array(pair->arena, pair->model->process_count + 1,
				      sizeof(*context.targets));
	add_events(&context);
	add_calls(&context);
	for (size_t i = 0; i < pair->pairing->signal_count; i++)
		pair_add_signal(pair, pair->pairing->signals[i]);
}
