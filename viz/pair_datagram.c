// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Datagrams: whole messages, first in first out at the receiving socket. Where each receive tells
 * who sent (the kernel's word, or an address), each pair of sockets is a flow of its own.
 */
#include <stdlib.h>

#include "pair_internal.h"

/* Who sent what a receive took: a socket of the trace, somebody outside, or nobody can tell. */
enum source_kind { SOURCE_UNKNOWN, SOURCE_SOCKET, SOURCE_FOREIGN };

struct source {
	enum source_kind kind;
	const struct viz_channel *socket;
};

/* An operation with the socket at the other end; index: that socket's, plus 1. */
struct directed {
	const struct viz_operation *op;
	uint32_t message;		  /* or PAIR_ALL_MESSAGES */
	const struct viz_channel *socket; /* NULL: foreign */
	size_t order;
};

struct directed_list {
	struct directed *items;
	size_t count;
};

static bool is_datagram(const struct viz_channel *channel)
{
	return pair_policy(channel) == POLICY_DATAGRAM;
}

/* The messages of one call may have an address each: then they are looked at one by one. */
static bool has_own_addresses(const struct viz_operation *op)
{
	return viz_operation_done(op) && op->addresses_count > 0 && pair_is_multiple(op);
}

static uint32_t parts_of(const struct viz_operation *op)
{
	return has_own_addresses(op) ? pair_message_count(op) : 1;
}

static uint32_t part_number(const struct viz_operation *op, uint32_t part)
{
	return has_own_addresses(op) ? part : PAIR_ALL_MESSAGES;
}

static struct viz_bytes address_of(const struct viz_operation *op, uint32_t message)
{
	if (message == PAIR_ALL_MESSAGES)
		return op->peer_address;
	return message < op->addresses_count ? op->addresses[message] : (struct viz_bytes){NULL, 0};
}

static struct viz_channel *destination(const struct pair_context *context,
				       const struct viz_operation *op, uint32_t message)
{
	const struct viz_channel *channel = viz_operation_sink(op);
	struct viz_bytes address = address_of(op, message);
	uint64_t at_ns = viz_operation_done(op) ? op->exit_ns : op->enter_ns;
	struct viz_channel *peer;

	if (op->to && (message == PAIR_ALL_MESSAGES || op->returned == 1))
		return op->to;
	peer = pair_traffic(context, channel)->peer;
	if (!address.len && (peer || channel->peer))
		return peer ? peer : channel->peer;
	if (!address.len)
		address = channel->peer_address;
	return address_book_find(context->addresses, channel, address, at_ns);
}

/* The kernel names one sender for all messages of a call: that proves nothing. */
static struct source source_of(const struct pair_context *context, const struct viz_operation *op,
			       uint32_t message)
{
	const struct viz_channel *channel = op->channel;
	const struct viz_channel *found = op->from;
	struct viz_bytes address = address_of(op, message);

	if (message != PAIR_ALL_MESSAGES && op->returned > 1)
		found = NULL;
	if (!address.len && pair_is_multiple(op) && op->returned > 1)
		return (struct source){SOURCE_UNKNOWN, NULL};
	if (!found && channel->mechanism == MECH_UNIX_SEQPACKET)
		found = pair_traffic(context, channel)->peer;
	if (!found && !address.len)
		address = channel->peer_address;
	if (!found && address.len) {
		found = address_book_find(context->addresses, channel, address, op->exit_ns);
		if (!found)
			return (struct source){SOURCE_FOREIGN, NULL};
	}
	return (struct source){found ? SOURCE_SOCKET : SOURCE_UNKNOWN, found};
}

static struct pair_route route_to(const struct viz_channel *channel)
{
	return (struct pair_route){.mechanism = channel->mechanism, .channel = channel};
}

static bool reads_file_style(const struct viz_operation *op)
{
	return op->syscall.len >= 4 &&
	       (!memcmp(op->syscall.data, "read", 4) || !memcmp(op->syscall.data, "prea", 4));
}

/* read(2) of 0 bytes leaves a datagram where it is, recv(2) takes it. */
static bool takes_nothing(const struct viz_operation *op)
{
	return reads_file_style(op) && viz_has(op, requested) && op->requested == 0;
}

static int compare_exits(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	return (x->message > y->message) - (x->message < y->message);
}

/*
 * A sequenced-packet receive of 0 bytes is the end, unless it is an empty packet's turn. What is
 * the end leaves the flow.
 */
static void take_out_ends(struct pair_context *context, struct flow *flow)
{
	struct flow_side *side = &flow->receives;
	size_t kept = 0;

	if (side->count)
		qsort(side->items, side->count, sizeof(*side->items), compare_exits);
	if (flow->sends.count)
		qsort(flow->sends.items, flow->sends.count, sizeof(*flow->sends.items),
		      compare_exits);
	for (size_t i = 0; i < side->count; i++) {
		struct flow_item item = side->items[i];
		bool empty_sent = kept < flow->sends.count && flow->sends.items[kept].bytes == 0;

		if (item.bytes == 0 && !empty_sent)
			pair_add_eof(context, item.op);
		else
			side->items[kept++] = item;
	}
	side->count = kept;
}

static size_t count_queued(const struct flow_side *sends)
{
	size_t queued = 0;

	for (size_t i = 0; i < sends->count; i++)
		queued += sends->items[i].op->to != NULL;
	return queued;
}

/* The kernel's word is one for all messages of a call. */
static bool any_of_several(const struct flow_side *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i].op->lengths_count > 1)
			return true;
	return false;
}

