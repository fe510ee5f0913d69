// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Connections that wait in the queue of a listener of the trace, or ended there: what the client
 * sent lies in a socket that no call has named yet (unix(7), tcp(7): a connection is made before
 * accept(2) takes it).
 */
#include "viz/pair/peer/address_book.h"
#include "viz/pair/peer/peers.h"

#include "viz/model/unseen.h"

/* The listeners of the trace by address. It is asked in the last round only. */
static struct address_book *book_listeners(struct pair_context *context)
{
	const struct viz_model *model = context->model;
	struct address_book *book = address_book_new(context->arena);

	for (size_t i = 0; i < model->channel_count; i++) {
		struct addresses none = {0};

		if (model->channels[i]->listening)
			address_book_enter(book, context->round, model->channels[i], &none);
	}
	return book;
}

/* An accept that is not in the trace may have taken the connection. */
static bool accepts_are_known(const struct pair_context *context)
{
	return !context->lost && !context->model->descriptors_cut &&
	       unseen_any_ns(context->model) == VIZ_NEVER;
}

/* The kernel names the listener of a unix socket; that of a TCP socket is found by its address. */
static struct viz_channel *listener_of(struct pair_context *context,
				       const struct viz_operation *connect, bool *doubtful)
{
	if (connect->to)
		return connect->to;
	if (!context->listeners)
		context->listeners = book_listeners(context);
	return address_book_find(context->listeners, context->round, connect->channel,
				 connect->extra->peer_address, connect->enter_ns, doubtful);
}

/*
 * The listener in whose queue the client's connection lies; NULL if there is none in the trace.
 * Sets `doubtful` if it may lie at one, or may have been accepted outside the trace.
 */
static struct viz_channel *waits_at(struct pair_context *context,
				    const struct channel_traffic *client, bool *doubtful)
{
	const struct viz_operation *connect = client->socket.connect;
	struct viz_channel *listener;

	if (!pair_is_last(context) || client->socket.reported || !connect ||
	    !viz_operation_done(connect))
		return NULL;
	listener = listener_of(context, connect, doubtful);
	if (!listener || !listener->listening)
		return NULL;
	*doubtful |= !listener->created_in_trace || !accepts_are_known(context);
	return *doubtful ? NULL : listener;
}

void pair_route_unaccepted(struct pair_context *context, const struct channel_traffic *client,
			   struct flow *flow, struct pair_route *route)
{
	bool doubtful = false;
	struct viz_channel *listener = waits_at(context, client, &doubtful);

	flow->ambiguous |= doubtful;
	if (!listener)
		return;
	route->outside = false;
	route->channel = listener;
}
