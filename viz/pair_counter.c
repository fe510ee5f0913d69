// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counters (eventfd): a write adds its number, a read takes the sum of all since the last one, or
 * 1 in semaphore mode. Joined like a stream whose unit is 1 of the counter, so a read meets the
 * writes whose numbers it took.
 */
#include "pair_internal.h"

#define VALUE_LEN 8

/* The number written or read; false where the payload was not kept. Little-endian, as our hosts. */
static bool value_of(const struct viz_operation *op, uint64_t *value)
{
	if (op->payload.len < VALUE_LEN)
		return false;
	*value = 0;
	for (size_t i = VALUE_LEN; i > 0; i--)
		*value = *value << 8 | (unsigned char)op->payload.data[i - 1];
	return true;
}

static bool add_value(struct pair_context *context, struct flow_side *side,
		      const struct viz_operation *op)
{
	struct flow_item item = pair_item(op);
	bool known = value_of(op, &item.amount);

	if (item.open || op->returned != VALUE_LEN)
		return true;
	if (!known)
		item.amount = 1;
	item.bytes = VALUE_LEN;
	if (item.amount)
		flow_add(context->arena, side, &item);
	return known;
}

/* What the counter held from its birth stands before all writes, and came from its maker. */
static void add_initial(struct pair_context *context, struct flow *flow,
			const struct viz_channel *channel)
{
	const struct viz_operation *maker = channel->holding_count ? channel->holdings[0]->start_op
								   : NULL;
	struct flow_item item;
	int64_t value;

	if (!maker || !viz_operation_argument(maker, "initval", &value) || value <= 0)
		return;
	item = pair_item(maker);
	item.amount = (uint64_t)value;
	item.bytes = VALUE_LEN;
	flow_add(context->arena, &flow->sends, &item);
}

static void pair_counter(struct pair_context *context, const struct viz_channel *channel)
{
	const struct channel_traffic *traffic = pair_traffic(context, channel);
	struct pair_route route = {
		.mechanism = channel->mechanism, .channel = channel, .values = true};
	struct flow flow = {0};

	add_initial(context, &flow, channel);
	for (size_t i = 0; i < traffic->sends.count; i++)
		flow.doubt |= !add_value(context, &flow.sends, traffic->sends.items[i]);
	for (size_t i = 0; i < traffic->receives.count; i++)
		flow.doubt |= !add_value(context, &flow.receives, traffic->receives.items[i]);
	pair_flow(context, &flow, &route);
}

void pair_counters(struct pair_context *context)
{
	const struct viz_model *model = context->model;

	for (size_t i = 0; i < model->channel_count; i++)
		if (pair_policy(model->channels[i]) == POLICY_COUNTER)
			pair_counter(context, model->channels[i]);
}
