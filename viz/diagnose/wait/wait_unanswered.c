// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds in a glance the clients whose request lies unread at the server, which sleeps in something
 * else, or was read by one that sleeps where no client matters; and whom a proxy between them has
 * asked in turn. Such a look has no calls, but it sees the bytes in the sockets, and when TCP last
 * sent and received some. Of a unix socket it sees only what lies there: there may have been no
 * request, and the client waits for what the server sends now and then. So only a server counts
 * that sleeps longer than any would between two of these.
 */
#include "viz/diagnose/wait/waits.h"

#define AT_ONCE_NS (2 * LONG_WAIT_NS) /* a proxy passes a request on within this time */
#define TICKS_NS (20 * MILLISECOND)   /* two of the coarsest clock by which TCP notes a time */

/* What a client has asked, and nobody has answered. */
struct request {
	const struct wait *wait;
	const struct viz_channel *client, *server; /* the ends of its connection */
	const struct wait_set *holders;		   /* of the server's end */
	uint64_t since_ns;
	bool read;     /* the server has read it */
	bool at_least; /* it may have been sent before since_ns */
};

/* A request and those by which proxies have passed it on, up to a server that has not. */
struct requests {
	struct request links[CHAIN_MOST];
	size_t count;
	const struct wait
		*by; /* what keeps the last server that has read it; NULL: its own memory */
};

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

/* When TCP sent the request, and has heard nothing since; 0: it has, or that is not known. */
static uint64_t asked_ns(const struct viz_channel *client)
{
	const struct viz_glimpse *glimpse = client->glimpse;

	return glimpse->sent_ns > glimpse->received_ns ? glimpse->sent_ns : 0;
}

static bool lasts(const struct diagnosis *d, uint64_t since_ns, uint64_t least_ns)
{
	return since_ns < d->end_ns && d->end_ns - since_ns >= least_ns;
}

/* True if all who have the server's end have slept for two seconds: so long it was accepted ago. */
static bool was_accepted_long_ago(const struct diagnosis *d, const struct request *request)
{
	const struct wait_set *holders = request->holders;

	for (size_t i = 0; i < holders->count; i++)
		for (const struct wait *wait = wait_of_process(d->waits, holders->processes[i]);
		     wait; wait = wait->next_of_process)
			if (!lasts(d, wait->since_ns, 4 * LONG_WAIT_NS))
				return false;
	return holders->count > 0;
}

/*
 * When the last packet came is known of TCP. Who waits for the answer on a unix socket has sent
 * before that; but one that waits in rounds, as curl(1) each second, long before the last of them.
 */
static bool lies_long(const struct diagnosis *d, struct request *request)
{
	const uint64_t packet_ns = request->server->glimpse->packet_ns;

	request->since_ns = packet_ns ? packet_ns : request->wait->since_ns;
	if (packet_ns)
		return lasts(d, packet_ns, 2 * LONG_WAIT_NS);
	request->at_least = request->wait->clock && operation_polls(request->wait->operation);
	return lasts(d, request->since_ns, LONG_WAIT_NS) ||
	       (request->at_least && was_accepted_long_ago(d, request));
}

/* Fills in the request that has lain at this end, or was read and not answered, for a second. */
static bool find_at(const struct diagnosis *d, const struct wait *wait,
		    const struct viz_channel *client, struct request *request)
{
	const struct viz_channel *server = client ? wait_peer(d->waits, client) : NULL;

	if (!server || !channel_is_of_client(d->waits, client, server))
		return false;
	*request = (struct request){
		.wait = wait,
		.client = client,
		.server = server,
		.holders = wait_holders(d->waits, server, ACCESS_BOTH),
		.since_ns = asked_ns(client),
		.read = !server->glimpse->unread,
	};
	if (!request->read || client->mechanism == MECH_UNIX_STREAM)
		return lies_long(d, request);
	return request->since_ns && lasts(d, request->since_ns, 2 * LONG_WAIT_NS);
}

/* Returns the n-th channel from which the call waits for something to read; NULL: it is none. */
static const struct viz_channel *read_at(const struct diagnosis *d, const struct viz_operation *op,
					 size_t n)
{
	const struct viz_wait *w;

	if (!operation_polls(op))
		return op->role == ROLE_RECEIVE ? op->channel : NULL;
	w = &op->extra->waits_for[n];
	return viz_wait_has(w, IN) && !viz_wait_has(w, DISABLED) ? wait_asked(d->waits, op, n)
								 : NULL;
}

