// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Datagrams: whole messages, first in first out at the receiving socket. Where each receive tells
 * who sent (the kernel's word, or an address), each pair of sockets is a flow of its own.
 */
#include <stdlib.h>

#include "address.h"
#include "pair_group.h"
#include "pair_named.h"

/*
 * Who sent what a receive took: a socket of the trace, somebody outside, or nobody can tell; that
 * also where a sender of another network namespace may have got the address on the way.
 */
enum source_kind { SOURCE_UNKNOWN, SOURCE_SOCKET, SOURCE_FOREIGN, SOURCE_TRANSLATED };

struct source {
	enum source_kind kind;
	const struct viz_channel *socket;
};

static bool is_datagram(const struct viz_channel *channel)
{
	return pair_policy_of(channel) == POLICY_DATAGRAM;
}

/* The messages of one call may have an address each. */
static struct viz_bytes address_of(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	if (item->open || !op->addresses_count || !pair_is_multiple(op))
		return op->peer_address;
	return item->message < op->addresses_count ? op->addresses[item->message]
						   : (struct viz_bytes){NULL, 0};
}

static struct viz_channel *destination(struct pair_context *context, const struct flow_item *item,
				       bool *several)
{
	const struct viz_operation *op = item->op;
	const struct viz_channel *channel = viz_operation_sink(op);
	struct viz_bytes address = address_of(item);
	uint64_t at_ns = viz_operation_done(op) ? op->exit_ns : op->enter_ns;
	struct viz_channel *peer;

	if (op->to && (pair_is_single(op) || !op->addresses_count))
		return op->to;
	if (!channel) /* its end line says that it was no send */
		return NULL;
	if (pair_group_of(op).len)
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
	return address_book_elsewhere(context->addresses, context->round, channel, address, at_ns);
}

/* An address that this network namespace does not know. */
static struct source source_elsewhere(const struct channel_traffic *receiver,
				      struct viz_bytes address)
{
	struct source source = {SOURCE_FOREIGN, NULL};
	size_t fit = 0;

	for (size_t i = 0; i < receiver->across.count; i++) {
		if (!address_is_bound(receiver->across.items[i]->local_address, address))
			continue;
		source = (struct source){SOURCE_SOCKET, receiver->across.items[i]};
		fit++;
	}
	if (receiver->across.count && fit != 1)
		return (struct source){SOURCE_TRANSLATED, NULL};
	return source;
}

/* The kernel names one sender for all messages of a call: that proves nothing. */
static struct source source_of(struct pair_context *context, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	const struct viz_channel *channel = op->channel;
	const struct viz_channel *found = pair_is_single(op) ? op->from : NULL;
	struct viz_bytes address = address_of(item);
	bool several;

	if (pair_is_single(op))
		address.len -= pair_group_of(op).len;
	if (!channel || (!address.len && !pair_is_single(op)))
		return (struct source){SOURCE_UNKNOWN, NULL};
	if (!found && channel->mechanism == MECH_UNIX_SEQPACKET)
		found = pair_traffic(context, channel)->peer;
	if (!found && !address.len)
		address = channel->peer_address;
	if (!found && address.len) {
		found = address_book_find(context->addresses, context->round, channel, address,
					  op->exit_ns, &several);
		if (several)
			return (struct source){SOURCE_UNKNOWN, NULL};
		if (!found)
			return source_elsewhere(pair_traffic(context, channel), address);
	}
	return (struct source){found ? SOURCE_SOCKET : SOURCE_UNKNOWN, found};
}

static struct pair_route route_to(const struct viz_channel *channel)
{
	return (struct pair_route){.mechanism = channel->mechanism, .channel = channel};
}

/* read(2) of 0 bytes leaves a datagram where it is, recv(2) takes it. */
static bool takes_nothing(const struct viz_operation *op)
{
	return viz_has(op, requested) && op->requested == 0 && op->syscall.len >= 4 &&
	       (!memcmp(op->syscall.data, "read", 4) || !memcmp(op->syscall.data, "prea", 4));
}

static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	(void)context;
	if (send)
		pair_add_messages(&traffic->sends, op, 0);
	else if (!takes_nothing(op))
		pair_add_messages(&traffic->receives, op, 0);
}

static void pair_datagram_flow(struct pair_context *context, struct flow *flow,
			       struct channel_traffic *receiver)
{
	struct pair_route route = route_to(receiver->channel);

	flow->whole = true;
	flow->payloads = true;
	route.outside = !receiver->received && !receiver->channel->created_in_trace &&
			!pair_ever_held(receiver->channel, ACCESS_BOTH);
	if (receiver->channel->mechanism == MECH_UNIX_SEQPACKET)
		pair_take_ends(context, flow, &route);
	route.outside |= pair_group_any(flow); /* it may have begun to listen later */
	pair_take_out_dropped(context, flow, &route);
	pair_flow(context, flow, &route);
}

/* Foreign ones first, then by sending socket; each in order of beginning. */
static size_t socket_order(const struct viz_channel *socket)
{
	return socket ? socket->index + 1 : 0;
}