static void drop_send(struct pair_context *context, const struct pair_route *route,
		      const struct flow_item *item, enum match match)
{
	struct viz_message *message = pair_add_message(context, route);

	message->bytes = item->bytes;
	message->from = pair_end_of(item->op);
	message->from.offset = item->local;
	message->from.message = item->message;
	message->from.payload = flow_payload(item, 0, item->bytes);
	message->fate = FATE_DROPPED;
	message->match = match;
}

/*
 * UDP may drop. As many received as sent: none was. Otherwise the kernel's word (`to`) that a
 * datagram was queued decides, if it was kept at all; without it any of them may be the missing.
 */
static void take_out_dropped(struct pair_context *context, struct flow *flow,
			     const struct pair_route *route)
{
	struct flow_side *sends = &flow->sends;
	size_t queued = count_queued(sends), kept = 0;

	if (mechanism_info(route->mechanism)->reliable || sends->count <= flow->receives.count)
		return;
	if (queued == 0 || queued < flow->receives.count || any_of_several(sends)) {
		flow->doubt = true;
		return;
	}
	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item item = sends->items[i];

		if (item.op->to || item.open)
			sends->items[kept++] = item;
		else
			drop_send(context, route, &item, MATCH_EXACT);
	}
	sends->count = kept;
}

static void pair_datagram_flow(struct pair_context *context, struct flow *flow,
			       const struct viz_channel *receiver)
{
	struct pair_route route = route_to(receiver);

	flow->whole = true;
	flow->payloads = true;
	route.outside = flow->receives.count == 0 && !receiver->created_in_trace &&
			!pair_ever_held(receiver, ACCESS_BOTH);
	if (receiver->mechanism == MECH_UNIX_SEQPACKET)
		take_out_ends(context, flow);
	take_out_dropped(context, flow, &route);
	pair_flow(context, flow, &route);
}

/* Foreign ones first. */
static size_t socket_order(const struct viz_channel *socket)
{
	return socket ? socket->index + 1 : 0;
}

