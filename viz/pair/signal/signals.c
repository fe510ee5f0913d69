// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Goes through signal events and calls in one order of time: calls raise signals, and calls that
 * wait for signals take them. Passes a signal on once nothing more can happen to it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "viz/model/builder.h"
#include "viz/pair/signal/pending.h"

/*
 * A copy of the name, made once for each name, which lives as long as what is kept or the engine.
 */
static struct viz_bytes name_of(struct signal_context *context, const char *name)
{
	char *kept = map_get(&context->names, viz_bytes_of(name));

	if (!kept) {
		kept = (char *)arena_bytes(context->pair->texts, name, strlen(name)).data;
		map_put(context->pair->arena, &context->names, viz_bytes_of(name), kept);
	}
	return viz_bytes_of(kept);
}

/* Makes a signal that has no line of its own; only a call tells its number. */
static struct viz_signal *new_by_number(struct signal_context *context, int number)
{
	struct viz_signal_event like = {.number = number};
	char name[16];

	signal_name(number, name);
	like.name = name_of(context, name);
	return signal_new(context, &like);
}

/*
 * Adds a signal for a call that raised none in the trace: its target does not exist, or is outside.
 */
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

/*
 * Takes the pending signal that a wait for signals has returned; NULL if there is none. Such a
 * signal has no delivery event, and causes no action.
 */
static struct viz_signal *take_accepted(struct signal_context *context,
					const struct viz_operation *op, int number,
					const struct viz_siginfo *reported)
{
	struct viz_signal_event like = {
		.to = op->process, .to_tid = op->thread->tid, .number = number};
	bool counts = context->pair->lost && !reads_signals(op);
	bool doubtful = signal_target(context, op->process)->doubtful;
	struct viz_signal *signal;

	if (counts && op->resumed_ns)
		signal_forget_same(context, &like, op->enter_ns);
	signal = (counts || doubtful) && reported->known
			 ? signal_take_named(context, &like, reported)
			 : signal_take_reported(context, &like, reported);
	if (counts && signal && signal->generate->group)
		signal_forget_lower(context, &like, op->enter_ns);
	return signal;
}

static void set_accepted(struct viz_signal *signal, const struct viz_operation *op)
{
	signal->accepted_by = viz_operation_use(op);
	signal->fate = FATE_HANDLED;
}

/* A signal whose generation is not in the trace gets no sender. */
static void accept_signal(struct signal_context *context, const struct viz_operation *op,
			  int number, const struct viz_siginfo *reported)
{
	struct viz_signal *signal = take_accepted(context, op, number, reported);

	if (!signal)
		signal = new_by_number(context, number);
	if (signal_target(context, op->process)->doubtful)
		signal->match = MATCH_AMBIGUOUS;
	set_accepted(signal, op);
}

/* The lowest number that is pending, of the thread's own signals if it has any; 0: none is. */
static int lowest_pending(struct signal_context *context, const struct viz_operation *op)
{
	const uint32_t queues[] = {op->thread->tid, 0};
	struct viz_signal_event like = {.to = op->process};

	for (size_t q = 0; q < 2; q++)
		for (like.number = 1; like.number <= SIGNAL_MAX; like.number++) {
			const struct pending *pending = signal_queue(context, &like, queues[q]);

			if (pending->taken < pending->count)
				return like.number;
		}
	return 0;
}

/*
 * Takes the signal of a record whose number the trace did not keep: the kernel gives the lowest
 * number that is pending and waited for. Ambiguous, as is from then on which signals are left;
 * false if no signal is pending.
 */
static bool accept_lowest(struct signal_context *context, const struct viz_operation *op)
{
	static const struct viz_siginfo unknown = {0};
	int number = lowest_pending(context, op);

	signal_target(context, op->process)->doubtful = true;
	if (number)
		accept_signal(context, op, number, &unknown);
	return number != 0;
}

