// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Streams: pipes and FIFOs are one flow, a connection is one in each direction, from a socket's
 * sends to its peer's receives. Bytes are joined by their place, whichever side's record is first.
 */
#include <stdlib.h>

#include "pair_internal.h"

/* An operation that begins within this time after a sample may have moved bytes before it. */
#define SAMPLE_NS 1000000

/* What a call says of the channel's content, taken just after its end. */
struct sample {
	uint64_t at_ns;
	uint64_t queued;
};

/* false where nobody can tell how much it moved. */
static bool add_bytes(struct pair_context *context, struct flow_side *side,
		      const struct viz_operation *op)
{
	struct flow_item item = pair_item(op);

	item.amount = item.open ? 0 : pair_stream_bytes(op);
	item.bytes = item.amount;
	if (item.open || item.amount)
		flow_add(context->arena, side, &item);
	else if (op->returned > 0)
		return false;
	return true;
}

/*
 * Of sockets the first `certain` urgent sends have their last byte elsewhere. What comes from a
 * further one on has no certain place.
 */
static void add_sends(struct pair_context *context, struct flow *flow,
		      const struct operation_list *sends, size_t certain, bool sockets)
{
	struct flow_side *side = &flow->sends;
	bool doubt = false;

	for (size_t i = 0; sends && i < sends->count; i++) {
		const struct viz_operation *op = sends->items[i];
		bool urgent = sockets && pair_sends_urgent(op);
		size_t before = side->count;

		flow->doubt |= !add_bytes(context, side, op);
		doubt |= urgent && certain == 0;
		if (side->count == before)
			continue;
		side->items[before].doubt = doubt;
		if (!urgent || doubt)
			continue;
		certain--;
		side->items[before].bytes = --side->items[before].amount;
	}
}

static void add_receives(struct pair_context *context, struct flow *flow,
			 const struct operation_list *receives, bool sockets)
{
	for (size_t i = 0; receives && i < receives->count; i++) {
		const struct viz_operation *op = receives->items[i];

		if (sockets && pair_takes_urgent(op))
			continue;
		flow->doubt |= !add_bytes(context, &flow->receives, op);
		if (pair_is_end(op))
			pair_add_eof(context, op);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int compare_exits(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	return (x->exit_ns > y->exit_ns) - (x->exit_ns < y->exit_ns);
}

/* All items by exit, the amounts of receives counted negative (modulo 2^64). */
static struct flow_item *merge_sides(struct arena *arena, const struct flow *flow, size_t *count)
{
	struct flow_item *items;

	*count = flow->sends.count + flow->receives.count;
	items = arena_array(arena, *count + 1, sizeof(*items));
	for (size_t i = 0; i < flow->sends.count; i++)
		items[i] = flow->sends.items[i];
	for (size_t i = 0; i < flow->receives.count; i++) {
		struct flow_item *item = &items[flow->sends.count + i];

		*item = flow->receives.items[i];
		item->amount = 0 - item->amount;
	}
	if (*count)
		qsort(items, *count, sizeof(*items), compare_exits);
	return items;
}

static uint64_t *sort_enters(struct arena *arena, const struct flow_item *items, size_t count)
{
	uint64_t *enters = arena_array(arena, count + 1, sizeof(*enters));

	for (size_t i = 0; i < count; i++)
		enters[i] = items[i].enter_ns;
	if (count)
		qsort(enters, count, sizeof(*enters), compare_numbers);
	return enters;
}

/*
 * Whenever no call is under way, what lies in a pipe is what went in less what came out. If the
 * kernel counted something else, bytes have moved that we did not see (splice, a process outside
 * the trace): then no place in the flow is certain.
 */
enum content { CONTENT_UNKNOWN, CONTENT_AGREES, CONTENT_CONTRADICTS };

static enum content content_check(struct pair_context *context, const struct flow *flow,
				  const struct viz_channel *channel)
{
	enum content result = CONTENT_UNKNOWN;
	size_t count, begun = 0;
	const struct flow_item *items = merge_sides(context->arena, flow, &count);
	const uint64_t *enters = sort_enters(context->arena, items, count);
	uint64_t content = 0;

	for (size_t i = 0; i < count && !items[i].open; i++) {
		const struct viz_operation *op = items[i].op;

		content += items[i].amount;
		while (begun < count && enters[begun] < items[i].exit_ns + SAMPLE_NS)
			begun++;
		if (begun != i + 1 || op->channel != channel || !viz_has(op, queued))
			continue;
		if (op->queued != content)
			return CONTENT_CONTRADICTS;
		result = CONTENT_AGREES;
	}
	return result;
}

/*
 * A channel that was there before tracing may hold what nobody here has sent. It was empty if its
 * first receive was found asleep, before anybody began to send.
 */
bool pair_starts_empty(const struct flow *flow)
{
	const struct flow_side *sends = &flow->sends, *receives = &flow->receives;
	const struct viz_operation *first;

	if (receives->count == 0)
		return false;
	first = receives->items[0].op;
	if (!viz_has(first, entered_before) || !first->began)
		return false;
	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i].enter_ns <= first->began_ns)
			return false;
	return true;
}

