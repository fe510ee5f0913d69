// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/message/outsiders.h"

#include <string.h>

static struct viz_bytes address_of(const struct viz_end *end, const struct viz_channel *channel)
{
	const struct viz_operation *op = end->operation;

	uint64_t message = viz_message_of(op, end->message);

	if (message < op->extra->addresses_count)
		return op->extra->addresses[message];
	if (op->extra->peer_address.len)
		return op->extra->peer_address;
	if (channel->peer_address.len)
		return channel->peer_address;
	return channel->peer ? channel->peer->name : (struct viz_bytes){NULL, 0};
}

static void add_process(struct outside *outside, const struct viz_outsider *process)
{
	for (size_t i = 0; i < outside->count; i++)
		if (outside->processes[i]->pid == process->pid)
			return;
	if (outside->count < OUTSIDE_MAX)
		outside->processes[outside->count++] = process;
}

static void add_processes(struct outside *outside, const struct viz_channel *channel,
			  enum access access)
{
	for (size_t i = 0; i < channel->outsider_count; i++)
		add_process(outside, &channel->outsiders[i]);
	for (size_t i = 0; i < channel->stranger_count && !channel->outsider_count; i++)
		if (channel->strangers[i].access & access)
			add_process(outside, &channel->strangers[i]);
}

/* --- UDP: the outsiders that hold a socket with the message's address --- */

/* Host and port of "127.0.0.1:80" or "[::1]:80". "[::ffff:127.0.0.1]" gives the host 127.0.0.1. */
struct endpoint {
	struct viz_bytes host;
	struct viz_bytes port;
};

static struct viz_bytes part(struct viz_bytes text, size_t from, size_t to)
{
	return (struct viz_bytes){text.data + from, to - from};
}

static struct endpoint endpoint_of(struct viz_bytes address)
{
	static const char mapped[] = "[::ffff:";
	size_t colon = address.len, skip = viz_bytes_begin(address, mapped) ? strlen(mapped) : 0;
	struct endpoint endpoint = {0};

	while (colon > 0 && address.data[colon - 1] != ':')
		colon--;
	if (!colon || colon - 1 < skip + (skip != 0))
		return endpoint;
	endpoint.port = part(address, colon, address.len);
	endpoint.host = part(address, skip, colon - 1 - (skip != 0));
	return endpoint;
}

static bool is_any(struct viz_bytes host)
{
	return viz_bytes_equal(host, viz_bytes_of("0.0.0.0")) ||
	       viz_bytes_equal(host, viz_bytes_of("[::]"));
}

/*
 * True for an address of this machine. Only such an address reaches a socket that is bound to all
 * addresses.
 */
static bool is_here(struct viz_bytes host, const struct viz_channel *own)
{
	return viz_bytes_begin(host, "127.") || viz_bytes_equal(host, viz_bytes_of("[::1]")) ||
	       viz_bytes_equal(host, endpoint_of(own->local_address).host);
}

bool outside_is_at(const struct viz_channel *socket, struct viz_bytes address,
		   const struct viz_channel *own)
{
	struct endpoint wanted = endpoint_of(address), bound = endpoint_of(socket->local_address);

	if (!wanted.port.len || !viz_bytes_equal(wanted.port, bound.port) ||
	    socket->network != own->network)
		return false;
	return viz_bytes_equal(wanted.host, bound.host) ||
	       (is_any(bound.host) && is_here(wanted.host, own));
}

static void add_holders(struct outside *outside, const struct viz_channel *socket)
{
	for (size_t i = 0; i < socket->stranger_count; i++)
		add_process(outside, &socket->strangers[i]);
}

static void add_udp(struct outside *outside, const struct viz_operation *op,
		    const struct viz_channel *own, bool sends)
{
	const struct viz_sockets *held = own->held_outside;

	if (sends && op->to && op->to->stranger_count) {
		add_holders(outside, op->to);
		return;
	}
	for (size_t i = 0; held && i < held->count; i++)
		if (outside_is_at(held->items[i], outside->address, own))
			add_holders(outside, held->items[i]);
	if (!sends && !outside->address.len) /* the receive did not ask for the sender's address */
		add_processes(outside, own, ACCESS_WRITE);
}

bool outside_of(const struct viz_message *message, struct outside *outside)
{
	const struct viz_end *known = message->from.known ? &message->from : &message->to;
	const struct viz_operation *op = known->operation;
	const struct viz_channel *channel;

	*outside = (struct outside){0};
	if ((message->from.known && message->to.known) || message->signal || message->echo || !op)
		return false;
	if (message->from.known && message->fate != FATE_NONE)
		return false;
	channel = message->from.known ? viz_operation_sink(op) : viz_operation_source(op);
	if (!channel)
		return false;
	outside->address = address_of(known, channel);
	if (channel->mechanism == MECH_UDP)
		add_udp(outside, op, channel, message->from.known);
	else
		add_processes(outside, channel, message->from.known ? ACCESS_READ : ACCESS_WRITE);
	return outside->count || outside->address.len;
}