/* Offsets in struct signalfd_siginfo (signalfd(2)); RECORD_NEEDED is behind the last one needed. */
enum { RECORD_CODE = 8, RECORD_PID = 12, RECORD_VALUE = 44, RECORD_NEEDED = 48 };

static int32_t record_int(const struct viz_operation *op, uint64_t at)
{
	int32_t number;

	memcpy(&number, op->payload.data + at, sizeof(number));
	return number;
}

static bool brings_sender(int64_t code)
{
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL;
}

/*
 * The siginfo of the record at offset `at` of the payload; not known if the payload is cut there.
 */
static struct viz_siginfo record_info(const struct viz_operation *op, uint64_t at)
{
	struct viz_siginfo info = {0};

	if (at + RECORD_NEEDED > op->payload.len)
		return info;
	info.known = true;
	info.code = record_int(op, at + RECORD_CODE);
	info.has_value = info.code <= SI_QUEUE && info.code >= SI_ASYNCIO;
	info.value = record_int(op, at + RECORD_VALUE);
	if (brings_sender(info.code))
		info.pid = (uint32_t)record_int(op, at + RECORD_PID);
	return info;
}

static void accept_signals(struct signal_context *context, const struct viz_operation *op)
{
	bool any = true;

	if (!reads_signals(op)) {
		accept_signal(context, op, (int)op->returned, &op->extra->taken);
		return;
	}
	for (uint64_t at = 0; any && at + SIGNALFD_RECORD <= (uint64_t)op->returned;
	     at += SIGNALFD_RECORD)
		if (at + sizeof(uint32_t) <= op->payload.len) {
			struct viz_siginfo reported = record_info(op, at);

			accept_signal(context, op, (unsigned char)op->payload.data[at], &reported);
		} else {
			any = accept_lowest(context, op);
		}
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

/* Handles the events before until_ns. */
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

/* True if nothing more can happen to the signal. */
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

/* True if the signal seems to be pending, but may have been taken, or seems to have been. */
static bool may_be_taken(struct signal_context *context, const struct viz_signal *signal)
{
	return (signal->fate == FATE_PENDING || signal->fate == FATE_NONE) && signal->generate &&
	       signal->generate->to && signal_target(context, signal->generate->to)->doubtful;
}

/*
 * Makes messages of the signals that nothing more can happen to. A signal whose handler never
 * returns has its message at the end of the trace.
 */
static void report_settled(struct signal_context *context)
{
	struct signal_list *list = &context->signals;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct viz_signal *signal = list->items[i];

		if (!is_settled(context, signal)) {
			list->items[kept++] = signal;
			continue;
		}
		if (may_be_taken(context, signal))
			signal->match = MATCH_AMBIGUOUS;
		pair_add_signal(context->pair, signal);
	}
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
	for (size_t i = 0; i < context->all.count && pair_is_last(context->pair); i++)
		if (context->all.items[i]->found.count)
			signal_found_settle(context, context->all.items[i]);
	events->count -= context->event_at;
	if (events->count)
		memmove(events->items, events->items + context->event_at,
			events->count * sizeof(*events->items));
	name_killers(context);
	report_settled(context);
}

void pair_signals_free(struct signal_context *context)
{
	for (size_t i = 0; i < context->events.count; i++)
		pair_free(context->pair, context->events.items[i]);
	for (size_t i = 0; i < context->signals.count; i++)
		pair_signal_free(context->pair, context->signals.items[i]);
	for (size_t i = 0; i < context->targets.count; i++)
		pair_free(context->pair, (void *)context->targets.items[i].group_exit);
	for (size_t i = 0; i < context->all.count; i++) {
		for (size_t k = 0; k < context->all.items[i]->found.count; k++)
			pair_free(context->pair, context->all.items[i]->found.items[k]);
		free(context->all.items[i]->items);
		free(context->all.items[i]->found.items);
	}
	free(context->events.items);
	free(context->signals.items);
	free(context->all.items);
	free(context->targets.items);
	id_map_free(&context->raised);
}
