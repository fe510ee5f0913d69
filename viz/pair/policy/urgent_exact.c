// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Matches urgent bytes without relying on order. A unix socket's buffer names the send. A TCP
 * urgent byte is among the bytes that have arrived and are not read yet, and the positions tell all
 * sends of those (net/ipv4/tcp.c, tcp_recv_urg). The byte is taken out of its send, and the rest of
 * the stream is matched as usual.
 */
#include <stdlib.h>

#include "viz/pair/buffer/buffer_match.h"
#include "viz/pair/policy/urgent.h"
#include "viz/pair/position/interleave.h"

static bool reports_positions(const struct flow_side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct viz_operation *op = side->items[i].op;

		if (!side->items[i].open && (!op->at_entry.known || !op->at_exit.known))
			return false;
	}
	return true;
}

static bool names_sends(const struct flow_side *side)
{
	for (size_t i = 0; i < side->count; i++)
		if (!pair_names_all(&side->items[i]))
			return false;
	return true;
}

bool pair_urgent_is_known(const struct flow_side *sends, const struct channel_traffic *receiver)
{
	if (receiver->channel->mechanism == MECH_UNIX_STREAM)
		return names_sends(&receiver->receives) && names_sends(&receiver->urgent.receives);
	return reports_positions(sends) && reports_positions(&receiver->receives) &&
	       reports_positions(&receiver->urgent.receives);
}

/* A TCP send that no other write interrupted: it occupies the sequence numbers [from, to). */
struct stretch {
	uint32_t from, to; /* without a byte that was taken out */
	struct flow_item *send;
};

struct known {
	struct pair_context *context;
	struct flow *flow;
	struct map sends;	   /* for unix sockets */
	struct stretch *stretches; /* for TCP, in stream order */
	size_t count;
};

static int compare_stretches(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;
	int32_t apart = (int32_t)(x->from - y->from);

	return (apart > 0) - (apart < 0);
}

static void list_stretches(struct known *known)
{
	struct flow_side *sends = &known->flow->sends;

	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item *item = &sends->items[i];
		const struct viz_operation *op = item->op;
		struct stretch stretch = {.to = op->at_exit.write_seq, .send = item};

		stretch.from = stretch.to - (uint32_t)item->amount;
		if (!item->open && op->at_exit.known &&
		    op->at_exit.write_seq - op->at_entry.write_seq == (uint32_t)op->returned)
			ARENA_PUSH(known->context->round, known->stretches, known->count, stretch);
	}
	if (known->count)
		qsort(known->stretches, known->count, sizeof(*known->stretches), compare_stretches);
}

/* The index of the first stretch that ends behind a place. */
static size_t stretch_at(const struct known *known, uint32_t position)
{
	size_t low = 0, high = known->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((int32_t)(known->stretches[middle].to - position) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The send of the only urgent byte among those that had arrived and were not read; NULL if there
 * are several, or gaps.
 */
static struct flow_item *only_urgent(const struct known *known, const struct viz_operation *receive)
{
	uint32_t at = receive->at_entry.copied_seq, end = receive->at_exit.arrived;
	struct flow_item *found = NULL;

	for (size_t i = stretch_at(known, at); (int32_t)(end - at) > 0; i++) {
		const struct stretch *stretch;

		if (i == known->count) /* there may be none at all */
			return NULL;
		stretch = &known->stretches[i];
		if ((int32_t)(stretch->from - at) > 0)
			return NULL;
		at = stretch->to;
		if (!stretch->send->urgent || (int32_t)(end - at) < 0)
			continue;
		if (found)
			return NULL;
		found = stretch->send;
	}
	return found;
}

/* Takes the urgent byte out of the stream. */
static void take_byte(struct known *known, struct flow_item *send)
{
	send->urgent = false;
	send->bytes = --send->amount;
	if (send->amount)
		return;
	pair_let_go(known->context, send->op);
	send->op = NULL;
}

/* True if a send that may be the one of this receive has not returned yet. */
static bool must_wait(const struct known *known, const struct flow_item *receive)
{
	const struct flow_side *sends = &known->flow->sends;

	for (size_t i = 0; !pair_is_last(known->context) && i < sends->count; i++) {
		const struct flow_item *item = &sends->items[i];

		if (item->op && (item->open || item->exit_ns >= known->flow->until_ns) &&
		    item->enter_ns <= receive->exit_ns)
			return true;
	}
	return receive->exit_ns >= known->flow->until_ns;
}

static struct flow_item *find_send(const struct known *known, const struct viz_operation *receive)
{
	struct flow_item *send;

	if (receive->channel->mechanism == MECH_TCP)
		send = receive->at_exit.has_arrived ? only_urgent(known, receive) : NULL;
	else
		send = pair_find_send(&known->sends, receive->extra->chunks);
	return send && send->op && send->urgent && !send->open ? send : NULL;
}

static void take(struct known *known, const struct pair_route *route, struct flow_item *receive)
{
	struct flow_item *send = receive->bytes == 1 ? find_send(known, receive->op) : NULL;

	pair_add_urgent(known->context, route, send, receive);
	if (send)
		take_byte(known, send);
	pair_let_go(known->context, receive->op);
}

/*
 * Removes emptied sends. At the end of the trace it is unknown whether the last byte of an
 * unmatched urgent send is in the stream.
 */
static void keep_left(struct flow_side *sends, bool last)
{
	size_t kept = 0;

	for (size_t i = 0; i < sends->count; i++) {
		sends->items[i].ambiguous |= sends->items[i].urgent && last;
		if (sends->items[i].op)
			sends->items[kept++] = sends->items[i];
	}
	sends->count = kept;
}

void pair_urgent_known(struct pair_context *context, const struct pair_route *route,
		       struct flow *flow, struct flow_side *urgent)
{
	struct known known = {.context = context, .flow = flow};
	size_t kept = 0;

	if (route->mechanism == MECH_TCP)
		list_stretches(&known);
	else
		pair_map_sends(context, &flow->sends, &known.sends);
	for (size_t i = 0; i < urgent->count; i++)
		if (must_wait(&known, &urgent->items[i]))
			urgent->items[kept++] = urgent->items[i];
		else
			take(&known, route, &urgent->items[i]);
	urgent->count = kept;
	keep_left(&flow->sends, pair_is_last(context));
}
