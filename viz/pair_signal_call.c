// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Signals and calls in one order of time: who raises, who waits for them; and when each is told. */
#include <errno.h>
#include <stdlib.h>

#include "model_build.h"
#include "pair_signal.h"

/* Kept once for each. */
static struct viz_bytes name_of(struct signal_context *context, const char *name)
{
	char *kept = map_get(&context->names, viz_bytes_of(name));

	if (!kept) {
		kept = (char *)arena_bytes(context->pair->keep ? context->pair->keep
							       : context->pair->arena,
					   name, strlen(name))
			       .data;
		map_put(context->pair->arena, &context->names, viz_bytes_of(name), kept);
	}
	return viz_bytes_of(kept);
}

/* One that has no line of its own; a call tells its number. */
static struct viz_signal *new_by_number(struct signal_context *context, int number)
{
	struct viz_signal_event like = {.number = number};
	char name[16];

	signal_name(number, name);
	like.name = name_of(context, name);
	return signal_new(context, &like);
}

/* A call that raised nothing in the trace: its target does not exist, or is outside. */
static void add_unanswered(struct signal_context *context, const struct viz_operation *op)
{
	struct viz_signal *signal;
	int64_t number;

	if (!viz_operation_argument(op, "sig", &number) || number <= 0 || number > INT16_MAX)
		return;
	signal = new_by_number(context, (int)number);
	signal->raised_by = viz_operation_use(op);
	signal->fate = op->returned == -ESRCH ? FATE_NO_PROCESS : FATE_NONE;
}

