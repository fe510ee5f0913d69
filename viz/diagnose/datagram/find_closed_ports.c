// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds UDP datagrams to a port of this machine that nobody has: the kernel drops them. It tells
 * the sender only where the socket is connected, at its next call (udp(7), ECONNREFUSED).
 */
#include <string.h>

#include "viz/diagnose/datagram/empty_datagrams.h"

enum {
	SURE = 3, /* so many in a row were not dropped by chance of where the kernel went on */
	ADDRESS_MOST = 64,
};

/* The datagrams of the trace to one address. */
struct port {
	uint64_t sent;
	bool heard;   /* one was queued at a socket, or nobody can tell */
	bool refused; /* a sender was told that nobody is there */
	/*
	 * The latest socket that has the address and is connected: the kernel hands it only what
	 * its peer sends (net/ipv4/udp.c, compute_score()); NULL: there is none.
	 */
	const struct viz_channel *connected;
};

static bool is_loopback(struct viz_bytes address)
{
	return viz_bytes_begin(address, "127.") || viz_bytes_begin(address, "[::1]:") ||
	       viz_bytes_begin(address, "[::ffff:127.");
}

static struct viz_bytes address_of(const struct viz_operation *op)
{
	return op->extra->peer_address.len ? op->extra->peer_address : op->channel->peer_address;
}

/* Returns the address's port in the network of the sender; NULL if it is not of this machine. */
static struct port *port_at(struct diagnosis *d, struct map *ports, const struct viz_channel *from,
			    struct viz_bytes address)
{
	char text[sizeof(from->network) + ADDRESS_MOST];
	struct viz_bytes key = {text, sizeof(from->network) + address.len};
	struct port *port;

	if (!is_loopback(address) || address.len > ADDRESS_MOST)
		return NULL;
	memcpy(text, &from->network, sizeof(from->network));
	memcpy(text + sizeof(from->network), address.data, address.len);
	port = map_get(ports, key);
	if (!port) {
		port = arena_alloc(d->arena, sizeof(*port));
		map_put(d->arena, ports, arena_bytes(d->arena, text, key.len), port);
	}
	return port;
}

static bool is_udp_send(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->channel && op->channel->mechanism == MECH_UDP &&
	       viz_operation_done(op) && op->returned >= 0;
}

/*
 * True if the kernel queued none of what the call sent, as it tells. Where it does not tell why, it
 * may have gone on in an interrupt, during another call or on another processor.
 */
static bool none_queued(const struct diagnosis *d, const struct viz_operation *op)
{
	if (d->model->header.reports_absent && !op->extra->unreached)
		return false;
	return operation_reached_nobody(op);
}

static void note_sent(struct diagnosis *d, struct map *ports, const struct viz_operation *op,
		      struct viz_bytes address)
{
	struct port *port = port_at(d, ports, op->channel, address);

	if (!port)
		return;
	port->sent++;
	port->heard |= !none_queued(d, op);
}

static void note(struct diagnosis *d, struct map *ports, const struct viz_operation *op)
{
	struct port *port;

	if (is_udp_send(op)) {
		for (size_t i = 0; i < op->extra->addresses_count; i++)
			note_sent(d, ports, op, op->extra->addresses[i]);
		if (!op->extra->addresses_count)
			note_sent(d, ports, op, address_of(op));
	} else if (op->channel && op->channel->mechanism == MECH_UDP &&
		   operation_has_error(op, "ECONNREFUSED")) {
		port = port_at(d, ports, op->channel, address_of(op));
		if (port)
			port->refused = true;
	}
}

static void note_connected(struct diagnosis *d, struct map *ports)
{
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];
		struct port *port = channel->mechanism == MECH_UDP && channel->peer_address.len
					    ? port_at(d, ports, channel, channel->local_address)
					    : NULL;

		if (port)
			port->connected = channel;
	}
}

static void tell_why(struct diagnosis *d, struct finding *f, const struct viz_operation *op,
		     struct viz_bytes address, const struct port *port)
{
	const struct viz_channel *connected = port->connected && viz_channel_holder(port->connected,
										    op->enter_ns)
						      ? port->connected
						      : NULL;

	if (f->times > 1)
		return;
	if (connected)
		finding_set(d, f, "why", "%s",
			    fill_phrase(d, PHRASE_CONNECTED_ELSEWHERE, bytes_text(d, address),
					bytes_text(d, connected->peer_address), NULL));
	else
		finding_set(
			d, f, "why", "%s",
			fill_phrase(d, PHRASE_NOBODY_RECEIVES, bytes_text(d, address), NULL, NULL));
	f->advice = phrase_text(connected ? PHRASE_ANSWER_FROM_ASKED : PHRASE_START_RECEIVER,
				d->language);
	tell_empty_datagram(d, f, op);
}

static void report(struct diagnosis *d, const struct viz_operation *op, struct viz_bytes address,
		   const struct port *port)
{
	bool proved = d->model->header.reports_absent || (port && port->refused);
	struct finding *f;

	if (!port || !none_queued(d, op) || ((port->heard || d->incomplete) && !proved))
		return;
	f = finding_fold(d, FINDING_DATAGRAM_DROPPED, op->enter_ns, op->process, op->channel);
	if (port->sent < SURE && !port->refused)
		f->severity = SEVERITY_NOTE;
	if (f->times <= 4)
		finding_operation(d, f, op);
	tell_why(d, f, op, address, port);
}

void report_closed_ports(struct diagnosis *d)
{
	struct map ports = {0};

	note_connected(d, &ports);
	for (size_t i = 0; i < d->model->operation_count; i++)
		note(d, &ports, d->model->operations[i]);
	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!is_udp_send(op))
			continue;
		for (size_t k = 0; k < op->extra->addresses_count; k++)
			report(d, op, op->extra->addresses[k],
			       port_at(d, &ports, op->channel, op->extra->addresses[k]));
		if (!op->extra->addresses_count)
			report(d, op, address_of(op),
			       port_at(d, &ports, op->channel, address_of(op)));
	}
}
