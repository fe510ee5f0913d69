// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counters (eventfd): a write adds its number; a read takes the sum of all writes since the last
 * read, or 1 in semaphore mode. Matched by the counts that the kernel reports (eventfd_events.h;
 * eventfd_semaphore.h where calls are missing), else like a stream whose unit is 1 of the counter,
 * so that a read meets the writes whose numbers it took.
 */
#include "viz/pair/policy/eventfd_events.h"
#include "viz/pair/policy/eventfd_semaphore.h"

#define VALUE_LEN 8

/*
 * Sets the number written or read; false if the payload is not in the trace. Little-endian, as on
 * all supported hosts.
 */
static bool value_of(const struct viz_operation *op, uint64_t *value)
{
	if (op->payload.len < VALUE_LEN)
		return false;
	*value = 0;
	for (size_t i = VALUE_LEN; i > 0; i--)
		*value = *value << 8 | (unsigned char)op->payload.data[i - 1];
	return true;
}

static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	struct flow_item item = pair_item(op);
	bool known = value_of(op, &item.amount);

	(void)context;
	if (op->returned != VALUE_LEN)
		return;
	if (!known) {
		item.amount = 1;
		traffic->send_ambiguous = true;
	}
	item.bytes = VALUE_LEN;
	if (item.amount)
		pair_side_add(send ? &traffic->sends : &traffic->receives, &item);
}

/*
 * Adds the counter's initial value as a send before all writes. It is done when the call is read,
 * as a descriptor that was closed has forgotten by whom it was made.
 */
void pair_note_counter(struct pair_context *context, const struct viz_operation *op)
{
	const struct viz_channel *channel = op->extra->new_fds_count ? op->extra->new_fds[0].channel
								     : NULL;
	struct channel_traffic *traffic;
	struct flow_item item;
	int64_t value;

	if (!channel || channel->mechanism != MECH_EVENTFD || op->role != ROLE_OPEN ||
	    !viz_operation_argument(op, "initval", &value))
		return;
	traffic = pair_traffic(context, channel);
	if (traffic->counter.initial_taken)
		return;
	traffic->counter.initial_taken = true;
	traffic->counter.known = true;
	if (value <= 0)
		return;
	item = pair_item(op);
	item.amount = (uint64_t)value;
	item.bytes = VALUE_LEN;
	pair_side_add(&traffic->sends, &item);
}

static void settle_in_order(struct pair_context *context, struct channel_traffic *traffic,
			    struct flow *flow, const struct pair_route *route)
{
	if (!pair_is_last(context)) {
		pair_open_sends(&flow->sends, &traffic->open_sends, false);
		flow->open_receive_ns = pair_first_enter(&traffic->open_receives);
	}
	pair_flow(context, flow, route);
	pair_close_open(&flow->sends);
}

static void settle(struct pair_context *context, struct channel_traffic *traffic)
{
	struct pair_route route = {.mechanism = traffic->channel->mechanism,
				   .channel = traffic->channel,
				   .values = true};
	struct flow flow;

	if (pair_match_counts(context, traffic, &route))
		return;
	flow = (struct flow){.until_ns = context->until_ns,
			     .open_receive_ns = VIZ_NEVER,
			     .ambiguous = traffic->send_ambiguous || traffic->receive_ambiguous,
			     .sent = traffic->sent_bytes,
			     .foreign = traffic->foreign};
	flow.sends = traffic->sends;
	flow.receives = traffic->receives;
	if (!pair_semaphore(context, traffic, &flow, &route))
		settle_in_order(context, traffic, &flow, &route);
	traffic->sends = flow.sends;
	traffic->receives = flow.receives;
	traffic->send_ambiguous = flow.ambiguous;
	traffic->sent_bytes = flow.sent;
	traffic->foreign = flow.foreign;
}

const struct pair_policy pair_counter_policy = {take, settle};