static int compare_directed(const void *a, const void *b)
{
	const struct directed *x = a, *y = b;
	size_t i = socket_order(x->socket), j = socket_order(y->socket);

	if (i != j)
		return i < j ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void directed_push(struct pair_context *context, struct directed_list *list,
			  const struct viz_operation *op, uint32_t message,
			  const struct viz_channel *socket)
{
	struct directed item = {op, message, socket, list->count};

	ARENA_PUSH(context->arena, list->items, list->count, item);
}

/* The next sending socket of two sorted lists; one of them is not at its end. */
static const struct viz_channel *next_source(const struct directed_list *sends, size_t s,
					     const struct directed_list *receives, size_t r)
{
	if (s == sends->count)
		return receives->items[r].socket;
	if (r == receives->count)
		return sends->items[s].socket;
	return socket_order(sends->items[s].socket) < socket_order(receives->items[r].socket)
		       ? sends->items[s].socket
		       : receives->items[r].socket;
}

/* One flow for each sending socket (and one for senders outside the trace). */
static void pair_by_source(struct pair_context *context, const struct viz_channel *receiver,
			   const struct directed_list *sends, const struct directed_list *receives)
{
	size_t s = 0, r = 0;

	while (s < sends->count || r < receives->count) {
		const struct viz_channel *source = next_source(sends, s, receives, r);
		struct flow flow = {0};

		for (; s < sends->count && sends->items[s].socket == source; s++)
			pair_add_messages(context, &flow.sends, sends->items[s].op, 0,
					  sends->items[s].message);
		for (; r < receives->count && receives->items[r].socket == source; r++)
			pair_add_messages(context, &flow.receives, receives->items[r].op, 0,
					  receives->items[r].message);
		if (flow.sends.count == 0 && source && source->created_in_trace)
			flow.doubt = true; /* its sends went elsewhere, as far as we know */
		pair_datagram_flow(context, &flow, receiver);
	}
}

/* false where a receive does not tell its sender. */
static bool list_by_source(struct pair_context *context, const struct channel_traffic *traffic,
			   struct directed_list *sends, struct directed_list *receives)
{
	for (size_t i = 0; i < traffic->receives.count; i++) {
		const struct viz_operation *op = traffic->receives.items[i];
		struct source source;

		if (op->returned < 0 || takes_nothing(op))
			continue;
		for (uint32_t part = 0; part < parts_of(op); part++) {
			source = source_of(context, op, part_number(op, part));
			if (source.kind == SOURCE_UNKNOWN)
				return false;
			directed_push(context, receives, op, part_number(op, part), source.socket);
		}
	}
	for (size_t i = 0; i < traffic->inbound_count; i++)
		directed_push(context, sends, traffic->inbound[i].op, traffic->inbound[i].message,
			      viz_operation_sink(traffic->inbound[i].op));
	if (sends->count)
		qsort(sends->items, sends->count, sizeof(*sends->items), compare_directed);
	if (receives->count)
		qsort(receives->items, receives->count, sizeof(*receives->items), compare_directed);
	return true;
}

static void pair_socket(struct pair_context *context, const struct viz_channel *receiver)
{
	const struct channel_traffic *traffic = pair_traffic(context, receiver);
	struct directed_list sends = {0}, receives = {0};
	struct flow flow = {0};

	if (list_by_source(context, traffic, &sends, &receives)) {
		pair_by_source(context, receiver, &sends, &receives);
		return;
	}
	for (size_t i = 0; i < traffic->inbound_count; i++)
		pair_add_messages(context, &flow.sends, traffic->inbound[i].op, 0,
				  traffic->inbound[i].message);
	for (size_t i = 0; i < traffic->receives.count; i++)
		if (!takes_nothing(traffic->receives.items[i]))
			pair_add_messages(context, &flow.receives, traffic->receives.items[i], 0,
					  PAIR_ALL_MESSAGES);
	pair_datagram_flow(context, &flow, receiver);
}

/* Nobody in the trace has the address that it was sent to. */
static void send_outside(struct pair_context *context, const struct inbound *send)
{
	struct pair_route route = route_to(viz_operation_sink(send->op));
	struct flow flow = {.whole = true};

	route.outside = true;
	pair_add_messages(context, &flow.sends, send->op, 0, send->message);
	pair_flow(context, &flow, &route);
}

static void direct_send(struct pair_context *context, const struct inbound *send)
{
	struct viz_channel *to = destination(context, send->op, send->message);
	struct channel_traffic *traffic;

	if (!to) {
		send_outside(context, send);
		return;
	}
	traffic = pair_traffic(context, to);
	ARENA_PUSH(context->arena, traffic->inbound, traffic->inbound_count, *send);
}

static void direct_sends(struct pair_context *context)
{
	const struct viz_model *model = context->model;

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (!viz_operation_sink(op) || !is_datagram(viz_operation_sink(op)))
			continue;
		for (uint32_t part = 0; part < parts_of(op); part++) {
			struct inbound send = {op, part_number(op, part)};

			direct_send(context, &send);
		}
	}
}

void pair_datagrams(struct pair_context *context)
{
	const struct viz_model *model = context->model;

	direct_sends(context);
	for (size_t i = 0; i < model->channel_count; i++)
		if (is_datagram(model->channels[i]) || context->traffic[i].inbound_count)
			pair_socket(context, model->channels[i]);
}
