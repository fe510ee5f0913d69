// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells the end of a sequenced-packet connection from an empty packet: both are receives of 0
 * bytes.
 */
#include "viz/pair/buffer/buffer_match.h"

/*
 * The next send to be received by a receive that names none, in a flow of which records may be
 * missing.
 */
struct next_send {
	struct pair_context *context;
	const struct pair_route *route;
	struct flow *flow;
	struct map sends; /* finds the send that a receive names */
	bool *named;	  /* for each send: a receive of this round names it */
	size_t next;
};

static struct flow_item *named_by(const struct next_send *next_send,
				  const struct flow_item *receive)
{
	const struct viz_chunk *chunk = pair_chunk_of(receive);

	return chunk ? pair_find_send(&next_send->sends, chunk) : NULL;
}

static void note_named(struct next_send *next_send)
{
	const struct flow_side *sends = &next_send->flow->sends,
			       *receives = &next_send->flow->receives;

	pair_map_sends(next_send->context, sends, &next_send->sends);
	next_send->named = arena_array(next_send->context->round, sends->count,
				       sizeof(*next_send->named));
	for (size_t i = 0; i < receives->count; i++) {
		const struct flow_item *send = named_by(next_send, &receives->items[i]);

		if (send)
			next_send->named[send - sends->items] = true;
	}
}

static struct flow_item *empty_at_next(struct next_send *next_send, const struct flow_item *receive)
{
	struct flow_side *sends = &next_send->flow->sends;
	struct flow_item *send;

	while (next_send->next < sends->count && next_send->named[next_send->next])
		next_send->next++;
	if (next_send->next == sends->count)
		return NULL;
	send = &sends->items[next_send->next];
	return send->op && send->bytes == 0 && send->enter_ns <= receive->exit_ns ? send : NULL;
}

static void realign(struct next_send *next_send, const struct flow_item *receive)
{
	const struct flow_item *send = named_by(next_send, receive);

	if (send)
		next_send->next = (size_t)(send - next_send->flow->sends.items);
}

/* True if a later receive got bytes: so the one at `at` was not the end. */
static bool goes_on(const struct flow_side *receives, size_t at)
{
	for (size_t i = at + 1; i < receives->count; i++)
		if (receives->items[i].bytes)
			return true;
	return false;
}

/*
 * Matches an empty packet in a trace with lost records: no buffer names its send, so it is
 * ambiguous.
 */
static void take_empty(struct next_send *next_send, struct flow_item *receive)
{
	struct flow_item *send = empty_at_next(next_send, receive);

	pair_add_whole(next_send->context, next_send->route, send, receive)->match =
		MATCH_AMBIGUOUS;
	pair_let_go(next_send->context, receive->op);
	if (!send)
		return;
	pair_let_go(next_send->context, send->op);
	send->op = NULL;
	next_send->next++;
}

/*
 * True if the receive is left to be matched. False if it was the end or an empty packet, which is
 * dealt with here.
 */
static bool is_left(struct next_send *next_send, size_t at)
{
	struct flow_side *receives = &next_send->flow->receives;
	struct flow_item *item = &receives->items[at];
	bool settled = item->exit_ns < next_send->flow->until_ns;

	if (next_send->context->lost)
		realign(next_send, item);
	if (pair_chunk_of(item))
		return true;
	if (item->bytes || !settled ||
	    (!next_send->context->lost && empty_at_next(next_send, item))) {
		next_send->next += next_send->next < next_send->flow->sends.count;
		return true;
	}
	if (empty_at_next(next_send, item) || (next_send->context->lost && goes_on(receives, at))) {
		take_empty(next_send, item);
		return false;
	}
	pair_add_eof(next_send->context, item->op);
	pair_let_go(next_send->context, item->op);
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
	struct next_send next_send = {.context = context, .route = route, .flow = flow};
	struct flow_side *side = &flow->receives;
	size_t kept = 0;

	flow_sort_ends(side);
	flow_sort_ends(&flow->sends);
	note_named(&next_send);
	for (size_t i = 0; i < side->count; i++)
		if (is_left(&next_send, i))
			side->items[kept++] = side->items[i];
	side->count = kept;
	remove_taken(&flow->sends);
}
