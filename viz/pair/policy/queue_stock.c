// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What lay in a queue when tracing of its processes began. That many messages are received before
 * any that was sent since; their senders are not in the trace.
 */
#include "viz/base/sorted_search.h"
#include "viz/pair/buffer/buffer_match.h"
#include "viz/pair/core/context.h"

/* True if the receive took nothing before `at_ns`: it began later, or slept until later. */
static bool took_later(const struct flow_item *receive, uint64_t at_ns)
{
	return receive->enter_ns >= at_ns || receive->op->resumed_ns > at_ns;
}

/*
 * True if the send put its message into the queue after `at_ns`: it began later, or it waited for
 * room until later. A send on a stream may have put parts of its bytes there before it slept.
 */
static bool sent_later(const struct flow *flow, const struct flow_item *send, uint64_t at_ns)
{
	uint64_t first;

	if (send->enter_ns >= at_ns)
		return true;
	if (!flow->whole)
		return false;
	if (!operation_is_single(send->op))
		return !send->open && viz_has(send->op, entered_before) &&
		       operation_numbers_from(send->op, &first) && send->message >= first;
	return send->open || send->op->resumed_ns > at_ns;
}

/* True if it is a message of a sendmmsg under way that lay in the queue at `at_ns`. */
static bool was_sent_earlier(const struct flow_item *send)
{
	return !send->open && send->message < operation_sent_earlier(send->op);
}

/* True if a send from before `at_ns` has yet to return: how it slept is known only then. */
static bool must_wait(struct pair_context *context, const struct flow *flow, uint64_t at_ns)
{
	for (size_t i = 0; !pair_is_last(context) && i < flow->sends.count; i++)
		if (flow->sends.items[i].open && flow->sends.items[i].enter_ns < at_ns)
			return true;
	return false;
}

/*
 * True if calls were under way when the queue was inspected: they may have moved messages before or
 * after that.
 */
static bool was_disturbed(const struct flow *flow, uint64_t at_ns)
{
	for (size_t i = 0; i < flow->sends.count; i++)
		if (!was_sent_earlier(&flow->sends.items[i]) &&
		    !sent_later(flow, &flow->sends.items[i], at_ns))
			return true;
	for (size_t i = 0; i < flow->receives.count; i++)
		if (!took_later(&flow->receives.items[i], at_ns))
			return true;
	return false;
}

bool pair_stock_is_empty(struct channel_traffic *traffic, const struct flow *flow)
{
	const struct viz_channel *channel = traffic->channel;

	return channel->stock_known && channel->stock == 0 &&
	       !was_disturbed(flow, channel->stock_ns);
}

static uint64_t enter_of(const void *items, size_t index)
{
	return ((const struct flow_item *)items)[index].enter_ns;
}

/* How many messages the call of the receive at index `at` took after this one. */
static size_t count_behind(const struct flow_side *receives, size_t at)
{
	size_t end = at + 1;

	while (end < receives->count && receives->items[end].op == receives->items[at].op)
		end++;
	return end - at - 1;
}

/*
 * How many receives, including this one at index `at`, may have taken a message before it or with
 * it. They are sorted by beginning; those before it have left.
 */
static size_t count_rank(const struct flow *flow, size_t at)
{
	const struct flow_side *side = &flow->receives;

	return search_beyond(side->items, at, side->count, enter_of, side->items[at].exit_ns) - at -
	       count_behind(side, at);
}

/*
 * The old messages that a call under way had sent, which are the last ones. `sure`: no other socket
 * can have sent any of these.
 */
struct earlier {
	size_t count;
	bool sure;
};

/* The receive took an old message: that of `send`; NULL: of a call that the trace does not have. */
static void pair_old(struct pair_context *context, const struct earlier *earlier,
		     const struct pair_route *route, const struct flow_item *send,
		     const struct flow_item *receive)
{
	struct viz_message *message = pair_add_whole(context, route, send, receive);

	if (context->lost || !earlier->sure)
		message->match = MATCH_AMBIGUOUS;
	pair_let_go(context, receive->op);
}

static size_t count_sent_earlier(const struct flow *flow)
{
	size_t count = 0;

	for (size_t i = 0; i < flow->sends.count; i++)
		count += was_sent_earlier(&flow->sends.items[i]);
	return count;
}

