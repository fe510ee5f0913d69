// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Receives of a UDP socket that were there at once, so that what they name may have gone to another
 * of them. All others have their sends: of what is left, one that differs in its bytes, its length,
 * its time or its turn from all sends but one has that one. Then it is no other receive's either.
 */
#include <stdlib.h>
#include <string.h>

#include "pair_named.h"

#define TRIES_MAX 20000000 /* of a round: more are left in doubt */

/* An address is used again: what it named before is not what it names now. */
bool pair_can_be(const struct flow_item *send, const struct flow_item *receive)
{
	return send->enter_ns <= receive->exit_ns && (send->open || send->bytes >= receive->bytes);
}

/* Other bytes, or fewer than there were and room for more: the other receive has taken it. */
bool pair_is_likely(const struct flow_item *send, const struct flow_item *receive)
{
	struct viz_bytes sent = flow_payload(send, 0, receive->bytes);
	struct viz_bytes received = flow_payload(receive, 0, receive->bytes);
	size_t len = sent.len < received.len ? sent.len : received.len;

	if (pair_is_single(receive->op) && viz_has(receive->op, requested) &&
	    receive->bytes < receive->op->requested && receive->bytes != send->bytes)
		return false;
	return len == 0 || memcmp(sent.data, received.data, len) == 0;
}

/* It tells an address, and it is not that of one socket of the trace. */
static bool is_from_elsewhere(const struct flow_item *receive)
{
	return !receive->source && (receive->op->peer_address.len || receive->op->addresses_count);
}

static bool may_be(const struct flow *flow, const struct flow_item *send,
		   const struct flow_item *receive)
{
	struct flow_piece piece = {.send = send, .receive = receive, .amount = 1};

	if (receive->source && send->source && receive->source != send->source)
		return false;
	return pair_can_be(send, receive) &&
	       (send->open || (pair_is_likely(send, receive) && !flow_contradicts(flow, &piece)));
}

static bool took_before(const struct flow_item *one, const struct flow_item *other)
{
	return one->op == other->op ? one->message < other->message
				    : pair_took_until(one) < pair_took_from(other);
}

/* In the queue: it lay there when its call returned, or went on to the next message. */
static bool came_before(const struct flow_item *one, bool queued, const struct flow_item *other)
{
	return queued && (one->op == other->op ? one->message < other->message
					       : one->exit_ns < other->enter_ns);
}

/* First come, first taken. */
static bool is_in_turn(const struct flow *flow, const struct flow_item *send,
		       const struct flow_item *receive, size_t *tries)
{
	bool queued = pair_is_queued(send);

	for (size_t i = 0; i < flow->known_count; i++, ++*tries) {
		const struct flow_known *known = &flow->known[i];

		if (came_before(send, queued, &known->send) &&
		    took_before(&known->receive, receive))
			return false;
		if (came_before(&known->send, known->queued, send) &&
		    took_before(receive, &known->receive))
			return false;
	}
	return true;
}

/* What began to be sent later came behind something that was there when it had taken its own. */
static uint64_t latest_begin(const struct flow *flow, const struct flow_item *receive,
			     size_t *tries)
{
	uint64_t until_ns = pair_took_until(receive), latest_ns = VIZ_NEVER;

	for (size_t i = 0; i < flow->seen_count; i++, ++*tries)
		if (flow->seen[i].seen_ns > until_ns && flow->seen[i].sent_ns < latest_ns)
			latest_ns = flow->seen[i].sent_ns;
	return latest_ns;
}

/* What is left of a flow: all that may go together. */
struct rest {
	const struct flow *flow;
	struct flow_item **sends, **receives;
	size_t send_count, receive_count;
	size_t tries;
};

/* Some other receive may have taken that send before this one took its own. */
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

/* What came before it has been taken before. */
static bool is_next(struct rest *rest, const struct flow_item *send,
		    const struct flow_item *receive)
{
	if (rest->flow->open_receive_ns <= pair_took_until(receive))
		return true; /* as far as we know */
	for (size_t i = 0; i < rest->send_count; i++) {
		const struct flow_item *other = rest->sends[i];

		rest->tries++;
		if (other != send && pair_is_left(other) && !other->open && pair_is_queued(other) &&
		    came_before(other, true, send) && !has_other_taker(rest, other, receive))
			return false;
	}
	return true;
}

static bool may_have_taken(struct rest *rest, const struct flow_item *send,
			   const struct flow_item *receive)
{
	return pair_is_left(send) && send->seen_ns <= pair_took_until(receive) &&
	       may_be(rest->flow, send, receive) &&
	       is_in_turn(rest->flow, send, receive, &rest->tries) && is_next(rest, send, receive);
}

/* The only one that it may have taken; NULL: there is none, or there are several. */
static struct flow_item *only_send(struct rest *rest, const struct flow_item *receive)
{
	uint64_t latest_ns = latest_begin(rest->flow, receive, &rest->tries);
	uint64_t until_ns = pair_took_until(receive);
	struct flow_item *only = NULL;

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

/* Nor does order tell of one that names nothing, where some datagram was lost. */
static bool is_unsure(const struct flow_item *receive)
{
	return pair_is_left(receive) && (receive->unsure || !pair_chunk_of(receive));
}

/* Of those that were there at once with a guessed one, the guess may have taken the send. */
static struct flow_item **list_unsure(struct pair_context *context, struct flow *flow,
				      uint64_t guessed_ns, size_t *count)
{
	struct flow_item **unsure = NULL;

	for (size_t i = 0; i < flow->receives.count; i++) {
		struct flow_item *item = &flow->receives.items[i];

		if (is_unsure(item) && item->exit_ns < flow->until_ns && !is_from_elsewhere(item) &&
		    begins_after(item, guessed_ns))
			ARENA_PUSH(context->round, unsure, *count, item);
	}
	return unsure;
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

static void note_guesses(struct pair_context *context, const struct flow *flow,
			 const struct pair_route *route)
{
	struct channel_traffic *traffic = pair_traffic(context, route->channel);

	for (size_t i = 0; i < flow->receives.count; i++) {
		const struct flow_item *item = &flow->receives.items[i];

		if (pair_is_left(item) && item->unsure && item->exit_ns < flow->until_ns &&
		    item->exit_ns > traffic->guessed_ns)
			traffic->guessed_ns = item->exit_ns;
	}
}

void pair_take_only(struct pair_context *context, struct flow *flow, const struct pair_route *route)
{
	uint64_t guessed_ns = pair_traffic(context, route->channel)->guessed_ns;
	struct rest rest = {.flow = flow};
	size_t count = 0;
	struct flow_item **receives = list_unsure(context, flow, guessed_ns, &count);
	bool more = count && !flow->doubt && !context->lost && route->mechanism == MECH_UDP;

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
			send = only_send(&rest, receives[i]);
			if (!send)
				continue;
			receives[i]->unsure = false;
			pair_take_known(context, flow, route, send, receives[i]);
			more = true;
		}
	}
	note_guesses(context, flow, route);
}
