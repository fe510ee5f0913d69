// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Streams: a pipe or FIFO is one flow; a connection is one in each direction, from a socket's sends
 * to its peer's receives. Bytes are matched by their place, whichever side's record comes first.
 */

#include "viz/pair/peer/peers.h"
#include "viz/pair/policy/urgent.h"

static bool is_pipe(const struct viz_channel *channel)
{
	return mechanism_info(channel->mechanism)->direction == DIRECTION_ONE_WAY;
}

static void note_use(struct pipe_size *size, const struct viz_operation *op)
{
	if (!size->used_ns || op->enter_ns < size->used_ns)
		size->used_ns = op->enter_ns;
}

void pair_note_resize(struct pair_context *context, const struct viz_operation *op)
{
	enum { F_SETPIPE_SZ = 1031 }; /* linux/fcntl.h */
	struct pipe_size *size;
	int64_t command;

	if (op->role != ROLE_CONTROL || !channel_is_pipe(op->channel) || op->returned < 0 ||
	    !viz_operation_argument(op, "cmd", &command) || command != F_SETPIPE_SZ)
		return;
	size = &pair_traffic(context, op->channel)->size;
	if (op->exit_ns > size->resized_ns)
		size->resized_ns = op->exit_ns;
}

/* How many bytes it took is in the caller's memory alone: it may have been all that is unread. */
void pair_note_zerocopy(struct pair_context *context, const struct viz_operation *op)
{
	struct channel_traffic *traffic;

	if (op->role != ROLE_CONTROL || !op->channel || viz_operation_failed(op) ||
	    !viz_bytes_equal(op->extra->option, viz_bytes_of("TCP_ZEROCOPY_RECEIVE")))
		return;
	traffic = pair_traffic(context, op->channel);
	if (op->exit_ns > traffic->stream.unknown_ns)
		traffic->stream.unknown_ns = op->exit_ns;
}

/*
 * True if the size of the pipe was changed once it had been used. The kernel then numbers the slots
 * anew, from the first filled one (pipe_resize_ring() in fs/pipe.c), and how many fitted before is
 * not in the trace.
 */
static bool is_renumbered(const struct channel_traffic *traffic)
{
	return traffic->size.resized_ns &&
	       (traffic->channel->found ||
		(traffic->size.used_ns && traffic->size.used_ns < traffic->size.resized_ns));
}

static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	bool urgent = !is_pipe(traffic->channel) && pair_is_urgent(op);
	struct flow_item item = pair_item(op);
	struct flow_side *side = send ? &traffic->sends : &traffic->receives;

	if (traffic->channel->mechanism == MECH_PTY)
		return; /* pair_add_operation() keeps it for pair_terminal() */
	if (is_pipe(traffic->channel) && operation_stream_bytes(op))
		note_use(&traffic->size, op);
	if (is_pipe(traffic->channel) && pair_packet_take(context, traffic, op, send)) {
		if (!send && operation_is_end(op))
			pair_add_eof(context, op);
		return;
	}
	item.amount = item.bytes = operation_stream_bytes(op);
	item.urgent = urgent;
	traffic->urgent.sent |= urgent;
	if (urgent && !send)
		side = &traffic->urgent.receives;
	if (item.amount)
		pair_side_add(side, &item);
	else if (!operation_bytes_known(op) && send)
		traffic->send_ambiguous = true;
	else if (!operation_bytes_known(op))
		traffic->receive_ambiguous = true;
	if (item.amount && is_pipe(traffic->channel))
		pair_content_add(traffic, &item, send);
	if (!send && operation_is_end(op))
		pair_add_eof(context, op);
}

static void note_beginning(struct channel_traffic *receiver, const struct flow *flow)
{
	if (receiver->beginning != BEGINNING_UNDECIDED || !flow->receives.count)
		return;
	receiver->beginning = pair_starts_empty(flow) || pair_stock_is_empty(receiver, flow)
				      ? BEGINS_EMPTY
				      : BEGINNING_UNKNOWN;
}

/* One direction, from sender to receiver; for a pipe, both are the same channel. */
struct ends {
	struct channel_traffic *sender;	  /* NULL: not in the trace */
	struct channel_traffic *receiver; /* NULL: not in the trace */
};

static uint64_t first_open_part(const struct operation_list *open)
{
	uint64_t first_ns = VIZ_NEVER;

	for (size_t i = 0; i < open->count; i++)
		if (operation_waits_for_all(open->items[i]) && open->items[i]->enter_ns < first_ns)
			first_ns = open->items[i]->enter_ns;
	return first_ns;
}

static struct flow begin_flow(struct pair_context *context, const struct ends *ends)
{
	struct channel_traffic *sender = ends->sender, *receiver = ends->receiver;
	struct flow flow = {.until_ns = context->until_ns,
			    .open_receive_ns = VIZ_NEVER,
			    .open_part_ns = VIZ_NEVER};

