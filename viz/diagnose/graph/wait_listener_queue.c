// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * In which listener's queue a connection lies that nobody has accepted. Several sockets may listen
 * at one port (SO_REUSEPORT, socket(7)): the kernel gives each connection to one of them, and only
 * those that have that one can accept it.
 */
#include "viz/base/address.h"
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/message/outsiders.h"

bool wait_listens_for(const struct viz_channel *listener, const struct viz_channel *client,
		      struct viz_bytes address)
{
	if (!listener->listening || !address.len || listener->mechanism != client->mechanism ||
	    listener->network != client->network)
		return false;
	if (listener->mechanism == MECH_TCP)
		return outside_is_at(listener, address, client);
	return viz_bytes_equal(listener->name, address);
}

static bool is_told_of_each(const struct viz_wait *w)
{
	return viz_wait_has(w, IN) && !viz_wait_has(w, EDGE) && !viz_wait_has(w, DISABLED) &&
	       !viz_wait_has(w, EXCLUSIVE);
}

/* Nobody sleeps in accept(2) at a listener, or until there is something, while one has come. */
static void note_sleeper(struct wait_graph *graph, const struct viz_operation *op)
{
	if (operation_accepts(op) && op->channel)
		graph->accepted_at[op->channel->index] = true;
	for (size_t i = 0; operation_polls(op) && i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(graph, op, i);

		if (channel && is_told_of_each(&op->extra->waits_for[i]))
			graph->accepted_at[channel->index] = true;
	}
}

void wait_note_acceptors(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;

	graph->accepted_at = arena_array(graph->arena, model->channel_count + 1,
					 sizeof(*graph->accepted_at));
	for (size_t i = 0; graph->listener_count && i < model->operation_count; i++)
		if (model->operations[i]->state == STATE_PENDING)
			note_sleeper(graph, model->operations[i]);
}

bool wait_queue_is_empty(const struct wait_graph *graph, const struct viz_channel *listener,
			 uint64_t since_ns)
{
	return graph->accepted_at[listener->index] ||
	       (listener->backlog_known && !listener->backlog && listener->backlog_ns >= since_ns);
}

/* Counts the listeners of the address's family, or of the other one, which may take it, too. */
static struct wait_listeners listeners_of(const struct wait_graph *graph,
					  const struct viz_channel *client,
					  struct viz_bytes address, uint64_t since_ns, bool same)
{
	struct wait_listeners at = {0};

	for (size_t i = 0; address.len && i < graph->listener_count; i++) {
		const struct viz_channel *listener = graph->listeners[i];

		if (address_same_family(listener->local_address, address) != same ||
		    !wait_listens_for(listener, client, address) ||
		    (!wait_is_held(listener) && !listener->stranger_count))
			continue;
		at.all++;
		if (wait_queue_is_empty(graph, listener, since_ns))
			continue;
		at.full++;
		at.first = at.first ? at.first : listener;
	}
	return at;
}

struct wait_listeners wait_listeners_at(const struct wait_graph *graph,
					const struct viz_channel *client, struct viz_bytes address,
					uint64_t since_ns)
{
	struct wait_listeners at = listeners_of(graph, client, address, since_ns, true);

	return at.all ? at : listeners_of(graph, client, address, since_ns, false);
}
