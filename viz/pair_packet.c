// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pipes in packet mode (O_DIRECT, pipe(2)): a write is cut into packets of a page, a read takes one
 * packet, and what does not fit its buffer is lost (fs/pipe.c, PIPE_BUF_FLAG_PACKET).
 */
#include "pair_internal.h"

#define PACKET_LEN 4096
#define PIPE_LEN 65536	       /* where the trace has no capacity */
#define PIPE_LEN_MAX (1 << 28) /* for hostile traces; the kernel allows 2^31 to root */

bool pair_any_packet(const struct operation_list *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i]->packets)
			return true;
	return false;
}

/* Written without O_DIRECT, or put there by splice(2): bytes that join what lies before them. */
static bool all_packets(const struct channel_traffic *traffic)
{
	for (size_t i = 0; i < traffic->sends.count; i++) {
		const struct viz_operation *op = traffic->sends.items[i];

		if (!op->packets && (!viz_operation_done(op) || pair_stream_bytes(op)))
			return false;
	}
	for (size_t i = 0; i < traffic->receives.count; i++)
		if (traffic->receives.items[i]->role == ROLE_TRANSFER)
			return false; /* it may take a part of a packet and leave the rest */
	return true;
}

/* `room`: how many more packets there can be, as many as were read or lie in the pipe. */
static bool add_sent(struct pair_context *context, struct flow_side *side,
		     const struct viz_operation *op, uint64_t *room)
{
	struct flow_item item = pair_item(op);
	uint64_t left = pair_stream_bytes(op);

	if (item.open) {
		item.bytes = op->requested < PACKET_LEN ? op->requested : PACKET_LEN;
		flow_add(context->arena, side, &item);
		return true;
	}
	for (item.amount = 1; left; left -= item.bytes) {
		item.bytes = left < PACKET_LEN || !*room ? left : PACKET_LEN;
		flow_add(context->arena, side, &item);
		item.local += item.bytes;
		item.message++;
		*room -= *room > 0;
	}
	return *room > 0;
}

static void add_received(struct pair_context *context, struct flow_side *side,
			 const struct viz_operation *op)
{
	struct flow_item item = pair_item(op);

	item.bytes = pair_stream_bytes(op);
	item.amount = 1;
	if (item.bytes)
		flow_add(context->arena, side, &item);
	if (pair_is_end(op))
		pair_add_eof(context, op);
}

static uint64_t most_packets(const struct viz_channel *channel,
			     const struct channel_traffic *traffic)
{
	uint64_t len = channel->capacity ? channel->capacity : PIPE_LEN;

	if (len > PIPE_LEN_MAX)
		len = PIPE_LEN_MAX;
	return traffic->receives.count + len / PACKET_LEN + 1;
}

bool pair_packets(struct pair_context *context, const struct viz_channel *channel,
		  const struct pair_route *route)
{
	const struct channel_traffic *traffic = pair_traffic(context, channel);
	struct flow flow = {.whole = true, .payloads = true, .doubt = channel->found};
	uint64_t room = most_packets(channel, traffic);

	if (!pair_any_packet(&traffic->sends) || !all_packets(traffic))
		return false;
	for (size_t i = 0; i < traffic->sends.count; i++)
		flow.doubt |= !add_sent(context, &flow.sends, traffic->sends.items[i], &room);
	for (size_t i = 0; i < traffic->receives.count; i++)
		add_received(context, &flow.receives, traffic->receives.items[i]);
	pair_flow(context, &flow, route);
	return true;
}
