// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Connections that nobody accepts. */
#include "find.h"
#include "find_waits.h"

static bool same_port(struct viz_bytes a, struct viz_bytes b)
{
	const char *of_a = a.len ? memrchr(a.data, ':', a.len) : NULL;
	const char *of_b = b.len ? memrchr(b.data, ':', b.len) : NULL;

	return of_a && of_b && strcmp(of_a, of_b) == 0;
}

static bool listens_everywhere(struct viz_bytes address)
{
	return viz_bytes_begin(address, "0.0.0.0:") || viz_bytes_begin(address, "[::]:");
}

/* In another network namespace the same address may be another machine's. */
static bool fits(const struct viz_channel *listener, const struct viz_channel *client,
		 struct viz_bytes address)
{
	if (!listener->listening || !address.len || listener->mechanism != client->mechanism ||
	    listener->network != client->network)
		return false;
	return viz_bytes_equal(listener->local_address, address) ||
	       viz_bytes_equal(listener->name, address) ||
	       (listens_everywhere(listener->local_address) &&
		same_port(listener->local_address, address));
}

/* A listener of the trace that had that address then. */
static const struct viz_holding *listener_of(const struct diagnosis *d,
					     const struct viz_channel *client,
					     struct viz_bytes address, uint64_t at_ns)
{
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];

		for (size_t k = 0; k < channel->holding_count && fits(channel, client, address);
		     k++)
			if (channel->holdings[k]->since_ns <= at_ns &&
			    channel->holdings[k]->until_ns > at_ns)
				return channel->holdings[k];
	}
	return NULL;
}

static void tell(struct diagnosis *d, const struct viz_operation *op, struct viz_bytes address,
		 const struct viz_holding *listener)
{
	struct finding *f = finding_fold(d, FINDING_NEVER_ACCEPTED, op->enter_ns, op->process,
					 listener->channel);

	finding_process(d, f, listener->process);
	finding_operation(d, f, op);
	finding_say(d, f, "address", "%s", say_bytes(d, address));
	finding_say(d, f, "server", "%s", say_process(d, listener->process));
}

static void tell_connection(struct diagnosis *d, const struct viz_connection *c)
{
	const struct viz_holding *listener;

	if (!c->connect || !c->client || c->accept || viz_operation_failed(c->connect) ||
	    d->incomplete)
		return;
	listener = listener_of(d, c->client, c->connect->peer_address, c->connect->enter_ns);
	if (listener)
		tell(d, c->connect, c->connect->peer_address, listener);
}

/* A glance sees no connect, but that nobody holds the other end: it is the listener's still. */
bool tell_unaccepted(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;
	const struct viz_channel *peer = channel ? wait_peer(d->waits, channel) : NULL;
	const struct viz_holding *listener;
	struct viz_bytes address;

	if (!d->waits->whole || !channel || wait->ender_count ||
	    wait->operation->role != ROLE_RECEIVE || channel->stranger_count ||
	    (peer && peer->stranger_count) ||
	    (channel->mechanism != MECH_TCP && channel->mechanism != MECH_UNIX_STREAM &&
	     channel->mechanism != MECH_UNIX_SEQPACKET))
		return false;
	address = channel->mechanism == MECH_TCP ? channel->peer_address
		  : peer			 ? peer->name
						 : (struct viz_bytes){0};
	listener = listener_of(d, channel, address, d->end_ns);
	if (listener)
		tell(d, wait->operation, address, listener);
	return listener != NULL;
}

void find_accept(struct diagnosis *d)
{
	for (size_t i = 0; i < d->pairing->connection_count; i++)
		tell_connection(d, d->pairing->connections[i]);
}
