// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Receives of a UDP socket that were there at once, so that what they name may have gone to another
 * of them. All others have their sends: of what is left, one that differs in its bytes, its length
 * or its time from all sends but one has that one. Then it is no other receive's either.
 */
#include <stdlib.h>
#include <string.h>

#include "pair_named.h"

#define TRIES_MAX 10000000 /* of a round: more are left in doubt */

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

/* The only one that it may have taken; NULL: there is none, or there are several. */
static struct flow_item *only_send(struct flow *flow, struct flow_item **sends, size_t count,
				   const struct flow_item *receive, size_t *tries)
{
	struct flow_item *only = NULL;

	for (size_t i = 0; i < count; i++) {
		if (sends[i]->enter_ns > receive->exit_ns)
			break;
		if (++*tries > TRIES_MAX)
			return NULL;
		if (!pair_is_left(sends[i]) || !may_be(flow, sends[i], receive))
			continue;
		if (only || sends[i]->open)
			return NULL;
		only = sends[i];
	}
	return only;
}

static bool begins_after(const struct flow_item *receive, uint64_t ns)
{
	const struct viz_operation *op = receive->op;

	return (op->resumed_ns ? op->resumed_ns : op->enter_ns) > ns;
}

/* Of those that were there at once with a guessed one, the guess may have taken the send. */
static struct flow_item **list_unsure(struct pair_context *context, struct flow *flow,
				      uint64_t guessed_ns, size_t *count)
{
	struct flow_item **unsure = NULL;

	for (size_t i = 0; i < flow->receives.count; i++) {
		struct flow_item *item = &flow->receives.items[i];

		if (pair_is_left(item) && item->unsure && item->exit_ns < flow->until_ns &&
		    !is_from_elsewhere(item) && begins_after(item, guessed_ns))
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

static struct flow_item **list_sends(struct pair_context *context, struct flow_side *side,
				     size_t *count)
{
	struct flow_item **sends = NULL;

	for (size_t i = 0; i < side->count; i++)
		if (pair_is_left(&side->items[i]))
			ARENA_PUSH(context->round, sends, *count, &side->items[i]);
	if (*count)
		qsort(sends, *count, sizeof(*sends), compare_enters);
	return sends;
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
	size_t send_count = 0, count = 0, tries = 0;
	uint64_t guessed_ns = pair_traffic(context, route->channel)->guessed_ns;
	struct flow_item **receives = list_unsure(context, flow, guessed_ns, &count);
	struct flow_item **sends = NULL;
	bool more = count && !flow->doubt && !flow->guess && !context->lost;

	if (more)
		sends = list_sends(context, &flow->sends, &send_count);
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++) {
			struct flow_item *send;

			if (!pair_is_left(receives[i]))
				continue;
			send = only_send(flow, sends, send_count, receives[i], &tries);
			if (!send)
				continue;
			receives[i]->unsure = false;
			pair_take_pair(context, route, send, receives[i]);
			more = true;
		}
	}
	note_guesses(context, flow, route);
}