static void note_call(struct signal_context *context, const struct viz_operation *op)
{
	bool raised = id_map_get(&context->raised, op->id) != NULL;

	id_map_remove(&context->raised, op->id);
	if (raised || op->role != ROLE_SIGNAL || !viz_has(op, returned))
		return;
	if (op->returned == 0 || op->returned == -ESRCH)
		add_unanswered(context, op);
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
static struct viz_signal *take_accepted(struct signal_context *context,
					const struct viz_operation *op, int number)
{
	struct viz_signal_event like = {
		.to = op->process, .to_tid = op->thread->tid, .number = number};
	bool counts = context->pair->lost && !reads_signals(op);
	struct viz_signal *signal;

	if (counts && op->resumed_ns)
		signal_forget_same(context, &like, op->enter_ns);
	signal = counts && op->taken.known ? signal_take_named(context, &like, &op->taken)
					   : signal_take_pending(context, &like);
	if (counts && signal && signal->generate->group)
		signal_forget_lower(context, &like, op->enter_ns);
	return signal;
}

static void set_accepted(struct viz_signal *signal, const struct viz_operation *op)
{
	signal->accepted_by = viz_operation_use(op);
	signal->fate = FATE_HANDLED;
}

/* One whose sending is not in the trace was there all the same: from nobody that is known. */
static void accept_signal(struct signal_context *context, const struct viz_operation *op,
			  int number)
{
	struct viz_signal *signal = take_accepted(context, op, number);

	set_accepted(signal ? signal : new_by_number(context, number), op);
}

/*
 * The trace did not keep its number: of those pending the kernel gives the lowest it may. False:
 * there is none.
 */
static bool accept_lowest(struct signal_context *context, const struct viz_operation *op)
{
	struct viz_signal *signal = NULL;

	for (int number = 1; number <= SIGNAL_MAX && !signal; number++)
		signal = take_accepted(context, op, number);
	if (!signal)
		return false;
	set_accepted(signal, op);
	signal->match = MATCH_AMBIGUOUS;
	return true;
}

static void accept_signals(struct signal_context *context, const struct viz_operation *op)
{
	bool any = true;

	if (!reads_signals(op)) {
		accept_signal(context, op, (int)op->returned);
		return;
	}
	for (uint64_t at = 0; any && at + SIGNALFD_RECORD <= (uint64_t)op->returned;
	     at += SIGNALFD_RECORD)
		if (at + sizeof(uint32_t) <= op->payload.len)
			accept_signal(context, op, (unsigned char)op->payload.data[at]);
		else
			any = accept_lowest(context, op);
}

static int compare_events(const void *a, const void *b)
{
	const struct viz_signal_event *x = *(struct viz_signal_event *const *)a;
	const struct viz_signal_event *y = *(struct viz_signal_event *const *)b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

struct signal_context *pair_signals_new(struct pair_context *pair)
{
	struct signal_context *context = arena_alloc(pair->arena, sizeof(*context));

	context->pair = pair;
	return context;
}

void pair_signal_line(struct signal_context *context, struct viz_signal_event *event)
{
	event->index = context->pair->event_count++;
	LIST_PUSH(&context->events, event);
}

void pair_signal_settle(struct signal_context *context)
{
	struct event_list *events = &context->events;

	context->event_at = 0;
	if (events->count)
		qsort(events->items, events->count, sizeof(*events->items), compare_events);
}

/* The events up to that time. */
static void add_events(struct signal_context *context, uint64_t until_ns)
{
	struct event_list *events = &context->events;

	while (context->event_at < events->count &&
	       events->items[context->event_at]->at_ns < until_ns)
		signal_event_add(context, events->items[context->event_at++]);
}

void pair_signal_call(struct signal_context *context, const struct viz_operation *op)
{
	if (accepts(op)) {
		add_events(context, op->exit_ns + 1);
		accept_signals(context, op);
	}
	if (op->role == ROLE_SIGNAL || context->raised.count) {
		add_events(context, op->exit_ns + 1);
		note_call(context, op);
	}
}

/* Nothing can happen to it any more. */
static bool is_settled(struct signal_context *context, const struct viz_signal *signal)
{
	const struct viz_process *process = signal->deliver ? signal->deliver->to : NULL;

	if (pair_is_last(context->pair))
		return true;
	if (signal->fate == FATE_HANDLED)
		return signal->end || signal->accepted_by;
	if (signal->fate == FATE_DEFAULT && process)
		return signal_target(context, process)->ended ||
		       signal_target(context, process)->last_default != signal;
	return signal->fate != FATE_PENDING;
}

/* What no handler has returned from when its thread ended is told then: it never will. */
static void tell_settled(struct signal_context *context)
{
	struct signal_list *list = &context->signals;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (is_settled(context, list->items[i]))
			pair_add_signal(context->pair, list->items[i]);
		else
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static void name_killers(struct signal_context *context)
{
	const struct viz_model *model = context->pair->model;
	uint64_t until_ns = context->pair->until_ns;

	for (size_t i = context->first_living; i < model->process_count; i++) {
		struct viz_process *process = model->processes[i];

		if (process->ended && process->end_ns < until_ns &&
		    !signal_target(context, process)->ended)
			signal_name_killer(context, process);
		if (i == context->first_living && signal_target(context, process)->ended)
			context->first_living++;
	}
}

void pair_signal_end(struct signal_context *context)
{
	struct event_list *events = &context->events;

	add_events(context, context->pair->until_ns);
	events->count -= context->event_at;
	if (events->count)
		memmove(events->items, events->items + context->event_at,
			events->count * sizeof(*events->items));
	name_killers(context);
	tell_settled(context);
}

void pair_signal_free(struct pair_context *pair, struct viz_signal *signal)
{
	viz_operation_drop(signal->raised_by);
	viz_operation_drop(signal->accepted_by);
	viz_operation_drop(signal->interrupted);
	pair_free(pair, (void *)signal->generate);
	pair_free(pair, (void *)signal->deliver);
	pair_free(pair, (void *)signal->end);
	pair_free(pair, signal);
}

void pair_signals_free(struct signal_context *context)
{
	for (size_t i = 0; i < context->events.count; i++)
		pair_free(context->pair, context->events.items[i]);
	for (size_t i = 0; i < context->signals.count; i++)
		pair_signal_free(context->pair, context->signals.items[i]);
	for (size_t i = 0; i < context->targets.count; i++)
		pair_free(context->pair, (void *)context->targets.items[i].group_exit);
	for (size_t i = 0; i < context->all.count; i++)
		free(context->all.items[i]->items);
	free(context->events.items);
	free(context->signals.items);
	free(context->all.items);
	free(context->targets.items);
	id_map_free(&context->raised);
}
