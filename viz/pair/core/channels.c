// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The traffic of each channel, and the list of channels that the next round has to look at. */

#include "viz/pair/core/udp_cork.h"

/* One that was put away has no calls any more, or a line of the trace came far too late. */
static void make(struct pair_context *context, const struct viz_channel *channel,
		 struct traffic_slot *slot)
{
	slot->traffic = memory_new(sizeof(*slot->traffic));
	slot->traffic->channel = (struct viz_channel *)channel;
	slot->traffic->peer = slot->peer;
	slot->traffic->socket.reported = slot->peer != NULL;
	if (!context->keep)
		LIST_PUSH(&context->resting, slot->traffic->channel);
}

struct channel_traffic *pair_traffic(struct pair_context *context,
				     const struct viz_channel *channel)
{
	struct traffic_slots *list = &context->traffic;

	while (list->count <= channel->index)
		LIST_PUSH(list, (struct traffic_slot){0});
	if (!list->items[channel->index].traffic)
		make(context, channel, &list->items[channel->index]);
	return list->items[channel->index].traffic;
}

bool pair_is_put_away(const struct pair_context *context, const struct viz_channel *channel)
{
	const struct traffic_slot *slot;

	if (channel->index >= context->traffic.count)
		return false;
	slot = &context->traffic.items[channel->index];
	return !slot->traffic && slot->peer;
}

void pair_list_busy(struct pair_context *context, struct channel_traffic *traffic)
{
	if (traffic->listed || !context->policies[pair_policy_of(traffic->channel)])
		return;
	traffic->listed = true;
	LIST_PUSH(&context->busy, traffic);
}

bool pair_ever_held(const struct viz_channel *channel, enum access access)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->access & access)
			return true;
	return false;
}

void pair_let_go(struct pair_context *context, const struct viz_operation *op)
{
	if (!context->keep)
		LIST_PUSH(&context->dropped, (struct viz_operation *)op);
}