/* The first message, in order, that a call under way had sent already. */
static size_t first_sent_earlier(const struct flow *flow)
{
	size_t first = flow->sends.count;

	for (size_t i = 0; i < flow->sends.count; i++)
		if (was_sent_earlier(&flow->sends.items[i]) &&
		    (first == flow->sends.count ||
		     flow->sends.items[i].message < flow->sends.items[first].message))
			first = i;
	return first;
}

/*
 * False if others may have put messages between those of the call under way: it shares its socket,
 * or another call was under way, too.
 */
static bool sends_alone(const struct flow *flow, const struct flow_item *send)
{
	const struct viz_channel *socket = send->op->channel;

	for (size_t i = 0; i < flow->sends.count; i++)
		if (was_sent_earlier(&flow->sends.items[i]) && flow->sends.items[i].op != send->op)
			return false;
	return socket && socket->holding_count == 1 && !socket->outsider_count &&
	       send->op->process->thread_count == 1;
}

/*
 * Looks at the receives of what a call under way had sent. Of the messages of one recvmmsg the
 * kernel does not tell each sender. Sets flow->ambiguous where it was another, and flow->wait where
 * they are not known yet.
 */
static struct earlier look_at_earlier(struct pair_context *context, struct flow *flow,
				      uint64_t left)
{
	struct earlier earlier = {.count = count_sent_earlier(flow), .sure = true};
	const struct flow_side *receives = &flow->receives;
	const struct flow_item *send;

	flow->ambiguous |= earlier.count > left;
	if (!earlier.count || flow->ambiguous)
		return earlier;
	send = &flow->sends.items[first_sent_earlier(flow)];
	flow->wait |= receives->count < left && !pair_is_last(context);
	earlier.sure = receives->count >= left && sends_alone(flow, send);
	for (uint64_t i = left - earlier.count; i < left && i < receives->count; i++) {
		const struct viz_operation *receive = receives->items[i].op;

		flow->ambiguous |= operation_is_single(receive) &&
				   receive->from != send->op->channel;
		earlier.sure &= operation_is_single(receive);
	}
	return earlier;
}

/* The receive took what a call under way had sent before tracing found it. */
static void pair_earlier(struct pair_context *context, struct flow *flow,
			 const struct earlier *earlier, const struct pair_route *route,
			 const struct flow_item *receive)
{
	size_t at = first_sent_earlier(flow);
	struct flow_item send = flow->sends.items[at];

	pair_old(context, earlier, route, &send, receive);
	flow->sends.count--;
	memmove(flow->sends.items + at, flow->sends.items + at + 1,
		(flow->sends.count - at) * sizeof(send));
	pair_let_go(context, send.op);
}

/*
 * Takes the receive at `at`, the next one, if it certainly took an old message. False if that is
 * unknown (flow->ambiguous), or not known yet (flow->wait).
 */
static bool take_old(struct pair_context *context, struct channel_traffic *traffic,
		     struct flow *flow, const struct earlier *earlier,
		     const struct pair_route *route, size_t at)
{
	const struct flow_item *receive = at < flow->receives.count ? &flow->receives.items[at]
								    : NULL;

	if (!receive || receive->exit_ns >= flow->until_ns ||
	    flow->open_receive_ns <= receive->exit_ns) {
		flow->wait = receive != NULL && !pair_is_last(context);
		flow->ambiguous |= receive != NULL && pair_is_last(context);
		return false;
	}
	if (pair_chunk_of(receive) || count_rank(flow, at) > traffic->stock.left) {
		flow->ambiguous = true;
		return false;
	}
	if (traffic->stock.left > earlier->count)
		pair_old(context, earlier, route, NULL, receive);
	else
		pair_earlier(context, flow, earlier, route, receive);
	traffic->stock.left--;
	return true;
}

static void take_all_old(struct pair_context *context, struct channel_traffic *traffic,
			 struct flow *flow, const struct pair_route *route)
{
	struct flow_side *side = &flow->receives;
	struct earlier earlier;
	size_t taken = 0;

