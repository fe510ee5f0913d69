// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pairs receives of a UDP socket by elimination. Of receives that were under way at the same time,
 * one may have taken the message that another one names. After all other receives were paired, such
 * a receive has the one send that is left if its bytes, length, time or position in the queue
 * exclude all others. That send is then excluded for the remaining receives, until nothing changes.
 */
#include <stdlib.h>

#include "viz/pair/buffer/buffer_match.h"
#include "viz/pair/buffer/group_receipts.h"

#define TRIES_MAX 20000000 /* comparisons in a round; receives that need more stay ambiguous */

/* True if the receive reports a sender's address that is not of exactly one socket of the trace. */
static bool is_from_elsewhere(const struct flow_item *receive)
{
	return !receive->datagram.source &&
	       (receive->op->extra->peer_address.len || receive->op->extra->addresses_count);
}

static bool may_be(const struct flow *flow, const struct flow_item *send,
		   const struct flow_item *receive)
{
	struct flow_piece piece = {.send = send, .receive = receive, .amount = 1};

	if (receive->datagram.source && send->datagram.source &&
	    receive->datagram.source != send->datagram.source)
		return false;
	return pair_can_be(send, receive) &&
	       (send->open || (pair_is_likely(send, receive) && !flow_contradicts(flow, &piece)));
}

static bool took_before(const struct flow_item *one, const struct flow_item *other)
{
	return one->op == other->op ? one->message < other->message
				    : pair_took_until(one) < pair_took_from(other);
}

/*
 * True if the message of `one` came into the queue before that of `other`. `queued`: it was there
 * when its call returned or went on to the next message.
 */
static bool came_before(const struct flow_item *one, bool queued, const struct flow_item *other)
{
	return queued && (one->op == other->op ? one->message < other->message
					       : one->exit_ns < other->enter_ns);
}

/* False if the pair would break the order of the queue (first in, first out) with an exact pair. */
static bool is_in_order(const struct flow *flow, const struct flow_item *send,
			const struct flow_item *receive, size_t *tries)
{
	bool queued = pair_is_queued(send);

	for (size_t i = 0; i < flow->udp.known_count; i++, ++*tries) {
		const struct flow_known *known = &flow->udp.known[i];

		if (came_before(send, queued, &known->send) &&
		    took_before(&known->receive, receive))
			return false;
		if (came_before(&known->send, known->queued, send) &&
		    took_before(receive, &known->receive))
			return false;
	}
	return true;
}

/*
 * A send that began after the returned time cannot be what the receive took: it came into the queue
 * behind a message that was still there when the receive had taken its own. VIZ_NEVER: no limit.
 */
static uint64_t latest_begin(const struct flow *flow, const struct flow_item *receive,
			     size_t *tries)
{
	uint64_t until_ns = pair_took_until(receive), latest_ns = VIZ_NEVER;

	for (size_t i = 0; i < flow->udp.seen_count; i++, ++*tries)
		if (flow->udp.seen[i].seen_ns > until_ns && flow->udp.seen[i].sent_ns < latest_ns)
			latest_ns = flow->udp.seen[i].sent_ns;
	return latest_ns;
}

/* The sends and receives of a flow that are not paired yet. */
struct rest {
	const struct flow *flow;
	const struct channel_traffic *traffic;
	struct flow_item **sends, **receives;
	size_t send_count, receive_count;
	size_t tries;
};

/* True if another receive may have taken the send's message before this one took its own. */
static bool has_other_taker(struct rest *rest, const struct flow_item *send,
			    const struct flow_item *receive)
{
	for (size_t i = 0; i < rest->receive_count; i++) {
		const struct flow_item *other = rest->receives[i];

		rest->tries++;
		if (other != receive && pair_is_left(other) && !took_before(receive, other) &&
		    may_be(rest->flow, send, other))
			return true;
	}
	return false;
}

/* False if an earlier message must still have been in the queue before the send's. */
static bool is_next(struct rest *rest, const struct flow_item *send,
		    const struct flow_item *receive)
{
	if (rest->flow->open_receive_ns <= pair_took_until(receive))
		return true; /* a receive that is still under way may have taken it */
	for (size_t i = 0; i < rest->send_count; i++) {
		const struct flow_item *other = rest->sends[i];

		rest->tries++;
		if (other != send && pair_is_left(other) && !other->open && !other->datagram.copy &&
		    pair_is_queued(other) && came_before(other, true, send) &&
		    !has_other_taker(rest, other, receive))
			return false;
	}
	return true;
}

