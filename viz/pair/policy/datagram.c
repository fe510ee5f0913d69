// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Datagrams: whole messages, first in first out at the receiving socket. If each receive tells its
 * sender, by the kernel's report or by an address, each pair of sockets is a flow of its own.
 */
#include <stdlib.h>

#include "viz/pair/buffer/buffer_match.h"
#include "viz/pair/core/udp_cork.h"
#include "viz/pair/peer/address_book.h"
#include "viz/pair/peer/peers.h"
#include "viz/pair/policy/multicast.h"

static bool is_datagram(const struct viz_channel *channel)
{
	return pair_policy_of(channel) == POLICY_DATAGRAM;
}

static struct viz_channel *destination(struct pair_context *context, const struct flow_item *item,
				       bool *several)
{
	const struct viz_operation *op = item->op;
	const struct viz_channel *channel = viz_operation_sink(op);
	struct viz_bytes address = pair_address_of(item);
	uint64_t at_ns = viz_operation_done(op) ? op->exit_ns : op->enter_ns;
	const struct viz_operation *last = pair_cork_last(item);
	struct viz_channel *peer;

	if (last->to && (operation_is_single(last) || !last->extra->addresses_count))
		return last->to;
	if (!channel) /* its record at exit says that it was no send */
		return NULL;
	if (operation_groups(op).len)
		return NULL;
	peer = pair_traffic(context, channel)->peer;
	if (!address.len && (peer || channel->peer))
		return peer ? peer : channel->peer;
	if (!address.len)
		address = channel->peer_address;
	peer = address_book_find(context->addresses, context->round, channel, address, at_ns,
				 several);
	if (peer)
		return peer;
	*several = true;
	/* The receiver may have closed its socket before the call returned. */
	return address_book_elsewhere(context->addresses, context->round, channel, address,
				      op->enter_ns);
}

static struct pair_route route_to(const struct viz_channel *channel)
{
	return (struct pair_route){.mechanism = channel->mechanism, .channel = channel};
}

/*
 * True for a receive that takes no datagram: read(2) of 0 bytes leaves it in the queue, recv(2)
 * takes it.
 */
static bool takes_nothing(const struct viz_operation *op)
{
	return viz_has(op, requested) && op->requested == 0 && op->syscall.len >= 4 &&
	       (!memcmp(op->syscall.data, "read", 4) || !memcmp(op->syscall.data, "prea", 4));
}

/*
 * True for a send that sends no datagram: writev(2) of 0 bytes in all never reaches the socket,
 * whereas write(2) of 0 bytes does (fs/read_write.c).
 */
static bool sends_nothing(const struct viz_operation *op)
{
	const struct viz_bytes *name = &op->syscall;
	size_t at = name->len && name->data[0] == 'p'; /* pwritev, pwritev2 */

	return viz_has(op, returned) && op->returned == 0 && name->len >= at + 6 &&
	       !memcmp(name->data + at, "writev", 6);
}

static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	if (send && sends_nothing(op))
		return;
	if (send) {
		pair_add_messages(&traffic->sends, op, 0);
	} else if (!takes_nothing(op)) {
		pair_add_messages(&traffic->receives, op, 0);
		pair_note_names(context, op);
	}
}

static void pair_datagram_flow(struct pair_context *context, struct flow *flow,
			       struct channel_traffic *receiver)
{
	struct pair_route route = route_to(receiver->channel);

	flow->whole = true;
	flow->payloads = true;
	route.outside = !receiver->received && !receiver->channel->created_in_trace &&
			!pair_ever_held(receiver->channel, ACCESS_BOTH);
	if (route.outside && receiver->peer)
		pair_route_unaccepted(context, pair_traffic(context, receiver->peer), flow, &route);
	if (receiver->channel->mechanism == MECH_UNIX_SEQPACKET)
		pair_take_ends(context, flow, &route);
	route.outside |= pair_group_any(flow); /* a socket may begin to listen after the send */
	pair_take_out_dropped(context, flow, &route);
	pair_flow(context, flow, &route);
}