	flow_sort(side);
	earlier = look_at_earlier(context, flow, traffic->stock.left);
	while (traffic->stock.left && !flow->ambiguous && !flow->wait &&
	       take_old(context, traffic, flow, &earlier, route, taken))
		taken++;
	flow_drop_first(side, taken);
}

#define LOOK_NS 20000	/* the depth is read a moment after the call's return */
#define LOOKS_MAX 64	/* calls per side whose depth is examined */
#define WAITING_MAX 256 /* items that may wait for one that proves it */

static size_t count_begun(const struct flow_side *side, uint64_t at_ns)
{
	size_t count = 0;

	for (size_t i = 0; i < side->count; i++)
		count += side->items[i].enter_ns <= at_ns;
	return count;
}

/* The number of receives that may have taken a message by `at_ns`. */
static size_t count_takers(const struct channel_traffic *traffic, const struct flow *flow,
			   uint64_t at_ns)
{
	size_t count = count_begun(&flow->receives, at_ns) + count_begun(&traffic->receives, at_ns);

	for (size_t i = 0; i < traffic->open_receives.count; i++)
		count += traffic->open_receives.items[i]->enter_ns <= at_ns;
	return count;
}

static size_t count_sent(const struct flow *flow, uint64_t at_ns)
{
	size_t count = 0;

	for (size_t i = 0; i < flow->sends.count; i++)
		count += !flow->sends.items[i].open && flow->sends.items[i].exit_ns <= at_ns;
	return count;
}

/*
 * True if a call proves that the queue was empty at first. Each call reports the depth at its
 * return, which is the old messages plus those sent minus those taken. If the depth and all that
 * can have been taken do not exceed what was sent, there were no old messages.
 */
static bool proves_empty(const struct channel_traffic *traffic, const struct flow *flow,
			 const struct flow_side *side)
{
	for (size_t i = 0; i < side->count && i < LOOKS_MAX; i++) {
		const struct flow_item *item = &side->items[i];

		if (!item->open && viz_has(item->op, queued) &&
		    item->op->queued + count_takers(traffic, flow, item->exit_ns + LOOK_NS) <=
			    count_sent(flow, item->exit_ns))
			return true;
	}
	return false;
}

static bool reports_depth(const struct flow_side *side)
{
	for (size_t i = 0; i < side->count; i++)
		if (!side->items[i].open && viz_has(side->items[i].op, queued))
			return true;
	return false;
}

bool pair_look_at_depth(struct pair_context *context, struct channel_traffic *traffic,
			struct flow *flow)
{
	bool reported = reports_depth(&flow->sends) || reports_depth(&flow->receives);

	if (traffic->stock.state != STOCK_UNDECIDED ||
	    flow->sends.count + flow->receives.count == 0)
		return true;
	if (traffic->channel->stock_known && traffic->stock.followed)
		return true; /* the old messages have left the flow */
	if (reported && !pair_stock_is_empty(traffic, flow) &&
	    !proves_empty(traffic, flow, &flow->sends) &&
	    !proves_empty(traffic, flow, &flow->receives)) {
		if (!pair_is_last(context) &&
		    flow->sends.count + flow->receives.count < WAITING_MAX)
			return false;
		flow->ambiguous = true;
	}
	traffic->stock.state = STOCK_IS_SETTLED;
	return true;
}

bool pair_take_stock(struct pair_context *context, struct channel_traffic *traffic,
		     struct flow *flow, const struct pair_route *route)
{
	const struct viz_channel *channel = traffic->channel;

	if (!channel->stock_known || traffic->stock.state == STOCK_IS_SETTLED ||
	    flow->sends.count + flow->receives.count == 0)
		return true;
	if (traffic->stock.state == STOCK_UNDECIDED &&
	    must_wait(context, flow, channel->stock_ns)) {
		flow->wait = true;
		return false;
	}
	if (traffic->stock.state == STOCK_UNDECIDED) {
		traffic->stock.state = STOCK_IS_TAKEN;
		traffic->stock.left = channel->stock;
		flow->ambiguous |= was_disturbed(flow, channel->stock_ns);
	}
	if (traffic->stock.left && !flow->ambiguous)
		take_all_old(context, traffic, flow, route);
	if (flow->ambiguous || !traffic->stock.left)
		traffic->stock.state = STOCK_IS_SETTLED;
	return !flow->wait;
}