	flow.payloads = true;
	if (sender) {
		if (pair_is_last(context) || sender->open_sends.count)
			pair_open_sends(&sender->sends, &sender->open_sends, sender->pipe.packets);
		flow.sends = sender->sends;
		flow.sent = sender->sent_bytes;
		flow.ambiguous |= sender->send_ambiguous;
		flow.unordered |= sender->unordered;
	}
	if (receiver) {
		flow.receives = receiver->receives;
		flow.foreign = receiver->foreign;
		flow.stream = receiver->stream;
		flow.ambiguous |= receiver->receive_ambiguous;
		flow.unordered |= receiver->unordered;
		if (!pair_is_last(context)) {
			flow.open_receive_ns = pair_first_enter(&receiver->open_receives);
			flow.open_part_ns = first_open_part(&receiver->open_receives);
		}
		note_beginning(receiver, &flow);
	}
	return flow;
}

static void end_flow(const struct ends *ends, struct flow *flow)
{
	struct channel_traffic *sender = ends->sender, *receiver = ends->receiver;

	if (sender) {
		sender->sends = flow->sends;
		sender->send_ambiguous = flow->ambiguous;
		sender->sent_bytes = flow->sent;
		pair_close_open(&sender->sends);
	}
	if (receiver) {
		receiver->receives = flow->receives;
		receiver->receive_ambiguous = flow->ambiguous;
		receiver->foreign = flow->foreign;
		receiver->stream = flow->stream;
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
	flow.whole = traffic->pipe.packets && !traffic->pipe.bytes && !traffic->pipe.transfers;
	flow.packets = traffic->pipe.packets && !flow.whole;
	flow.merges = traffic->pipe.moved_in;
	route.whole = flow.whole;
	flow.renumbered = is_renumbered(traffic);
	route.placed = !(traffic->pipe.packets && traffic->pipe.bytes) && !flow.renumbered;
	if (traffic->pipe.packets && traffic->pipe.bytes)
		flow.ambiguous = true; /* packets and plain bytes are mixed */
	if (flow.whole || flow.packets)
		flow.ambiguous |= traffic->channel->found;
	else if (traffic->content.verdict == CONTENT_CONTRADICTS ||
		 (traffic->content.verdict == CONTENT_UNKNOWN && traffic->channel->found &&
		  traffic->beginning != BEGINS_EMPTY))
		flow.ambiguous = true;
	route.outside = !traffic->channel->created_in_trace && !traffic->received &&
			!pair_ever_held(traffic->channel, ACCESS_READ);
	pair_flow(context, &flow, &route);
	end_flow(&ends, &flow);
}

/*
 * Removes the last byte of the first `certain` urgent sends, which is elsewhere. No place from the
 * next urgent send on is exact.
 */
static void mark_urgent(struct flow_side *sends, size_t certain)
{
	bool ambiguous = false;

	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item *item = &sends->items[i];

		ambiguous |= item->urgent && certain == 0;
		item->ambiguous |= ambiguous;
		if (!item->urgent || ambiguous)
			continue;
		certain--;
		item->bytes = --item->amount;
	}
}

static bool has_urgent(const struct ends *ends)
{
	return (ends->sender && ends->sender->urgent.sent) ||
	       (ends->receiver && ends->receiver->urgent.receives.count);
}

static bool is_urgent_known(const struct ends *ends)
{
	return ends->sender && ends->receiver &&
	       pair_urgent_is_known(&ends->sender->sends, ends->receiver);
}

/* Takes the urgent bytes out of the stream, and adds their messages. */
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
		receiver->urgent.paired = true;
		pair_urgent_known(context, route, flow, &receiver->urgent.receives);
		return;
	}
	flow->ambiguous |= receiver && receiver->urgent.paired;
	mark_urgent(&flow->sends, pair_urgent(context, route, flow,
					      receiver ? &receiver->urgent.receives : NULL));
}

static bool is_again(const struct channel_traffic *traffic)
{
	return traffic && traffic->tcp.again;
}

/* What is not received goes to a socket of the trace, outside, or waits to be accepted. */
static void find_destination(struct pair_context *context, const struct ends *ends,
			     struct flow *flow, struct pair_route *route)
{
	const struct channel_traffic *receiver = ends->receiver;

	route->outside = !receiver ||
			 (!receiver->received && !receiver->channel->created_in_trace &&
			  !pair_ever_held(receiver->channel, ACCESS_BOTH));
	if (!route->outside || !ends->sender)
		return;
	route->channel = ends->sender->channel;
	pair_route_unaccepted(context, ends->sender, flow, route);
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
	if (is_again(sender) || is_again(receiver)) {
		flow.ambiguous = true;
		route.placed = false;
	}
	find_destination(context, &ends, &flow, &route);
	settle_urgent(context, &ends, &flow, &route);
	if (((sender && sender->channel->found) || (receiver && receiver->channel->found)) &&
	    !(receiver && receiver->beginning == BEGINS_EMPTY))
		flow.ambiguous = true;
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
	if (peer && !pair_is_last(context)) /* at the end, settle() of the peer does it */
		settle_direction(context, peer, traffic);
	else if (!peer)
		settle_direction(context, NULL, traffic);
}

const struct pair_policy pair_stream_policy = {take, settle};
