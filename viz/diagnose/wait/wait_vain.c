// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Waits for what cannot come: a signal that is blocked, room to write at a reading end. */
#include <signal.h>

#include "viz/diagnose/wait/waits.h"

static bool takes_signals(const struct wait *wait)
{
	return !wait->clock && (waits_for_signal(wait->operation) ||
				operation_is(wait->operation, "rt_sigtimedwait"));
}

/* True for signals that do nothing by default, and have no handler there: signal(7). */
static bool does_nothing(const struct viz_process *process, int number)
{
	return (number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT) &&
	       !viz_process_handles(process, number);
}

/* True if the signal was sent to the process and waits there since, at the end of the trace. */
static bool is_pending(const struct diagnosis *d, const struct viz_signal *s,
		       const struct viz_process *process)
{
	return s->fate == FATE_PENDING && s->generate && s->generate->to == process &&
	       s->generate->result == SIGNAL_RESULT_QUEUED &&
	       d->end_ns - s->generate->at_ns >= LONG_WAIT_NS;
}

struct viz_bytes wait_pending_signal(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_process *process = wait->process;

	for (size_t i = 0; takes_signals(wait) && i < process->pending_count; i++)
		if (!does_nothing(process, signal_by_name(process->pending[i].data)))
			return process->pending[i];
	for (size_t i = 0; takes_signals(wait) && i < d->pairing->signal_count; i++) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (is_pending(d, s, process) && !does_nothing(process, s->number))
			return s->name;
	}
	return (struct viz_bytes){0};
}

/* True if it asks there only for what this end of a pipe never has. */
static bool is_wrong_end(const struct wait_graph *graph, const struct wait *wait, size_t n,
			 const struct viz_channel *channel)
{
	const struct viz_wait *w = &wait->operation->extra->waits_for[n];

	return wait_is_reading_end(graph, wait, w, channel) && viz_wait_has(w, OUT) &&
	       !viz_wait_has(w, IN);
}

const struct viz_channel *wait_for_room_to_read(const struct wait_graph *graph,
						const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	const struct viz_channel *first = NULL;

	for (size_t i = 0; operation_polls(op) && i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(graph, op, i);

		if (!channel || !is_wrong_end(graph, wait, i, channel))
			return NULL;
		first = first ? first : channel;
	}
	return op->extra->waits_cut || wait->clock ? NULL : first;
}
