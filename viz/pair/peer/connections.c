// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pairs connect(2) and accept(2): an accept and the connect of its peer are one connection, which
 * is passed to the sink once both are known.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "viz/model/builder.h"
#include "viz/pair/core/context.h"

/* An accept whose connect is not known this long after its return is passed on without it. */
#define PATIENCE_NS 1000000000

/* True for a send that makes its connection, too: TCP Fast Open (sendto(2), MSG_FASTOPEN). */
static bool connects_by_sending(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->channel->mechanism == MECH_TCP &&
	       op->flags & MSG_FASTOPEN;
}

/* True for connect(2) on a stream or sequenced-packet socket. */
static bool connects(const struct viz_operation *op)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of("connect")) &&
	       (mechanism_info(op->channel->mechanism)->form == FORM_STREAM ||
		op->channel->mechanism == MECH_UNIX_SEQPACKET);
}

/*
 * True for a call that makes a connection, and is under way, succeeded, or goes on in the
 * background (EINPROGRESS).
 */
static bool is_connect(const struct viz_operation *op)
{
	return op->channel && (connects(op) || connects_by_sending(op)) &&
	       (!viz_operation_done(op) || op->returned >= 0 || op->returned == -EINPROGRESS);
}

static bool is_accept(const struct viz_operation *op)
{
	return (viz_bytes_equal(op->syscall, viz_bytes_of("accept")) ||
		viz_bytes_equal(op->syscall, viz_bytes_of("accept4"))) &&
	       op->extra->new_fds_count > 0;
}

/* Only the first connect of a socket counts, unless it fails. */
void pair_connection_begin(struct pair_context *context, const struct viz_operation *op)
{
	struct channel_traffic *traffic;

	if (!is_connect(op))
		return;
	traffic = pair_traffic(context, op->channel);
	if (!traffic->socket.connect)
		traffic->socket.connect = viz_operation_use(op);
	pair_list_busy(context, traffic);
}

/*
 * Forgets a noted connect that failed. One that was passed on has been released, so `op` may be a
 * different operation at the same address.
 */
static void forget(struct pair_context *context, const struct viz_operation *op)
{
	struct channel_traffic *traffic = op->channel ? pair_traffic(context, op->channel) : NULL;

	if (!traffic || traffic->socket.reported || traffic->socket.connect != op)
		return;
	traffic->socket.connect = NULL;
	pair_let_go(context, op);
}

void pair_connection_call(struct pair_context *context, const struct viz_operation *op)
{
	if (is_accept(op)) {
		LIST_PUSH(&context->accepted, viz_operation_use(op));
		pair_list_busy(context, pair_traffic(context, op->extra->new_fds[0].channel));
	} else if (is_connect(op)) {
		pair_connection_begin(context, op);
	} else {
		forget(context, op);
	}
}

static void report(struct pair_context *context, const struct viz_channel *client,
		   const struct viz_channel *server, const struct viz_operation *accept)
{
	struct channel_traffic *traffic = client ? pair_traffic(context, client) : NULL;
	struct viz_connection *connection = pair_new(context, sizeof(*connection));

	connection->index = context->connection_count++;
	connection->client = client;
	connection->server = server;
	connection->connect = traffic && !traffic->socket.reported ? traffic->socket.connect : NULL;
	connection->accept = accept;
	pair_report(context, connection, connection);
	if (connection->connect)
		pair_let_go(context, connection->connect);
	if (accept)
		pair_let_go(context, accept);
	if (traffic)
		traffic->socket.reported = true;
	pair_free(context, connection);
}

static bool is_ready(struct pair_context *context, const struct viz_operation *accept)
{
	const struct viz_channel *client =
		pair_traffic(context, accept->extra->new_fds[0].channel)->peer;

	return pair_is_last(context) || accept->exit_ns + PATIENCE_NS < context->until_ns ||
	       (client && pair_traffic(context, client)->socket.connect);
}

/*
 * Passes on each accept whose connect is known or overdue; and at the end of the trace the connects
 * that met no accept.
 */
void pair_connections(struct pair_context *context)
{
	struct operation_list *list = &context->accepted;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct viz_channel *server = list->items[i]->extra->new_fds[0].channel;

		if (is_ready(context, list->items[i]))
			report(context, pair_traffic(context, server)->peer, server,
			       list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
	for (size_t i = 0; pair_is_last(context) && i < context->traffic.count; i++) {
		const struct channel_traffic *traffic = context->traffic.items[i].traffic;

		if (traffic && traffic->socket.connect && !traffic->socket.reported)
			report(context, traffic->channel, traffic->peer, NULL);
	}
}
