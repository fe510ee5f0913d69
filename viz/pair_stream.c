// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Streams: pipes and FIFOs are one flow, a connection is one in each direction, from a socket's
 * sends to its peer's receives. Bytes are joined by their place, whichever side's record is first.
 */
#include <stdlib.h>

#include "pair_internal.h"
#include "pair_urgent.h"

static bool is_pipe(const struct viz_channel *channel)
{
	return mechanism_info(channel->mechanism)->direction == DIRECTION_ONE_WAY;
}

static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	bool urgent = !is_pipe(traffic->channel) && pair_is_urgent(op);
	struct flow_item item = pair_item(op);
	struct flow_side *side = send ? &traffic->sends : &traffic->receives;

	if (traffic->channel->mechanism == MECH_PTY)
		return; /* pair_add_operation() keeps it */
	if (is_pipe(traffic->channel) && pair_packet_take(traffic, op, send)) {
		if (!send && pair_is_end(op))
			pair_add_eof(context, op);
		return;
	}
	item.amount = item.bytes = pair_stream_bytes(op);
	item.urgent = urgent;
	traffic->has_urgent |= urgent;
	if (urgent && !send)
		side = &traffic->urgent;
	if (item.amount)
		pair_side_add(side, &item);
	else if (op->returned > 0 && send) /* nobody can tell how much it moved */
		traffic->send_doubt = true;
	else if (op->returned > 0)
		traffic->receive_doubt = true;
	if (item.amount && is_pipe(traffic->channel))
		pair_content_add(traffic, &item, send);
	if (!send && pair_is_end(op))
		pair_add_eof(context, op);
}

/*
 * A channel that was there before tracing may hold what nobody here has sent. It was empty if its
 * first receive was found asleep, before anybody began to send.
 */
bool pair_starts_empty(const struct flow *flow)
{
	const struct viz_operation *first = NULL;

	for (size_t i = 0; i < flow->receives.count; i++)
		if (!first || flow->receives.items[i].enter_ns < first->enter_ns)
			first = flow->receives.items[i].op;
	if (!first || !viz_has(first, entered_before) || !first->began)
		return false;
	for (size_t i = 0; i < flow->sends.count; i++)
		if (flow->sends.items[i].enter_ns <= first->began_ns)
			return false;
	return true;
}

static void note_beginning(struct channel_traffic *receiver, const struct flow *flow)
{
	if (receiver->begun || !flow->receives.count)
		return;
	receiver->begun = true;
	receiver->begins_empty = pair_starts_empty(flow);
}

/* One direction: from the sends of one to the receives of another; of a pipe, both are the same. */
struct ends {
	struct channel_traffic *sender;	  /* NULL: not in the trace */
	struct channel_traffic *receiver; /* the same */
};

static struct flow begin_flow(struct pair_context *context, const struct ends *ends)
{
	struct channel_traffic *sender = ends->sender, *receiver = ends->receiver;
	struct flow flow = {.until_ns = context->until_ns, .open_receive_ns = VIZ_NEVER};

	flow.payloads = true;
	if (sender) {
		if (pair_is_last(context) || sender->open_sends.count)
			pair_open_sends(&sender->sends, &sender->open_sends, sender->packets);
		flow.sends = sender->sends;
		flow.sent = sender->sent_bytes;
		flow.doubt |= sender->send_doubt;
		flow.unordered |= sender->unordered;
	}
	if (receiver) {
		flow.receives = receiver->receives;
		flow.foreign = receiver->foreign;
		flow.base = receiver->base;
		flow.placed_ns = receiver->placed_ns;
		flow.gone_to = receiver->gone_to;
		flow.unknown_ns = receiver->unknown_ns;
		flow.doubt |= receiver->receive_doubt;
		flow.unordered |= receiver->unordered;
		if (!pair_is_last(context))
			flow.open_receive_ns = pair_first_enter(&receiver->open_receives);
		note_beginning(receiver, &flow);
	}
	return flow;
}

static void end_flow(const struct ends *ends, struct flow *flow)
{
	struct channel_traffic *sender = ends->sender, *receiver = ends->receiver;

	if (sender) {
		sender->sends = flow->sends;
		sender->send_doubt = flow->doubt;
		sender->sent_bytes = flow->sent;
		pair_close_open(&sender->sends);
	}
	if (receiver) {
		receiver->receives = flow->receives;
		receiver->receive_doubt = flow->doubt;
		receiver->foreign = flow->foreign;
		receiver->base = flow->base;
		receiver->placed_ns = flow->placed_ns;
		receiver->gone_to = flow->gone_to;
		receiver->unknown_ns = flow->unknown_ns;
	}
}

