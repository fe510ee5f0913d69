// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Relays that have nothing more to send and do not say so: the other side waits for the end of the
 * stream, and they for its answer, as nc(1) without -N does.
 */
#include "viz/diagnose/wait/waits.h"

/* Two descriptors, the socket and an input: one that serves many has others to wait for. */
enum { ASKED_MOST = 2 };

/* The end of anything else, as of the output of a helper, says nothing of what is still to come. */
#define STANDARD_INPUT 0

/*
 * Of a poll(2): the channel of its standard input, if it told that all other ends are closed; else
 * NULL.
 */
static const struct viz_channel *hung_up(const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->ready_count; i++)
		if (op->extra->ready[i].channel && op->extra->ready[i].fd == STANDARD_INPUT &&
		    viz_wait_has(&op->extra->ready[i], HUP))
			return op->extra->ready[i].channel;
	return NULL;
}

/* What is sent where nothing has been received yet is no answer. */
static void note_send(struct wait_graph *graph, const struct viz_operation *op)
{
	const size_t channel = op->channel->index;

	if (!graph->clues.last_receives[channel])
		graph->clues.asks[channel] = true;
	graph->clues.last_sends[channel] = op;
}

/* Fills in where each process last found an end, and the last calls on each channel. */
static void find_last_calls(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;

	graph->clues.input_ends = calls_array(graph->arena, model->process_count);
	graph->clues.last_sends = calls_array(graph->arena, model->channel_count);
	graph->clues.last_receives = calls_array(graph->arena, model->channel_count);
	graph->clues.asks = arena_array(graph->arena, model->channel_count + 1, sizeof(bool));
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->role == ROLE_SEND && op->channel && op->returned > 0)
			note_send(graph, op);
		else if (op->role == ROLE_RECEIVE
				 ? op->channel && op->fd == STANDARD_INPUT && operation_is_end(op)
				 : hung_up(op) != NULL)
			graph->clues.input_ends[op->process->index] = op;
		if (op->role == ROLE_RECEIVE && op->channel && op->returned > 0)
			graph->clues.last_receives[op->channel->index] = op;
	}
}

bool wait_was_answered(struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_operation *sent, *received;

	if (!graph->clues.input_ends)
		find_last_calls(graph);
	sent = graph->clues.last_sends[wait->channel->index];
	received = graph->clues.last_receives[wait->channel->index];
	return received && (!sent || sent->index < received->index);
}

bool wait_never_asked(struct wait_graph *graph, const struct wait *wait)
{
	if (!graph->clues.input_ends)
		find_last_calls(graph);
	return !graph->clues.asks[wait->channel->index];
}

bool channel_was_never_answered(struct wait_graph *graph, const struct viz_channel *channel)
{
	if (graph->whole)
		return channel->glimpse->sent && !channel->glimpse->received_ns;
	if (!graph->clues.input_ends)
		find_last_calls(graph);
	return graph->clues.last_sends[channel->index] &&
	       !graph->clues.last_receives[channel->index];
}

/* nc(1) only passes on what it reads, so what it says before the end of that is no request. */
static bool is_plain_relay(const struct viz_process *process)
{
	return process_is_written_in(process, "netcat");
}

/* True if somebody waits for what comes from this socket, and perhaps for little else. */
static bool is_awaited(const struct diagnosis *d, const struct wait *wait, bool among_others)
{
	const struct viz_channel *there = other_end(d, wait);

	for (size_t i = 0; i < wait->ender_count; i++)
		for (const struct wait *other = wait_of_process(d->waits, wait->enders[i]); other;
		     other = other->next_of_process)
			if (other->process != wait->process &&
			    (among_others ||
			     other->operation->extra->waits_for_count <= ASKED_MOST) &&
			    wait_reads_at(d->waits, other, there))
				return true;
	return false;
}

const struct viz_operation *wait_unsaid_end(const struct diagnosis *d, const struct wait *wait)
{
	struct wait_graph *graph = d->waits;
	const struct viz_channel *channel = wait->channel;
	const struct viz_operation *sent, *end;

	if (!channel_is_stream_socket(channel) || graph->whole ||
	    wait->operation->extra->waits_for_count > ASKED_MOST ||
	    !wait_reads_at(d->waits, wait, channel))
		return NULL;
	if (!graph->clues.input_ends)
		find_last_calls(graph);
	end = graph->clues.input_ends[wait->process->index];
	sent = graph->clues.last_sends[channel->index];
	if (!end || (end->channel ? end->channel : hung_up(end)) == channel || !sent ||
	    sent->process != wait->process ||
	    !wait_holding(graph, channel, wait->process, ACCESS_WRITE) ||
	    !is_awaited(d, wait,
			is_plain_relay(wait->process) &&
				channel_was_never_answered(graph, channel)))
		return NULL;
	return end;
}

bool wait_has_read_all(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (!channel_is_stream_socket(wait->channel) || !is_plain_relay(wait->process) ||
	    !operation_polls(op) || op->extra->waits_cut ||
	    !wait_reads_at(d->waits, wait, wait->channel))
		return false;
	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (op->extra->waits_for[i].fd == STANDARD_INPUT)
			return false;
	return channel_was_never_answered(d->waits, wait->channel) && is_awaited(d, wait, true);
}

bool wait_is_for_unsaid_end(const struct diagnosis *d, const struct wait *wait)
{
	if (d->waits->whole)
		return wait_has_read_all(d, wait) && is_awaited(d, wait, false);
	return wait_has_read_all(d, wait) ||
	       (wait->channel && is_plain_relay(wait->process) && wait_unsaid_end(d, wait));
}