static bool may_have_taken(struct rest *rest, const struct flow_item *send,
			   const struct flow_item *receive)
{
	if (!pair_is_left(send) ||
	    (rest->flow->group && pair_group_passed(rest->traffic, send, receive)))
		return false;
	return send->rival.seen_ns <= pair_took_until(receive) &&
	       may_be(rest->flow, send, receive) &&
	       is_in_order(rest->flow, send, receive, &rest->tries) && is_next(rest, send, receive);
}

/* The only send that the receive may have taken; NULL if there is none, or several. */
static struct flow_item *send_by_elimination(struct rest *rest, const struct flow_item *receive)
{
	uint64_t latest_ns = latest_begin(rest->flow, receive, &rest->tries);
	uint64_t until_ns = pair_took_until(receive);
	struct flow_item *only = NULL;

	if (rest->flow->group && !pair_group_is_certain(rest->traffic, receive))
		return NULL;
	for (size_t i = 0; i < rest->send_count; i++) {
		struct flow_item *send = rest->sends[i];

		if (send->enter_ns > until_ns || send->enter_ns > latest_ns)
			break;
		if (++rest->tries > TRIES_MAX)
			return NULL;
		if (!may_have_taken(rest, send, receive))
			continue;
		if (only || send->open)
			return NULL;
		only = send;
	}
	return only;
}

static bool begins_after(const struct flow_item *receive, uint64_t ns)
{
	return pair_took_from(receive) > ns;
}

/*
 * A receive that names no send is contested as well: order proves nothing if a datagram was
 * dropped.
 */
static bool is_contested(const struct flow_item *receive)
{
	return pair_is_left(receive) && (receive->rival.contested || !pair_chunk_of(receive));
}

/*
 * Lists the settled receives to decide. Those that overlap one that was paired tentatively are left
 * out: the tentative match may have used up their send.
 */
static struct flow_item **list_contested(struct pair_context *context, struct flow *flow,
					 uint64_t tentative_ns, size_t *count)
{
	struct flow_item **contested = NULL;

	for (size_t i = 0; i < flow->receives.count; i++) {
		struct flow_item *item = &flow->receives.items[i];

		if (is_contested(item) && item->exit_ns < flow->until_ns &&
		    !is_from_elsewhere(item) && begins_after(item, tentative_ns))
			ARENA_PUSH(context->round, contested, *count, item);
	}
	return contested;
}

static int compare_enters(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return (x->enter_ns > y->enter_ns) - (x->enter_ns < y->enter_ns);
}

static struct flow_item **list_left(struct pair_context *context, struct flow_side *side,
				    size_t *count)
{
	struct flow_item **left = NULL;

	for (size_t i = 0; i < side->count; i++)
		if (pair_is_left(&side->items[i]))
			ARENA_PUSH(context->round, left, *count, &side->items[i]);
	if (*count)
		qsort(left, *count, sizeof(*left), compare_enters);
	return left;
}

static void note_tentative(struct pair_context *context, const struct flow *flow,
			   const struct pair_route *route)
{
	struct channel_traffic *traffic = pair_traffic(context, route->channel);

	for (size_t i = 0; i < flow->receives.count; i++) {
		const struct flow_item *item = &flow->receives.items[i];

		if (pair_is_left(item) && item->rival.contested && item->exit_ns < flow->until_ns &&
		    item->exit_ns > traffic->udp.tentative_ns)
			traffic->udp.tentative_ns = item->exit_ns;
	}
}

/* True if a receive is left that calls of the next round may help to decide. */
static bool may_be_decided(const struct pair_context *context, struct flow_item **receives,
			   size_t count)
{
	for (size_t i = 0; i < count && !pair_is_last(context); i++)
		if (pair_is_left(receives[i]) && receives[i]->exit_ns >= context->settled_ns)
			return true;
	return false;
}

void pair_match_by_elimination(struct pair_context *context, struct flow *flow,
			       const struct pair_route *route)
{
	struct channel_traffic *traffic = pair_traffic(context, route->channel);
	struct rest rest = {.flow = flow, .traffic = traffic};
	size_t count = 0;
	struct flow_item **receives = list_contested(context, flow, traffic->udp.tentative_ns,
						     &count);
	bool more = count && !flow->ambiguous && !context->lost && route->mechanism == MECH_UDP;

	pair_group_know(traffic, flow);
	if (more) {
		rest.sends = list_left(context, &flow->sends, &rest.send_count);
		rest.receives = list_left(context, &flow->receives, &rest.receive_count);
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++) {
			struct flow_item *send;

			if (!pair_is_left(receives[i]))
				continue;
			send = send_by_elimination(&rest, receives[i]);
			if (!send)
				continue;
			receives[i]->rival.contested = false;
			pair_take_known(context, flow, route, send, receives[i]);
			more = true;
		}
	}
	note_tentative(context, flow, route);
	flow->wait |= flow->group && may_be_decided(context, receives, count);
}
