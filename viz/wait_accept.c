// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A wait at a connection that nobody has accepted yet, or that finds no place where it could lie
 * until then: whoever holds the listener could accept.
 */
#include "outside.h"
#include "wait_graph_internal.h"

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

/* A glance sees no calls, but that nobody at all has the other end. */
static bool is_held(const struct wait_graph *graph, const struct viz_channel *channel)
{
	if (graph->flights[channel->index])
		return true;
	for (size_t i = 0; i < channel->holding_count; i++)
		if (wait_holding(channel, channel->holdings[i]->process, ACCESS_BOTH))
			return true;
	return channel->stranger_count > 0;
}

/* Or there is no telling. */
static bool was_accepted(const struct viz_connection *c)
{
	return c->accept || !c->connect || !viz_operation_done(c->connect) ||
	       viz_operation_failed(c->connect) || (c->server && c->server->holding_count);
}

/* Where it connected to, while nobody has accepted it; empty: it was accepted, or nobody knows. */
static struct viz_bytes unaccepted_at(const struct wait_graph *graph,
				      const struct viz_channel *client,
				      const struct viz_channel *peer)
{
	const struct viz_bytes none = {NULL, 0};

	if (graph->whole && (client->stranger_count || (peer && is_held(graph, peer))))
		return none;
	if (graph->whole)
		return client->mechanism == MECH_TCP ? client->peer_address
		       : peer			     ? peer->name
						     : none;
	for (size_t i = 0; i < graph->pairing->connection_count; i++)
		if (graph->pairing->connections[i]->client == client)
			return was_accepted(graph->pairing->connections[i])
				       ? none
				       : graph->pairing->connections[i]->connect->peer_address;
	return none;
}

static bool add_listeners(struct wait_graph *graph, struct wait *wait,
			  const struct viz_channel *client, struct viz_bytes address)
{
	for (size_t i = 0; address.len && i < graph->model->channel_count; i++) {
		const struct viz_channel *listener = graph->model->channels[i];

		if (!wait_listens_for(listener, client, address))
			continue;
		if (!wait->listener)
			wait->listener = listener;
		wait->open |= !graph->whole && !listener->created_in_trace;
		wait_add_holders(graph, wait, listener, ACCESS_BOTH);
	}
	return wait->listener != NULL;
}

bool wait_at_backlog(struct wait_graph *graph, struct wait *wait, const struct viz_channel *client,
		     const struct viz_channel *peer)
{
	return add_listeners(graph, wait, client, unaccepted_at(graph, client, peer));
}

void wait_to_connect(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	const struct viz_channel *client = op->channel;

	wait->channel = client;
	if (client && client->mechanism == MECH_TCP) /* its tries are counted, tcp(7) */
		wait->clock = wait->open = true;
	else
		wait->open |= !client || !add_listeners(graph, wait, client, op->peer_address);
}