static void pair_pipe(struct pair_context *context, const struct viz_channel *channel)
{
	const struct channel_traffic *traffic = pair_traffic(context, channel);
	struct pair_route route = {.mechanism = channel->mechanism, .channel = channel};
	struct flow flow = {0};
	enum content content;

	route.outside = !channel->created_in_trace && traffic->receives.count == 0 &&
			!pair_ever_held(channel, ACCESS_READ);
	if (pair_packets(context, channel, &route))
		return;
	flow.payloads = true;
	add_sends(context, &flow, &traffic->sends, 0, false);
	add_receives(context, &flow, &traffic->receives, false);
	content = content_check(context, &flow, channel);
	if (content == CONTENT_CONTRADICTS ||
	    (content == CONTENT_UNKNOWN && channel->found && !pair_starts_empty(&flow)))
		flow.doubt = true;
	flow.doubt |= pair_any_packet(&traffic->sends); /* with plain bytes between them */
	pair_flow(context, &flow, &route);
}

/* From a socket's sends to its peer's receives; either may be NULL. */
static void pair_direction(struct pair_context *context, const struct viz_channel *sender,
			   const struct viz_channel *receiver)
{
	const struct operation_list *sends = sender ? &pair_traffic(context, sender)->sends : NULL;
	const struct operation_list *receives = receiver
							? &pair_traffic(context, receiver)->receives
							: NULL;
	const struct viz_channel *channel = receiver ? receiver : sender;
	struct pair_route route = {.mechanism = channel->mechanism, .channel = channel};
	struct flow flow = {0};

	route.outside = !receiver || (receives->count == 0 && !receiver->created_in_trace &&
				      !pair_ever_held(receiver, ACCESS_BOTH));
	if (route.outside && sender)
		route.channel = sender;
	flow.payloads = true;
	add_sends(context, &flow, sends, pair_urgent(context, &route, sends, receives), true);
	add_receives(context, &flow, receives, true);
	if (((sender && sender->found) || (receiver && receiver->found)) &&
	    !pair_starts_empty(&flow))
		flow.doubt = true;
	pair_flow(context, &flow, &route);
}

void pair_streams(struct pair_context *context)
{
	const struct viz_model *model = context->model;

	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *channel = model->channels[i];
		const struct viz_channel *peer = context->traffic[i].peer;

		if (pair_policy(channel) != POLICY_STREAM || channel->mechanism == MECH_PTY)
			continue;
		if (mechanism_info(channel->mechanism)->direction == DIRECTION_ONE_WAY) {
			pair_pipe(context, channel);
			continue;
		}
		pair_direction(context, channel, peer);
		if (!peer)
			pair_direction(context, NULL, channel);
	}
}