static size_t count_asked(const struct viz_operation *op)
{
	return operation_polls(op) ? op->extra->waits_for_count : 1;
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

/* --- a request that was passed on ------------------------------------------------------------- */

/* Keeps the earlier one; false if they are for different servers, so that it is not known which. */
static bool take_earlier(const struct diagnosis *d, struct request *best,
			 const struct request *other)
{
	if (best->wait && other->holders->count && server_of(d, best) != server_of(d, other))
		return false;
	if (!best->wait || other->since_ns < best->since_ns)
		*best = *other;
	return true;
}

/* True if the request may be what the server has made of `first`, which it read. */
static bool may_follow(const struct request *first, const struct request *request)
{
	if (request->client->mechanism != MECH_TCP)
		return !request->read;
	return request->holders->count && asked_ns(request->client) + TICKS_NS >= first->since_ns &&
	       asked_ns(request->client) <= first->since_ns + AT_ONCE_NS;
}

/* Finds what the server asked when it had read the request; false: nothing, or more than one. */
static bool find_passed_on(const struct diagnosis *d, const struct request *first,
			   struct request *next)
{
	const struct viz_process *server = server_of(d, first);
	struct request request;

	*next = (struct request){0};
	for (const struct wait *wait = wait_of_process(d->waits, server); wait;
	     wait = wait->next_of_process)
		for (size_t i = 0; i < count_asked(wait->operation); i++)
			if (find_at(d, wait, read_at(d, wait->operation, i), &request) &&
			    may_follow(first, &request) && !take_earlier(d, next, &request))
				return false;
	return next->wait != NULL;
}

/* True if the server that has read it is known to be kept from the answer. */
static bool is_kept(const struct diagnosis *d, const struct request *request,
		    const struct wait **by)
{
	const struct wait_set *holders = request->holders;

	if (!holders->count || request->server->stranger_count)
		return false;
	for (size_t i = 0; request->client->mechanism == MECH_UNIX_STREAM && i < holders->count;
	     i++)
		if (!process_sleeps_for_long(d, holders->processes[i]))
			return false;
	return server_is_kept(d, server_of(d, request), request->server, by);
}

/* Follows the request to the last server; true if that one keeps its client waiting. */
static bool follow(const struct diagnosis *d, struct requests *found)
{
	struct request *last = &found->links[0];

	found->by = NULL;
	found->count = 1;
	while (last->read && last->holders->count && !last->server->stranger_count &&
	       found->count < CHAIN_MOST && find_passed_on(d, last, last + 1)) {
		last++;
		found->count++;
	}
	if (!last->read)
		return is_left(d, last);
	return is_kept(d, last, &found->by);
}

/* True if the process waits for this alone, besides what it tells itself. */
static bool is_all_awaited(const struct diagnosis *d, const struct request *request)
{
	const struct viz_operation *op = request->wait->operation;

	for (size_t i = 0; operation_polls(op) && i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel || (channel != request->client &&
				 !wait_wakes_itself(d->waits, request->wait, channel)))
			return false;
	}
	return !op->extra->waits_cut;
}

/* As in a trace: who was answered before may have got what it needs. */
static bool was_heard(const struct request *request)
{
	const uint64_t sent = request->client->glimpse->sent;

	return request->server->glimpse->sent || sent > request->server->glimpse->unread;
}

/* What was read and not answered tells nothing of one that was answered before, or logs one way. */
static bool awaits_answer(const struct diagnosis *d, const struct request *request)
{
	return !request->read ||
	       (!request->client->glimpse->received_ns && is_all_awaited(d, request));
}

static bool find(const struct diagnosis *d, const struct wait *wait, struct requests *found)
{
	for (size_t i = 0; i < count_asked(wait->operation); i++)
		if (find_at(d, wait, read_at(d, wait->operation, i), &found->links[0]) &&
		    awaits_answer(d, &found->links[0]) && follow(d, found))
			return true;
	return false;
}

/* --- the finding ------------------------------------------------------------------------------ */

void finding_unread_request(struct diagnosis *d, struct finding *f,
			    const struct viz_process *server, const struct viz_process *client)
{
	finding_chain_of(d, f, server, client);
	if (process_is_stopped(server))
		return;
	finding_set(d, f, "culprit", "%s", process_text(d, server));
	f->advice = advice_for(d, ADVICE_REQUEST_UNREAD, server);
}

/* True if nothing but how the client waits tells that it has asked. */
static bool is_inferred(const struct request *request)
{
	return request->read && request->client->mechanism == MECH_UNIX_STREAM;
}