/*
 * Order of sending sockets: sockets outside the trace first, then by index; each socket's messages
 * in order of beginning.
 */
static size_t socket_order(const struct viz_channel *socket)
{
	return socket ? socket->index + 1 : 0;
}

static int compare_sources(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;
	size_t i = socket_order(x->datagram.source), j = socket_order(y->datagram.source);

	if (i != j)
		return i < j ? -1 : 1;
	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	if (x->op != y->op)
		return x->op->id < y->op->id ? -1 : 1;
	return (x->message > y->message) - (x->message < y->message);
}

static void sort_sources(struct flow_side *side)
{
	if (side->count)
		qsort(side->items, side->count, sizeof(*side->items), compare_sources);
}

/* The next sending socket of two sorted lists, of which at most one is at its end. */
static const struct viz_channel *next_source(const struct flow_side *sends, size_t s,
					     const struct flow_side *receives, size_t r)
{
	if (s == sends->count)
		return receives->items[r].datagram.source;
	if (r == receives->count)
		return sends->items[s].datagram.source;
	return socket_order(sends->items[s].datagram.source) <
			       socket_order(receives->items[r].datagram.source)
		       ? sends->items[s].datagram.source
		       : receives->items[r].datagram.source;
}

static void take_source(const struct flow_side *from, size_t *at, const struct viz_channel *source,
			struct flow_side *to)
{
	for (; *at < from->count && from->items[*at].datagram.source == source; (*at)++)
		flow_add(to, &from->items[*at]);
}

/* Matches one flow for each sending socket, and one for all senders outside the trace. */
static void pair_by_source(struct pair_context *context, struct channel_traffic *receiver,
			   struct flow *all)
{
	struct flow_side sends = all->sends, receives = all->receives;
	bool ambiguous = all->ambiguous;
	size_t s = 0, r = 0;

	all->sends = all->receives = (struct flow_side){0};
	sort_sources(&sends);
	sort_sources(&receives);
	while (s < sends.count || r < receives.count) {
		const struct viz_channel *source = next_source(&sends, s, &receives, r);
		struct flow flow = *all;

		flow.ambiguous = ambiguous;
		flow.sends = flow.receives = (struct flow_side){0};
		take_source(&sends, &s, source, &flow.sends);
		take_source(&receives, &r, source, &flow.receives);
		flow.sent = flow.sends.count > 0;
		if (flow.receives.count && !flow.sent && source && source->created_in_trace)
			flow.ambiguous = true; /* its sends seem to have gone elsewhere */
		pair_datagram_flow(context, &flow, receiver);
		all->ambiguous |= flow.ambiguous;
		flow_put_back(&all->sends, &flow.sends);
		flow_put_back(&all->receives, &flow.receives);
	}
	flow_free(&sends);
	flow_free(&receives);
}

static void settle(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow all = {.until_ns = context->directed_ns,
			   .open_receive_ns = VIZ_NEVER,
			   .ambiguous = traffic->receive_ambiguous || traffic->send_ambiguous,
			   .group = traffic->udp.group,
			   .whole = true,
			   .sends = traffic->inbound,
			   .sent = traffic->inbound_ever};
	struct pair_route route;

	if (!pair_is_last(context))
		all.open_receive_ns = pair_first_enter(&traffic->open_receives);
	pair_take_settled(&traffic->receives, &all);
	if (traffic->channel->mechanism == MECH_UDP)
		pair_mark_overlaps(context, traffic, &all.receives);
	route = route_to(traffic->channel);
	if (!pair_take_stock(context, traffic, &all, &route))
		all.wait = false; /* the flow waits until the next round */
	else if (pair_find_sources(context, &all))
		pair_by_source(context, traffic, &all);
	else
		pair_datagram_flow(context, &all, traffic);
	traffic->inbound = all.sends;
	flow_put_back(&traffic->receives, &all.receives);
	traffic->receive_ambiguous = all.ambiguous;
	pair_close_open(&traffic->inbound);
}

