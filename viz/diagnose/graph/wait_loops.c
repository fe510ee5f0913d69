// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Event loops: of what they wait for, some only wakes them up, as another thread of their own
 * process or a handler of a signal does (an eventfd, a pipe to itself). What is left tells what a
 * loop waits for.
 */
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/diagnose/graph/wait_kinds.h"
#include "viz/model/unseen.h"

static bool may_wake_only(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_EVENTFD || channel->mechanism == MECH_PIPE ||
	       channel->mechanism == MECH_UNIX_STREAM;
}

bool wait_wakes_itself(struct wait_graph *graph, const struct wait *wait,
		       const struct viz_channel *channel)
{
	const struct viz_channel *peer = wait_peer(graph, channel);
	const struct viz_channel *end = peer ? peer : channel;
	const struct wait_set *writers;

	if (!may_wake_only(channel) || (channel->mechanism == MECH_UNIX_STREAM && !peer) ||
	    (!graph->whole && !end->created_in_trace) || graph->flights[end->index] ||
	    wait_held_outside(end, ACCESS_WRITE))
		return false;
	if (channel_is_pipe(channel) && !wait_holding(graph, channel, wait->process, ACCESS_READ))
		return false;
	writers = wait_holders(graph, end, ACCESS_WRITE);
	return writers->count == 1 && writers->processes[0] == wait->process;
}

enum loop_share wait_loop_share(struct wait_graph *graph, const struct wait *wait,
				wait_fits_fn *fits)
{
	const struct viz_operation *op = wait->operation;
	bool any = false;

	if (op->role != ROLE_WAIT || !op->extra->waits_for_count || op->extra->waits_cut ||
	    wait->clock || wait->ready)
		return LOOP_ELSE;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(graph, op, i);

		if (!channel || viz_wait_has(&op->extra->waits_for[i], DISABLED))
			return LOOP_ELSE;
		if (fits && fits(graph, wait, i))
			any = true;
		else if (!wait_wakes_itself(graph, wait, channel))
			return LOOP_ELSE;
	}
	return any ? LOOP_FITS : LOOP_ITSELF;
}

bool wait_is_only_of(const struct wait_graph *graph, const struct wait *wait)
{
	return graph->elsewhere[wait->process->index] == !wait->itself;
}

bool wait_is_of_helper(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_thread *first = wait->process->threads[0];

	return wait->itself && (!wait_is_only_of(graph, wait) ||
				(wait->operation->thread != first && wait_of_thread(graph, first)));
}

static bool has_room_to_make(const struct viz_channel *channel)
{
	return channel_is_pipe(channel) || channel->mechanism == MECH_UNIX_STREAM ||
	       channel->mechanism == MECH_TCP || channel->mechanism == MECH_UNIX_SEQPACKET;
}

/* True if a process other than the one that waits is known that could read there. */
static bool has_reader(struct wait_graph *graph, const struct wait *wait,
		       const struct viz_channel *end)
{
	const struct wait_set *readers = wait_holders(graph, end, ACCESS_READ);

	return readers->count > 1 || (readers->count && readers->processes[0] != wait->process);
}

/*
 * True if the loop waits for room there. With EPOLLET it may have asked for that as well where
 * there is room. A socket that is not connected yet has none either: something was sent there.
 */
static bool is_for_room(struct wait_graph *graph, const struct wait *wait, size_t n)
{
	const struct viz_wait *w = &wait->operation->extra->waits_for[n];
	const struct viz_channel *channel = wait_asked(graph, wait->operation, n);
	const struct viz_channel *peer;

	if (!(viz_wait_has(w, OUT) || viz_wait_has(w, WRNORM)) || viz_wait_has(w, EDGE) ||
	    !has_room_to_make(channel) || wait_is_reading_end(graph, wait, w, channel))
		return false;
	peer = wait_peer(graph, channel);
	if (!peer && !channel_is_pipe(channel))
		return false;
	return (graph->whole ||
		map_get_uint(&graph->wrote, viz_pair_key(wait->process, channel))) &&
	       has_reader(graph, wait, peer ? peer : channel);
}

void wait_look_at_loop(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	wait->itself = wait_loop_share(graph, wait, NULL) == LOOP_ITSELF;
	graph->elsewhere[wait->process->index] += !wait->itself;
	if (wait_loop_share(graph, wait, is_for_room) != LOOP_FITS)
		return;
	for (size_t i = 0; i < op->extra->waits_for_count && !wait->room; i++)
		if (is_for_room(graph, wait, i))
			wait->room = wait_asked(graph, op, i);
	wait->channel = wait->room;
}

/* True if one that the process started sleeps until just this process writes, or reads, there. */
static bool has_waiting_child(const struct wait_graph *graph, const struct viz_process *process)
{
	for (size_t i = 0; i < graph->count; i++) {
		const struct wait *wait = graph->waits[i];
		const enum role role = wait->operation->role;

		if ((role == ROLE_RECEIVE || role == ROLE_SEND) && wait->known && !wait->open &&
		    wait->ender_count == 1 && wait->enders[0] == process &&
		    process_is_lone(wait->process) && viz_process_descends(wait->process, process))
			return true;
	}
	return false;
}

/*
 * A glance cannot tell whether the kernel itself counts in an eventfd, as for aio. Where a child
 * waits for its parent, it is taken for what it mostly is, by which threads wake each other.
 */
void wait_close_counters(struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->count; i++) {
		struct wait *wait = graph->waits[i];

		if (!wait->counted || unseen_process_ns(wait->process) != VIZ_NEVER ||
		    !has_waiting_child(graph, wait->process))
			continue;
		wait->open = wait->counted = false;
		wait->known = wait->ender_count > 0;
	}
}
