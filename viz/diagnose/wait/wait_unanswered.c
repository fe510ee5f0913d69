// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds in a glance the clients whose request lies unread at the server, which sleeps in something
 * else. Such a look has no calls, but it sees the bytes in the sockets.
 */
#include "viz/diagnose/wait/waits.h"

/* What a client has asked, and nobody has read. */
struct request {
	const struct wait *wait;
	const struct viz_channel *client, *server; /* the ends of its connection */
	const struct wait_set *holders;		   /* of the server's end */
	uint64_t since_ns;
};

static bool has_listener(const struct wait_graph *graph, const struct viz_channel *client)
{
	for (size_t i = 0; i < graph->listener_count; i++)
		if (wait_listens_for(graph->listeners[i], client, client->peer_address))
			return true;
	return false;
}

/*
 * True if the connection was made to a server, and this end made it. What lies unread at a client
 * is no request: a session ticket of TLS that no answer followed.
 */
static bool is_of_client(const struct wait_graph *graph, const struct viz_channel *client,
			 const struct viz_channel *server)
{
	if (client->mechanism == MECH_UNIX_STREAM)
		return server->name.len && !client->name.len;
	return client->mechanism == MECH_TCP && has_listener(graph, client) &&
	       !has_listener(graph, server);
}

bool process_sleeps_elsewhere(const struct diagnosis *d, const struct viz_process *process,
			      const struct viz_channel *channel)
{
	const struct wait *wait = wait_of_process(d->waits, process);

	if (!wait || process_runs(process))
		return false;
	for (; wait; wait = wait->next_of_process)
		if (d->end_ns - wait->since_ns < 2 * LONG_WAIT_NS ||
		    wait_reads_at(d->waits, wait, channel) ||
		    (waits_to_accept(wait) && wait->channel == channel))
			return false;
	return true;
}

static bool is_left(const struct diagnosis *d, const struct request *request)
{
	const struct wait_set *holders = request->holders;

	for (size_t i = 0; i < holders->count; i++)
		if (process_is_stopped(holders->processes[i]) ||
		    !process_sleeps_elsewhere(d, holders->processes[i], request->server))
			return false;
	return holders->count && !request->server->stranger_count;
}

/*
 * When the last packet came is known of TCP. Who waits for the answer on a unix socket has sent
 * before that.
 */
static bool lies_long(const struct diagnosis *d, struct request *request)
{
	const uint64_t packet_ns = request->server->glimpse.packet_ns;

	request->since_ns = packet_ns ? packet_ns : request->wait->since_ns;
	return request->since_ns < d->end_ns &&
	       d->end_ns - request->since_ns >= (packet_ns ? 2 : 1) * LONG_WAIT_NS;
}

static bool find_at(const struct diagnosis *d, const struct wait *wait,
		    const struct viz_channel *client, struct request *request)
{
	const struct viz_channel *server = client ? wait_peer(d->waits, client) : NULL;

	if (!server || !server->glimpse.unread || !is_of_client(d->waits, client, server))
		return false;
	*request = (struct request){wait, client, server,
				    wait_holders(d->waits, server, ACCESS_BOTH), 0};
	return lies_long(d, request) && is_left(d, request);
}

static bool find(const struct diagnosis *d, const struct wait *wait, struct request *request)
{
	const struct viz_operation *op = wait->operation;

	if (op->role == ROLE_RECEIVE)
		return find_at(d, wait, op->channel, request);
	for (size_t i = 0; operation_polls(op) && i < op->extra->waits_for_count; i++) {
		const struct viz_wait *w = &op->extra->waits_for[i];

		if (viz_wait_has(w, IN) && !viz_wait_has(w, DISABLED) &&
		    find_at(d, wait, wait_asked(d->waits, op, i), request))
			return true;
	}
	return false;
}

/* The one of those that have the server's end that is no mere parent of the others. */
static const struct viz_process *server_of(const struct diagnosis *d, const struct request *request)
{
	const struct wait_set *holders = request->holders;

	for (size_t i = 0; i < holders->count; i++) {
		const struct wait *wait = wait_of_process(d->waits, holders->processes[i]);

		if (wait && !waits_to_accept(wait) && !waits_for_child(wait))
			return holders->processes[i];
	}
	return holders->processes[0];
}

/* As in a trace: who was answered before may have got what it needs. */
static bool was_heard(const struct request *request)
{
	const uint64_t sent = request->client->glimpse.sent;

	return request->server->glimpse.sent || sent > request->server->glimpse.unread;
}

void finding_unread_request(struct diagnosis *d, struct finding *f,
			    const struct viz_process *server, const struct viz_process *client)
{
	finding_chain_of(d, f, server, client);
	if (process_is_stopped(server))
		return;
	finding_set(d, f, "culprit", "%s", process_text(d, server));
	f->advice = advice_for(d, ADVICE_REQUEST_UNREAD, server);
}

static const char *unread_text(struct diagnosis *d, const struct viz_glimpse *socket)
{
	const char *bytes = amount_text(d, socket->unread);

	return socket->unread_more ? fill_phrase(d, PHRASE_AT_LEAST, bytes, NULL, NULL) : bytes;
}

static void report(struct diagnosis *d, const struct request *request)
{
	const struct viz_process *client = request->wait->process, *server = server_of(d, request);
	struct finding *f = finding_add(d, FINDING_NO_ANSWER, request->wait->since_ns,
					request->client);

	if (was_heard(request))
		f->severity = SEVERITY_NOTE;
	finding_wait(d, f, request->wait);
	finding_process(d, f, server);
	finding_address(d, f,
			request->server->name.len ? request->server->name
						  : request->client->peer_address);
	finding_set(d, f, "who", "%s", process_text(d, client));
	finding_set(d, f, "asked", "%s", unread_text(d, &request->server->glimpse));
	finding_set(d, f, "why", "%s",
		    fill_phrase(d, PHRASE_ANSWER_WAITS,
				duration_text(d, d->until_ns - request->since_ns), NULL, NULL));
	finding_set(d, f, "fate", "%s",
		    fill_phrase(d, PHRASE_REQUEST_LEFT, process_text(d, server), NULL, NULL));
	finding_unread_request(d, f, server, client);
}

void report_unread_requests(struct diagnosis *d, bool *told)
{
	struct request request;

	for (size_t i = 0; d->waits->whole && !d->incomplete && i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (!d->named[wait->process->index] && !process_is_stopped(wait->process) &&
		    find(d, wait, &request)) {
			report(d, &request);
			told[i] = true;
		}
	}
}