static void settle_pipe(struct pair_context *context, struct channel_traffic *traffic)
{
	struct ends ends = {traffic, traffic};
	struct pair_route route = {.mechanism = traffic->channel->mechanism,
				   .channel = traffic->channel};
	struct flow flow;

	pair_content_check(context, traffic);
	flow = begin_flow(context, &ends);
	flow.whole = traffic->packets && !traffic->bytes;
	route.whole = flow.whole;
	route.placed = !(traffic->packets && traffic->bytes) && !traffic->transfers;
	route.counted = !traffic->packets;
	if (traffic->packets && traffic->bytes)
		flow.doubt = true; /* plain bytes between packets */
	if (flow.whole)
		flow.doubt |= traffic->channel->found;
	else if (traffic->content == CONTENT_CONTRADICTS ||
		 (traffic->content == CONTENT_UNKNOWN && traffic->channel->found &&
		  !traffic->begins_empty))
		flow.doubt = true;
	route.outside = !traffic->channel->created_in_trace && !traffic->received &&
			!pair_ever_held(traffic->channel, ACCESS_READ);
	pair_flow(context, &flow, &route);
	end_flow(&ends, &flow);
}

/* The first `certain` urgent sends have their last byte elsewhere; what follows has no place. */
static void mark_urgent(struct flow_side *sends, size_t certain)
{
	bool doubt = false;

	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item *item = &sends->items[i];

		doubt |= item->urgent && certain == 0;
		item->doubt |= doubt;
		if (!item->urgent || doubt)
			continue;
		certain--;
		item->bytes = --item->amount;
	}
}

static bool has_urgent(const struct ends *ends)
{
	return (ends->sender && ends->sender->has_urgent) ||
	       (ends->receiver && ends->receiver->urgent.count);
}

static bool is_urgent_known(const struct ends *ends)
{
	return ends->sender && ends->receiver &&
	       pair_urgent_is_known(&ends->sender->sends, ends->receiver);
}

/* Takes the urgent bytes out of the stream. */
static void settle_urgent(struct pair_context *context, const struct ends *ends, struct flow *flow,
			  struct pair_route *route)
{
	struct channel_traffic *receiver = ends->receiver;

	if (!has_urgent(ends))
		return;
	flow->urgent = true;
	route->placed &= is_urgent_known(ends);
	if (pair_stays_inline(&flow->sends, receiver))
		return;
	if (is_urgent_known(ends)) {
		receiver->urgent_known = true;
		pair_urgent_known(context, route, flow, &receiver->urgent);
		return;
	}
	flow->doubt |= receiver && receiver->urgent_known;
	mark_urgent(&flow->sends,
		    pair_urgent(context, route, flow, receiver ? &receiver->urgent : NULL));
}

static void settle_direction(struct pair_context *context, struct channel_traffic *sender,
			     struct channel_traffic *receiver)
{
	const struct channel_traffic *traffic = receiver ? receiver : sender;
	struct pair_route route = {.mechanism = traffic->channel->mechanism,
				   .channel = traffic->channel};
	struct ends ends = {sender, receiver};
	struct flow flow;

	if (!pair_is_last(context) && has_urgent(&ends) && !is_urgent_known(&ends))
		return;
	flow = begin_flow(context, &ends);
	route.placed = sender && receiver && route.mechanism == MECH_TCP;
	route.outside = !receiver || (!receiver->received && !receiver->channel->created_in_trace &&
				      !pair_ever_held(receiver->channel, ACCESS_BOTH));
	if (route.outside && sender)
		route.channel = sender->channel;
	settle_urgent(context, &ends, &flow, &route);
	if (((sender && sender->channel->found) || (receiver && receiver->channel->found)) &&
	    !(receiver && receiver->begins_empty))
		flow.doubt = true;
	pair_flow(context, &flow, &route);
	end_flow(&ends, &flow);
}

static void settle(struct pair_context *context, struct channel_traffic *traffic)
{
	struct channel_traffic *peer;

	if (is_pipe(traffic->channel)) {
		settle_pipe(context, traffic);
		return;
	}
	if (traffic->channel->mechanism == MECH_PTY) {
		if (pair_is_last(context))
			pair_terminal(context, traffic);
		return;
	}
	peer = traffic->peer ? pair_traffic(context, traffic->peer) : NULL;
	if (peer || pair_is_last(context))
		settle_direction(context, traffic, peer);
	if (peer && !pair_is_last(context)) /* else it has its own turn */
		settle_direction(context, peer, traffic);
	else if (!peer)
		settle_direction(context, NULL, traffic);
}

const struct pair_policy pair_stream_policy = {take, settle};