const struct pair_policy pair_datagram_policy = {take, settle};

/*
 * True if the kernel queued a datagram during this call at a socket whose port is not the one it
 * was sent to: an unrelated packet, or this one, translated on its way to another network
 * namespace.
 */
static bool may_be_translated(const struct flow_item *item)
{
	const struct viz_operation *op = pair_cork_last(item);

	return op->extra->delivered_count && !op->to && op->channel &&
	       op->channel->mechanism == MECH_UDP;
}

/* True if no socket took any message of the call, as the kernel tells. */
static bool was_unreached(const struct viz_operation *op)
{
	uint64_t messages = operation_is_multiple(op) && op->returned > 0 ? (uint64_t)op->returned
									  : 1;

	return op->extra->unreached && op->extra->unreached >= messages && !op->extra->parts_count;
}

/* Adds the message of a send to an address that no socket of the trace has. */
static void send_outside(struct pair_context *context, const struct viz_channel *sender,
			 const struct flow_item *item)
{
	struct pair_route route = route_to(sender);
	bool translated = may_be_translated(item);
	bool ambiguous = context->lost || translated || pair_may_cross(context, sender, item);

	context->translated |= translated;
	route.outside = true;
	if (!item->open && was_unreached(pair_cork_last(item)))
		pair_drop_send(context, &route, item, ambiguous ? MATCH_AMBIGUOUS : MATCH_EXACT);
	else if (!item->open)
		pair_add_whole(context, &route, item, NULL)->match = ambiguous ? MATCH_AMBIGUOUS
									       : MATCH_EXACT;
	pair_let_go(context, item->op);
}

#define ACROSS_MAX 1024

static void note_across(struct channel_traffic *receiver, const struct viz_channel *sender)
{
	struct channel_list *list = &receiver->udp.across;

	if (sender->mechanism != MECH_UDP || sender->network == receiver->channel->network)
		return;
	for (size_t i = list->count; i > 0; i--)
		if (list->items[i - 1] == sender)
			return;
	if (list->count == ACROSS_MAX)
		receiver->receive_ambiguous = true; /* a sender not listed would seem outside */
	else
		LIST_PUSH(list, (struct viz_channel *)sender);
}

/* Hands a send over to its destination. False if it has to wait for a receive that may name it. */
static bool direct(struct pair_context *context, const struct viz_channel *sender,
		   struct flow_item *item)
{
	bool several = false;
	struct viz_channel *named = pair_named_receiver(context, item);
	struct viz_channel *to = named ? named : destination(context, item, &several);
	struct channel_traffic *receiver;
	bool copied;

	if ((!to || several) && pair_may_be_named_yet(context, sender, item))
		return false;
	copied = pair_group_maybe(context, sender, item, pair_address_of(item), to);
	if (!to && copied)
		pair_let_go(context, item->op);
	if (!to && (copied || pair_group_direct(context, sender, item)))
		return true;
	if (!to || !is_datagram(to)) {
		send_outside(context, sender, item);
		return true;
	}
	receiver = pair_traffic(context, to);
	item->datagram.source = sender;
	note_across(receiver, sender);
	receiver->inbound_ever = true;
	receiver->receive_ambiguous |= several || pair_traffic(context, sender)->send_ambiguous;
	flow_add(&receiver->inbound, item);
	pair_list_busy(context, receiver);
	return true;
}

void pair_direct_sends(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow_side *side = &traffic->sends;
	size_t kept = 0, ready = pair_cork_join(context, traffic);

	pair_open_sends(side, &traffic->open_sends, true);
	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];

		if (item->open || (i < ready && item->exit_ns < context->until_ns)) {
			if (direct(context, traffic->channel, item))
				continue;
		} else if (item->enter_ns < context->directed_ns) {
			context->directed_ns = item->enter_ns;
		}
		side->items[kept++] = *item;
	}
	side->count = kept;
}