static int compare_sources(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;
	size_t i = socket_order(x->source), j = socket_order(y->source);

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

/* The next sending socket of two sorted lists; one of them is not at its end. */
static const struct viz_channel *next_source(const struct flow_side *sends, size_t s,
					     const struct flow_side *receives, size_t r)
{
	if (s == sends->count)
		return receives->items[r].source;
	if (r == receives->count)
		return sends->items[s].source;
	return socket_order(sends->items[s].source) < socket_order(receives->items[r].source)
		       ? sends->items[s].source
		       : receives->items[r].source;
}

static void take_source(const struct flow_side *from, size_t *at, const struct viz_channel *source,
			struct flow_side *to)
{
	for (; *at < from->count && from->items[*at].source == source; (*at)++)
		flow_add(to, &from->items[*at]);
}

/* One flow for each sending socket (and one for senders outside the trace). */
static void pair_by_source(struct pair_context *context, struct channel_traffic *receiver,
			   struct flow *all)
{
	struct flow_side sends = all->sends, receives = all->receives;
	bool doubt = all->doubt;
	size_t s = 0, r = 0;

	all->sends = all->receives = (struct flow_side){0};
	sort_sources(&sends);
	sort_sources(&receives);
	while (s < sends.count || r < receives.count) {
		const struct viz_channel *source = next_source(&sends, s, &receives, r);
		struct flow flow = *all;

		flow.doubt = doubt;
		flow.sends = flow.receives = (struct flow_side){0};
		take_source(&sends, &s, source, &flow.sends);
		take_source(&receives, &r, source, &flow.receives);
		flow.sent = flow.sends.count > 0;
		if (flow.receives.count && !flow.sent && source && source->created_in_trace)
			flow.doubt = true; /* its sends went elsewhere, as far as we know */
		pair_datagram_flow(context, &flow, receiver);
		all->doubt |= flow.doubt;
		flow_put_back(&all->sends, &flow.sends);
		flow_put_back(&all->receives, &flow.receives);
	}
	flow_free(&sends);
	flow_free(&receives);
}

/* false where a receive does not tell its sender. */
static bool find_sources(struct pair_context *context, struct flow *flow)
{
	bool all_known = true;

	for (size_t i = 0; i < flow->receives.count; i++) {
		struct source source = source_of(context, &flow->receives.items[i]);

		flow->receives.items[i].source = source.socket;
		flow->doubt |= source.kind == SOURCE_TRANSLATED ||
			       (source.kind == SOURCE_FOREIGN && context->translated);
		all_known &= source.kind == SOURCE_SOCKET || source.kind == SOURCE_FOREIGN;
	}
	return all_known;
}

static void settle(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow all = {.until_ns = context->directed_ns,
			   .open_receive_ns = VIZ_NEVER,
			   .doubt = traffic->receive_doubt || traffic->send_doubt,
			   .sends = traffic->inbound,
			   .sent = traffic->inbound_ever};

	if (!pair_is_last(context))
		all.open_receive_ns = pair_first_enter(&traffic->open_receives);
	pair_take_settled(&traffic->receives, &all);
	if (traffic->channel->mechanism == MECH_UDP)
		pair_mark_overlaps(context, traffic, &all.receives);
	if (find_sources(context, &all))
		pair_by_source(context, traffic, &all);
	else
		pair_datagram_flow(context, &all, traffic);
	traffic->inbound = all.sends;
	flow_put_back(&traffic->receives, &all.receives);
	traffic->receive_doubt = all.doubt;
	pair_close_open(&traffic->inbound);
}

const struct pair_policy pair_datagram_policy = {take, settle};

/*
 * The kernel queued something in this very call, at a socket that has not the port it was sent to:
 * a packet of somebody else, or this one, translated on its way to another network of this machine.
 */
static bool may_be_translated(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	return op->delivered_count && !op->to && op->channel && op->channel->mechanism == MECH_UDP;
}

/* Nobody in the trace has the address that it was sent to. */
static void send_outside(struct pair_context *context, const struct viz_channel *sender,
			 const struct flow_item *item)
{
	struct pair_route route = route_to(sender);
	bool translated = may_be_translated(item);

	context->translated |= translated;
	route.outside = true;
	if (!item->open)
		pair_add_whole(context, &route, item, NULL)->match = context->lost || translated
									     ? MATCH_AMBIGUOUS
									     : MATCH_EXACT;
	pair_let_go(context, item->op);
}

#define ACROSS_MAX 1024

static void note_across(struct channel_traffic *receiver, const struct viz_channel *sender)
{
	struct channel_list *list = &receiver->across;

	if (sender->mechanism != MECH_UDP || sender->network == receiver->channel->network)
		return;
	for (size_t i = list->count; i > 0; i--)
		if (list->items[i - 1] == sender)
			return;
	if (list->count == ACROSS_MAX)
		receiver->receive_doubt = true; /* a sender that is not there would seem foreign */
	else
		LIST_PUSH(list, (struct viz_channel *)sender);
}

static void direct(struct pair_context *context, const struct viz_channel *sender,
		   struct flow_item *item)
{
	bool several = false;
	struct viz_channel *to = destination(context, item, &several);
	struct channel_traffic *receiver;
	bool copied = pair_group_maybe(context, sender, item, address_of(item), to);

	if (!to && copied)
		pair_let_go(context, item->op);
	if (!to && (copied || pair_group_direct(context, sender, item)))
		return;
	if (!to || !is_datagram(to)) {
		send_outside(context, sender, item);
		return;
	}
	receiver = pair_traffic(context, to);
	item->source = sender;
	note_across(receiver, sender);
	receiver->inbound_ever = true;
	receiver->receive_doubt |= several || pair_traffic(context, sender)->send_doubt;
	flow_add(&receiver->inbound, item);
	pair_list_busy(context, receiver);
}

void pair_direct_sends(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow_side *side = &traffic->sends;
	size_t kept = 0;

	pair_open_sends(side, &traffic->open_sends, true);
	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];

		if (item->open || item->exit_ns < context->until_ns) {
			direct(context, traffic->channel, item);
			continue;
		}
		if (item->enter_ns < context->directed_ns)
			context->directed_ns = item->enter_ns;
		side->items[kept++] = *item;
	}
	side->count = kept;
}
