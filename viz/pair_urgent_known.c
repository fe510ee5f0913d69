// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Urgent bytes whose sends are known without an order: the buffer that a unix socket gives says
 * whose it is; of TCP it lies among what has arrived and is not read yet, and places tell all that
 * does (net/ipv4/tcp.c, tcp_recv_urg). The byte leaves its send, and the rest of the stream is what
 * it would be without.
 */
#include <stdlib.h>

#include "pair_named.h"
#include "pair_place.h"
#include "pair_urgent.h"

static bool tells_positions(const struct flow_side *side)
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
		return names_sends(&receiver->receives) && names_sends(&receiver->urgent);
	return tells_positions(sends) && tells_positions(&receiver->receives) &&
	       tells_positions(&receiver->urgent);
}

/* A send of TCP on the stream: [from, to), where nobody else wrote meanwhile. */
struct stretch {
	uint32_t from, to; /* of what is left of it */
	struct flow_item *send;
};

struct known {
	struct pair_context *context;
	struct flow *flow;
	struct map sends;	   /* unix */
	struct stretch *stretches; /* TCP, in order */
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

/* The first stretch that reaches beyond a place. */
static size_t stretch_at(const struct known *known, uint32_t place)
{
	size_t low = 0, high = known->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((int32_t)(known->stretches[middle].to - place) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The only urgent byte of all that had arrived and was not read; NULL: there are others, gaps. */
static struct flow_item *only_urgent(const struct known *known, const struct viz_operation *receive)
{
	uint32_t at = receive->at_entry.copied_seq, end = receive->at_exit.arrived;
	struct flow_item *found = NULL;

	for (size_t i = stretch_at(known, at); (int32_t)(end - at) > 0; i++) {
		const struct stretch *stretch = &known->stretches[i];

		if (i == known->count || (int32_t)(stretch->from - at) > 0)
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

/* It leaves the stream. */
static void take_byte(struct known *known, struct flow_item *send)
{
	send->urgent = false;
	send->bytes = --send->amount;
	if (send->amount)
		return;
	pair_let_go(known->context, send->op);
	send->op = NULL;
}

/* Some send that may be its own has not returned yet. */
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
		send = pair_find_send(&known->sends, receive->chunks);
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

/* Nobody knows yet whether its last byte is in the stream. */
static void keep_left(struct flow_side *sends, bool last)
{
	size_t kept = 0;

	for (size_t i = 0; i < sends->count; i++) {
		sends->items[i].doubt |= sends->items[i].urgent && last;
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
