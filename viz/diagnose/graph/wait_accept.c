// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the enders of waits at a connection that has not been accepted yet, or that does not fit
 * into the backlog: the holders of the listener.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

/* True if any process or message has the channel. A glance sees no calls, but it sees this. */
static bool is_held(const struct wait_graph *graph, const struct viz_channel *channel)
{
	if (graph->flights[channel->index])
		return true;
	return wait_is_held(channel) || channel->stranger_count > 0;
}

bool wait_lacks_accept(const struct wait_graph *graph, const struct viz_connection *c)
{
	return !c->accept && c->connect && viz_operation_done(c->connect) &&
	       (connect_succeeded(&graph->connects, c->connect) ||
		connect_goes_on(&graph->connects, c->connect)) &&
	       !(c->server && c->server->holding_count);
}

/*
 * Returns the address that the client connected to if the connection has not been accepted, be it
 * that the backlog had no room for it; empty if it was, or that is unknown.
 */
static struct viz_bytes unaccepted_at(const struct wait_graph *graph,
				      const struct viz_channel *client,
				      const struct viz_channel *peer)
{
	const struct viz_connection *c = graph->connected[client->index];
	const struct viz_bytes none = {NULL, 0};

	if (graph->whole && (client->stranger_count || (peer && is_held(graph, peer))))
		return none;
	if (graph->whole)
		return client->mechanism == MECH_TCP ? client->peer_address
		       : peer			     ? peer->name
						     : none;
	if (!c || c->client != client || !wait_lacks_accept(graph, c))
		return none;
	return c->connect->extra->peer_address;
}

/* True if only processes outside the trace accept there: they may have done so already. */
static bool accepts_outside(const struct wait_graph *graph, const struct wait *wait,
			    const struct viz_channel *listener)
{
	return !graph->whole && !listener->created_in_trace && !wait_is_held(listener) &&
	       !operation_is(wait->operation, "connect");
}

/* True if it is not known that the client has a connection: none may have reached the listener. */
static bool is_connecting(const struct wait_graph *graph, const struct viz_channel *client)
{
	const struct viz_connection *c = graph->connected[client->index];

	return c && c->connect && connect_goes_on(&graph->connects, c->connect);
}

static bool add_listeners(struct wait_graph *graph, struct wait *wait,
			  const struct viz_channel *client, struct viz_bytes address)
{
	const bool told = wait_listeners_at(graph, client, address, wait->since_ns).full > 0 ||
			  is_connecting(graph, client);

	for (size_t i = 0; address.len && i < graph->listener_count; i++) {
		const struct viz_channel *listener = graph->listeners[i];

		if (!wait_listens_for(listener, client, address) ||
		    accepts_outside(graph, wait, listener) ||
		    (told && wait_queue_is_empty(graph, listener, wait->since_ns)))
			continue;
		if (!wait->listener) {
			wait->listener = listener;
			wait->client = client;
		}
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

/* Returns how many connections that were made there have not been accepted. */
static uint64_t count_unaccepted(const struct wait_graph *graph, const struct viz_channel *listener)
{
	const struct viz_model *model = graph->model;
	uint64_t count = 0;

	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *client = model->channels[i];

		if (client->mechanism == MECH_TCP && !client->listening &&
		    wait_listens_for(listener, client,
				     unaccepted_at(graph, client, wait_peer(graph, client))) &&
		    !graph->told[client->index].connecting)
			count++;
	}
	return count;
}

static uint64_t unaccepted(struct wait_graph *graph, const struct viz_channel *listener)
{
	uint64_t *known = &graph->unaccepted[listener->index];

	if (!*known)
		*known = 1 + count_unaccepted(graph, listener);
	return *known - 1;
}

/*
 * Adds the holders of a listener of TCP whose backlog is full: it holds one connection more than it
 * was told (sk_acceptq_is_full() in include/net/sock.h), and what comes then is thrown away and
 * sent again. Where nobody saw how much it was told, one connection that lies there is enough.
 */
static void add_full_listener(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; i < graph->listener_count && op->extra->peer_address.len; i++) {
		const struct viz_channel *listener = graph->listeners[i];

		if (!wait_listens_for(listener, wait->channel, op->extra->peer_address) ||
		    !wait_is_held(listener) ||
		    unaccepted(graph, listener) <= graph->told[listener->index].backlog)
			continue;
		wait->listener = listener;
		wait_add_holders(graph, wait, listener, ACCESS_BOTH);
		return;
	}
}

void wait_to_connect(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	const struct viz_channel *client = op->channel;

	wait->channel = client;
	if (client && client->mechanism == MECH_TCP) {
		wait->clock = true; /* the number of retries is limited, tcp(7) */
		add_full_listener(graph, wait);
		wait->open |= !wait->listener;
	} else {
		wait->open |= !client ||
			      !add_listeners(graph, wait, client, op->extra->peer_address);
	}
}
