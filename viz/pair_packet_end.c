// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The end of a sequenced-packet connection, which looks like an empty packet. */
#include "pair_named.h"

/* Whose turn it is, in a flow of which records may be missing. */
struct turns {
	struct pair_context *context;
	const struct pair_route *route;
	struct flow *flow;
	struct map sends; /* where records are missing: who names one has had his turn */
	size_t next;
};

static struct flow_item *empty_in_turn(const struct turns *turns, const struct flow_item *receive)
{
	struct flow_side *sends = &turns->flow->sends;
	struct flow_item *send;

	if (turns->next == sends->count)
		return NULL;
	send = &sends->items[turns->next];
	return send->op && send->bytes == 0 && send->enter_ns <= receive->exit_ns ? send : NULL;
}

static void realign(struct turns *turns, const struct flow_item *receive)
{
	const struct viz_chunk *chunk = pair_chunk_of(receive);
	const struct flow_item *send = chunk ? pair_find_send(&turns->sends, chunk) : NULL;

	if (send)
		turns->next = (size_t)(send - turns->flow->sends.items);
}

/* An end is followed by nothing. */
static bool goes_on(const struct flow_side *receives, size_t at)
{
	for (size_t i = at + 1; i < receives->count; i++)
		if (receives->items[i].bytes)
			return true;
	return false;
}

/* An empty packet where records are missing: no buffer names its send, and order is a guess. */
static void take_empty(struct turns *turns, struct flow_item *receive)
{
	struct flow_item *send = empty_in_turn(turns, receive);

	pair_add_whole(turns->context, turns->route, send, receive)->match = MATCH_AMBIGUOUS;
	pair_let_go(turns->context, receive->op);
	if (!send)
		return;
	pair_let_go(turns->context, send->op);
	send->op = NULL;
	turns->next++;
}

/* What of the receives is left to be joined. False: it was the end, or an empty packet. */
static bool is_left(struct turns *turns, size_t at)
{
	struct flow_side *receives = &turns->flow->receives;
	struct flow_item *item = &receives->items[at];
	bool settled = item->exit_ns < turns->flow->until_ns;

	if (turns->context->lost)
		realign(turns, item);
	if (item->bytes || !settled || (!turns->context->lost && empty_in_turn(turns, item))) {
		turns->next += turns->next < turns->flow->sends.count;
		return true;
	}
	if (empty_in_turn(turns, item) || (turns->context->lost && goes_on(receives, at))) {
		take_empty(turns, item);
		return false;
	}
	pair_add_eof(turns->context, item->op);
	pair_let_go(turns->context, item->op);
	return false;
}

static void remove_taken(struct flow_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++)
		if (side->items[i].op)
			side->items[kept++] = side->items[i];
	side->count = kept;
}

void pair_take_ends(struct pair_context *context, struct flow *flow, const struct pair_route *route)
{
	struct turns turns = {.context = context, .route = route, .flow = flow};
	struct flow_side *side = &flow->receives;
	size_t kept = 0;

	flow_sort_ends(side);
	flow_sort_ends(&flow->sends);
	if (context->lost)
		pair_map_sends(context, &flow->sends, &turns.sends);
	for (size_t i = 0; i < side->count; i++)
		if (is_left(&turns, i))
			side->items[kept++] = side->items[i];
	side->count = kept;
	remove_taken(&flow->sends);
}