static const char *asked_text(struct diagnosis *d, const struct request *request)
{
	const struct viz_glimpse *socket = request->server->glimpse;
	const char *bytes;

	if (is_inferred(request))
		return phrase_text(PHRASE_ASKED_UNSEEN, d->language);
	bytes = amount_text(d, request->read ? request->client->glimpse->sent : socket->unread);

	return socket->unread_more ? fill_phrase(d, PHRASE_AT_LEAST, bytes, NULL, NULL) : bytes;
}

static const char *waits_text(struct diagnosis *d, const struct request *request)
{
	const char *time = duration_text(d, lasted_ns(d, request->since_ns));

	if (request->at_least)
		time = fill_phrase(d, PHRASE_AT_LEAST, time, NULL, NULL);
	return fill_phrase(d, PHRASE_ANSWER_WAITS, time, NULL, NULL);
}

static struct viz_bytes address_of(const struct request *request)
{
	return request->server->name.len ? request->server->name : request->client->peer_address;
}

static const char *fate_text(struct diagnosis *d, const struct request *request)
{
	return fill_phrase(d, request->read ? PHRASE_REQUEST_RECEIVED : PHRASE_REQUEST_LEFT,
			   process_text(d, server_of(d, request)), NULL, NULL);
}

/* Adds the n-th link: who has passed the request on, to whom, and what became of it there. */
static void tell_link(struct diagnosis *d, struct finding *f, const struct requests *found,
		      size_t n)
{
	const struct request *request = &found->links[n];
	const char *passed = "";

	if (n)
		passed = fill_phrase(d, PHRASE_REQUEST_PASSED_ON,
				     process_text(d, request->wait->process),
				     bytes_text(d, address_of(request)), asked_text(d, request));
	finding_wait(d, f, request->wait);
	finding_process(d, f, server_of(d, request));
	finding_set(d, f, "fate", "%s%s%s", finding_value_of(f, "fate"), passed,
		    fate_text(d, request));
}

static void tell_inferred(struct diagnosis *d, struct finding *f, const struct request *request)
{
	finding_line(d, f,
		     fill_phrase(d, PHRASE_ASKED_INFERRED, channel_text(d, request->server),
				 process_text(d, request->wait->process),
				 process_text(d, server_of(d, request))));
}

static void report(struct diagnosis *d, const struct requests *found)
{
	const struct request *first = &found->links[0], *last = &found->links[found->count - 1];
	const struct viz_process *client = first->wait->process;
	struct finding *f = finding_add(d, FINDING_NO_ANSWER, first->wait->since_ns, first->client);

	if ((was_heard(first) && !first->read) || !lasted_ns(d, first->since_ns))
		f->severity = SEVERITY_NOTE;
	finding_address(d, f, address_of(first));
	finding_set(d, f, "who", "%s", process_text(d, client));
	finding_set(d, f, "asked", "%s", asked_text(d, first));
	finding_set(d, f, "why", "%s", waits_text(d, first));
	for (size_t i = 0; i < found->count; i++)
		tell_link(d, f, found, i);
	if (is_inferred(last))
		tell_inferred(d, f, last);
	if (last->read)
		finding_kept_server(d, f, server_of(d, last), found->by);
	else
		finding_unread_request(d, f, server_of(d, last), last->wait->process);
}

static bool is_looked_at(const struct diagnosis *d, const struct wait *wait)
{
	return !d->named[wait->process->index] && !process_is_stopped(wait->process);
}

/* Marks, by channel index, the clients' ends of the requests that were passed on. */
static bool *find_links(struct diagnosis *d)
{
	bool *linked = arena_array(d->arena, d->model->channel_count + 1, sizeof(*linked));
	struct requests found;

	for (size_t i = 0; i < d->waits->count; i++) {
		if (!is_looked_at(d, d->waits->waits[i]) || !find(d, d->waits->waits[i], &found))
			continue;
		for (size_t k = 1; k < found.count; k++)
			linked[found.links[k].client->index] = true;
	}
	return linked;
}

/* The finding tells of what the last server waits for as well. */
static void mark_told(const struct diagnosis *d, const struct requests *found, bool *told)
{
	const struct wait *wait = found->by;

	told[found->links[0].wait->index] = true;
	for (size_t k = 0; wait && k < CHAIN_MOST; k++, wait = chain_next(d, wait))
		told[wait->index] = true;
}

void report_unanswered_requests(struct diagnosis *d, bool *told)
{
	const bool *linked;
	struct requests found;

	if (!d->waits->whole || d->incomplete)
		return;
	linked = find_links(d);
	for (size_t i = 0; i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (!is_looked_at(d, wait) || !find(d, wait, &found) ||
		    linked[found.links[0].client->index])
			continue;
		report(d, &found);
		mark_told(d, &found, told);
	}
}
