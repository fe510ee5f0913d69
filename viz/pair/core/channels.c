// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The traffic of each channel, and the list of channels that the next round has to look at. */

#include "viz/pair/core/udp_cork.h"

struct channel_traffic *pair_traffic(struct pair_context *context,
				     const struct viz_channel *channel)
{
	struct traffic_list *list = &context->traffic;

	while (list->count <= channel->index)
		LIST_PUSH(list, NULL);
	if (!list->items[channel->index]) {
		list->items[channel->index] = memory_new(sizeof(struct channel_traffic));
		list->items[channel->index]->channel = (struct viz_channel *)channel;
	}
	return list->items[channel->index];
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
