// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/ordinary_signals.h"

#include "viz/model/operation_facts.h"
#include "viz/pair/idle_runs.h"
#include "viz/pair/interrupted_calls.h"

#define HELD_BACK_NS 100000000 /* so long a signal waits where many processes want to run */

enum { CHILD = 17, CONTINUE = 18, SIGNALFD_RECORD = 128 };

/* How many threads of a process wait for what. */
struct process_waits {
	size_t signals, children;
};

static bool is_sent_on_purpose(const struct viz_signal_event *event)
{
	return (event->origin == ORIGIN_KILL || event->origin == ORIGIN_QUEUE ||
		event->origin == ORIGIN_THREAD) &&
	       event->number != CHILD && event->number != CONTINUE;
}

/* True if the call sent the signal, and did not sleep. */
static bool just_sent(const struct viz_operation *op, const struct viz_signal_event *event)
{
	return op && viz_operation_done(op) && op->role == ROLE_SIGNAL && viz_has(op, returned) &&
	       !op->returned && !op->began && !op->off_cpu_ns && !viz_has(op, entered_before) &&
	       event->from == op->process && event->to && event->result == SIGNAL_RESULT_QUEUED;
}

/* True if the call, from its beginning on, was a short wait for signals. */
static bool just_waited(const struct viz_operation *op)
{
	return viz_operation_done(op) && !viz_has(op, entered_before) &&
	       op->off_cpu_ns <= ORDINARY_SLEEP_NS;
}

/* True if a timer of the process raised it: no call, and nobody else. */
static bool is_from_timer(const struct viz_signal *s)
{
	const struct viz_signal_event *event = s->generate;

	return event && event->origin == ORIGIN_TIMER && event->to && !event->from_pid &&
	       !s->raised_by && event->result == SIGNAL_RESULT_QUEUED;
}

/* A sleep that a signal of somebody else breaks off may have been meant to wait for that. */
static bool may_be_broken_off(const struct viz_signal *s)
{
	const struct viz_operation *op = s->interrupted;

	return operation_is(op, "pause") || operation_is(op, "rt_sigsuspend") ||
	       (is_from_timer(s) &&
		(operation_is(op, "nanosleep") || operation_is(op, "clock_nanosleep")));
}

/* Of a shell that waits for a child it is told which signals of others it handled meanwhile. */
static bool may_be_made_anew(const struct viz_signal *s)
{
	return interrupted_call_is_ordinary(s) &&
	       (!is_sent_on_purpose(s->generate) || !operation_awaits_child(s->interrupted));
}

/* True if the handler interrupted nothing, or a call that is made for that or goes on. */
static bool interrupted_nothing(const struct viz_signal *s)
{
	const struct viz_operation *op = s->interrupted;

	if (!op)
		return !s->deliver->has_operation && !s->end->interrupted.len;
	return may_be_made_anew(s) || (just_waited(op) && viz_operation_failed(op) &&
				       !s->restarted && may_be_broken_off(s));
}

/* True if a handler ran soon, and returned. */
static bool just_handled(const struct viz_signal *s)
{
	return s->deliver && s->end && s->deliver->to == s->generate->to &&
	       s->deliver->action == SIGNAL_ACTION_HANDLER &&
	       s->deliver->at_ns - s->generate->at_ns <= HELD_BACK_NS && interrupted_nothing(s);
}

/* True if the call took this signal and no other one. */
static bool just_accepted(const struct viz_signal *s)
{
	const struct viz_operation *op = s->accepted_by;

	return just_waited(op) && op->process == s->generate->to && !s->deliver &&
	       op->exit_ns - s->generate->at_ns <= HELD_BACK_NS &&
	       (op->role == ROLE_WAIT || op->returned == SIGNALFD_RECORD);
}

bool signal_is_taken(const struct viz_signal *s)
{
	return s->accepted_by ? just_accepted(s) : just_handled(s);
}

bool ordinary_signal(const struct viz_message *message)
{
	const struct viz_signal *s = message->signal;

	if (!s || message->match != MATCH_EXACT || s->match != MATCH_EXACT ||
	    s->fate != FATE_HANDLED || s->killed || !s->generate ||
	    !is_sent_on_purpose(s->generate) || !just_sent(s->raised_by, s->generate))
		return false;
	return signal_is_taken(s);
}

bool ordinary_timer_signal(const struct viz_message *message)
{
	const struct viz_signal *s = message->signal;

	return s && is_from_timer(s) && message->match == MATCH_EXACT && s->match == MATCH_EXACT &&
	       s->fate == FATE_HANDLED && !s->killed && signal_is_taken(s);
}

const struct viz_operation *signal_taker(const struct viz_signal *signal)
{
	return signal->accepted_by ? signal->accepted_by : signal->interrupted;
}

uint64_t signal_sort(const struct viz_signal *signal)
{
	const struct viz_signal_event *event = signal->generate;
	uint64_t hash = viz_hash_mix((uint64_t)signal->number, event->origin);

	hash = viz_hash_mix(hash, (uint64_t)event->code << 1 | event->group);
	hash = viz_hash_mix(hash, signal->accepted_by ? signal->accepted_by->thread->tid
				  : signal->deliver   ? signal->deliver->to_tid
						      : 0);
	hash = viz_hash_mix(hash, interrupted_call_sort(signal));
	return viz_hash_mix(hash, signal->interrupted != NULL);
}

/* --- what may still be told ------------------------------------------------------------------ */

static struct process_waits *waits_of(struct signal_waits *waits, const struct viz_process *process)
{
	struct process_waits *of = map_get_uint(&waits->processes, process->index);

	if (!of) {
		of = arena_alloc(waits->arena, sizeof(*of));
		map_put_uint(waits->arena, &waits->processes, process->index, of);
	}
	return of;
}

static size_t *count_of(struct signal_waits *waits, const struct viz_operation *op, bool child)
{
	struct process_waits *of = waits_of(waits, op->process);

	return child ? &of->children : &of->signals;
}

void signal_waits_end(struct signal_waits *waits, struct open_wait *wait,
		      const struct viz_operation *op)
{
	if (wait->op != op)
		return;
	--*count_of(waits, op, wait->child);
	wait->op = NULL;
}

void signal_waits_begin(struct signal_waits *waits, struct open_wait *wait,
			const struct viz_operation *op)
{
	const bool child = operation_awaits_child(op);

	if (wait->op)
		signal_waits_end(waits, wait, wait->op);
	if (!child && !operation_awaits_signal(op))
		return;
	*wait = (struct open_wait){op, child};
	++*count_of(waits, op, child);
}

static bool ended_wait_for_signal(const struct viz_signal *signal)
{
	return signal_taker(signal) && !interrupted_call_sort(signal);
}

/*
 * Of who waits for a signal it is told which one was handled last before, unless that ended such a
 * wait; and of a shell that waits for a child, which ones it handled meanwhile. Of a signal from a
 * timer, which nobody sent, neither is told.
 */
bool signal_may_be_forgotten(const struct signal_waits *waits, const struct viz_signal *signal)
{
	const struct process_waits *of = map_get_uint(&waits->processes,
						      signal->generate->to->index);

	return is_from_timer(signal) || !of ||
	       (!of->children && (!of->signals || ended_wait_for_signal(signal)));
}

bool child_end_may_be_forgotten(const struct signal_waits *waits, const struct viz_process *parent)
{
	const struct process_waits *of = map_get_uint(&waits->processes, parent->index);

	return !of || !of->signals;
}
