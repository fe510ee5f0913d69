// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Matches a flow by the strongest evidence there is: buffers, positions, else order. */

#include "viz/model/builder.h"
#include "viz/pair/buffer/buffer_match.h"
#include "viz/pair/buffer/group_receipts.h"
#include "viz/pair/position/interleave.h"

static void add_piece(struct pair_context *context, const struct flow *flow,
		      const struct pair_route *route, const struct flow_piece *piece)
{
	const struct flow_item *send = piece->send, *receive = piece->receive;
	struct viz_message *message;

	if (!receive && send->op->role == ROLE_OPEN)
		return; /* a counter's initial value is no message until it is read */
	if (!receive && (send->open || send->terminal.echo))
		return; /* it is unknown whether it sent anything */
	if (!receive && send->datagram.copy && route->mechanism == MECH_UDP)
		return; /* it is unknown whether this socket is in the group */
	if (flow->whole)
		message = pair_add_whole(context, route, send, receive);
	else
		message = pair_add_part(context, route, piece);
	if (send && send->terminal.echo) {
		message->echo = viz_operation_use(send->op);
		message->from = (struct viz_end){0};
	}
	if (route->values)
		pair_set_number(message, send ? send->bytes : receive->bytes);
	if (!send && route->mechanism == MECH_UDP && context->several_networks)
		message->match = MATCH_AMBIGUOUS; /* maybe from another namespace, by NAT */
	if (flow->ambiguous || flow->tentative || flow_doubts(flow, piece) ||
	    (send && send->ambiguous) || (receive && receive->ambiguous))
		message->match = MATCH_AMBIGUOUS;
	if (!receive && send->enter_ns < flow->stream.unknown_ns)
		message->match = MATCH_AMBIGUOUS;
	if (!receive)
		message->fate = pair_fate_of_rest(context, route);
}

void pair_flow(struct pair_context *context, struct flow *flow, const struct pair_route *route)
{
	struct flow_piece *pieces;
	size_t count;

	if (flow->whole)
		pair_take_named(context, flow, route);
	else if (route->mechanism == MECH_UNIX_STREAM)
		pair_take_chunks(context, flow, route);
	if (flow->wait)
		return;
	flow->tentative |=
		flow->group; /* order is no evidence if some sends may not have come here */
	if (route->placed && pair_flow_placed(context, flow, route)) {
		pair_side_trim(context, &flow->sends, true);
		pair_side_trim(context, &flow->receives, true);
		return;
	}
	flow->ambiguous |= context->lost;
	flow->tentative |= !flow->renumbered && pair_order_contradicts(flow, route->mechanism);
	pieces = flow_join(context->round, flow, &count);
	for (size_t i = 0; i < count; i++)
		add_piece(context, flow, route, &pieces[i]);
	if (flow->group)
		pair_group_tentative(pair_traffic(context, route->channel), pieces, count);
	pair_side_trim(context, &flow->sends, !flow->whole && !route->values);
	pair_side_trim(context, &flow->receives, !flow->whole && !route->values);
}
