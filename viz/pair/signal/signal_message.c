// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Makes a message of a signal whose events are known. */
#include "viz/pair/core/context.h"

/* True for a SIGCONT that took effect when it was sent, without delivery. */
static bool is_continued(const struct viz_signal *signal)
{
	return signal->number == SIGNAL_CONTINUE && signal->fate == FATE_DEFAULT &&
	       !signal->deliver && signal->generate;
}

static struct viz_end sender_end(const struct viz_signal *signal)
{
	const struct viz_signal_event *event = signal->generate;

	if (signal->raised_by)
		return pair_end_of(signal->raised_by);
	if (!event || !event->from_pid)
		return (struct viz_end){0};
	return (struct viz_end){
		.known = true,
		.process = event->from,
		.pid = event->from_pid,
		.tid = event->from_tid,
		.comm = event->from_comm,
	};
}

/* The receipt lasts from delivery to the handler's return; other actions take no time. */
static void time_receipt(struct viz_end *end, const struct viz_signal *signal)
{
	if (is_continued(signal)) {
		end->timed = true;
		end->enter_ns = end->exit_ns = signal->generate->at_ns;
		return;
	}
	end->timed = signal->deliver || signal->killed;
	if (!end->timed)
		return;
	end->enter_ns = signal->deliver ? signal->deliver->at_ns : end->process->end_ns;
	end->exit_ns = end->enter_ns;
	if (signal->fate == FATE_HANDLED)
		end->exit_ns = signal->end ? signal->end->at_ns : VIZ_NEVER;
}

static struct viz_end receiver_end(const struct viz_signal *signal)
{
	const struct viz_signal_event *event = signal->deliver ? signal->deliver : signal->generate;
	struct viz_end end = {.known = true};

	if (signal->accepted_by)
		return pair_end_of(signal->accepted_by);
	if (!event || !event->to_pid)
		return (struct viz_end){0};
	end.process = event->to;
	end.pid = event->to_pid;
	end.tid = event->to_tid;
	end.comm = event->to_comm;
	time_receipt(&end, signal);
	return end;
}

/* True if it was received before it was sent, as the times of a damaged trace may say. */
static bool is_too_late(const struct viz_message *message)
{
	return message->from.timed && message->to.timed &&
	       message->from.enter_ns > message->to.exit_ns;
}

void pair_add_signal(struct pair_context *context, const struct viz_signal *signal)
{
	static const struct pair_route route = {.mechanism = MECH_SIGNAL};
	struct viz_message *message = pair_add_message(context, &route);

	message->signal = signal;
	message->match = signal->match;
	message->fate = signal->fate;
	message->from = sender_end(signal);
	message->to = receiver_end(signal);
	if (is_too_late(message))
		message->match = MATCH_AMBIGUOUS;
}
