// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waits at terminals. What is written on one side is read on the other, and whoever has the master
 * may pass on what a user types, as a terminal emulator does, or be a program, as expect(1).
 */
#include <signal.h>

#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/diagnose/graph/wait_kinds.h"

/* True for a loop without a time limit that waits for nothing but this, and what only it sends. */
static bool is_loop_for(struct wait_graph *graph, const struct wait *wait,
			const struct viz_channel *terminal)
{
	const struct viz_operation *op = wait->operation;

	if (wait->clock || op->role != ROLE_WAIT || op->extra->waits_cut)
		return false;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(graph, op, i);

		if (!channel || (channel != terminal && !wait_wakes_itself(graph, wait, channel)))
			return false;
	}
	return true;
}

/* A handler of SIGTERM ends expect(1); after others a program may go on. */
static bool may_be_called(const struct viz_process *process)
{
	return viz_process_handles(process, SIGALRM) || viz_process_handles(process, SIGUSR1) ||
	       viz_process_handles(process, SIGUSR2) || viz_process_handles(process, SIGHUP);
}

/* True if `parent` alone has the master, and all who have the slave besides it descend from it. */
static bool is_of_family(struct wait_graph *graph, const struct viz_channel *master,
			 const struct viz_channel *slave, const struct viz_process *parent)
{
	const struct wait_set *typists = wait_holders(graph, master, ACCESS_BOTH);
	const struct wait_set *users = wait_holders(graph, slave, ACCESS_BOTH);
	size_t children = 0;

	if (typists->count != 1 || typists->processes[0] != parent || may_be_called(parent))
		return false;
	for (size_t i = 0; i < users->count; i++) {
		if (users->processes[i] == parent)
			continue;
		if (!viz_process_descends(users->processes[i], parent))
			return false;
		children++;
	}
	return children > 0;
}

/*
 * True of a glance for a loop at a terminal of a program that runs another one there by itself, as
 * expect(1): it waits for nothing else, so that it passes nothing on which a user may type.
 */
static bool is_scripted(struct wait_graph *graph, const struct wait *wait,
			const struct viz_channel *channel, const struct viz_channel *peer)
{
	const struct viz_channel *master = channel->master ? channel : peer;
	const struct wait_set *typists = wait_holders(graph, master, ACCESS_BOTH);

	return typists->count == 1 && is_loop_for(graph, wait, channel) &&
	       is_of_family(graph, master, channel->master ? peer : channel, typists->processes[0]);
}

/*
 * True if what is read there may come from a key: the master is of a terminal emulator that nobody
 * saw being made. One of a glance may be one of expect(1), too; who reads it there is told apart
 * by that it is stuck (wait_settle_terminals()).
 */
static bool has_keys(struct wait_graph *graph, const struct wait *wait,
		     const struct viz_channel *channel, const struct viz_channel *peer)
{
	if (graph->whole)
		return wait->operation->role != ROLE_RECEIVE &&
		       !is_scripted(graph, wait, channel, peer);
	return !channel->master && !peer->created_in_trace;
}

void wait_at_terminal(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel, enum access end)
{
	const struct viz_channel *peer = wait_peer(graph, channel);

	if (!peer || (end != ACCESS_READ && has_keys(graph, wait, channel, peer))) {
		wait->open = true;
		return;
	}
	wait->open |= !graph->whole && !peer->created_in_trace && !channel->created_in_trace;
	wait_add_holders(graph, wait, peer, end);
}

/* True for a read of the slave, and for a loop that nothing else could wake. */
static bool may_be_for_key(const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (!channel || channel->mechanism != MECH_PTY)
		return false;
	if (wait->operation->role == ROLE_WAIT)
		return !wait->open;
	return wait->operation->role == ROLE_RECEIVE && !channel->master;
}

void wait_settle_terminals(struct wait_graph *graph)
{
	for (size_t i = 0; graph->whole && i < graph->count; i++) {
		struct wait *wait = graph->waits[i];
		const struct wait nobody = wait_set_begin(graph);

		if (wait->stuck || !may_be_for_key(wait))
			continue;
		wait->open = true;
		wait_set_replace(graph, wait, &nobody);
	}
}
