// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pairs receives of whole messages that name their send by the kernel's own buffer. That is proof,
 * whatever the order. Pairs leave the flow before order decides about the rest.
 */
#include "viz/pair/buffer/buffer_match.h"

const struct viz_operation *pair_named_send(const struct pair_context *context,
					    const struct viz_operation *receive)
{
	const struct viz_chunk *chunk = receive->extra->chunks;
	const struct viz_operation *send;

	if (receive->extra->chunk_count != 1 || receive->extra->lengths_count || chunk->message)
		return NULL;
	send = viz_model_operation(context->model, chunk->operation);
	return send && send->role == ROLE_SEND && !send->extra->lengths_count ? send : NULL;
}

static void remove_taken(struct flow_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++)
		if (pair_is_left(&side->items[i]))
			side->items[kept++] = side->items[i];
	side->count = kept;
}

/* The send's record is missing: the receive gets a message of its own, without a sender. */
static void take_lone(struct pair_context *context, const struct pair_route *route,
		      struct flow_item *receive)
{
	pair_add_whole(context, route, NULL, receive)->match = MATCH_AMBIGUOUS;
	pair_let_go(context, receive->op);
	receive->op = NULL;
}

/*
 * Pairs one receive with the send that it names. Sets flow->ambiguous if that send was sent
 * elsewhere or has a receiver already, for then the evidence contradicts itself.
 */
static void take_one(struct pair_context *context, struct flow *flow, const struct map *sends,
		     const struct pair_route *route, struct flow_item *receive)
{
	const struct viz_chunk *chunk = pair_chunk_of(receive);
	struct flow_item *send;

	receive->ambiguous |= receive->rival.contested;
	if (!chunk || receive->exit_ns >= flow->until_ns)
		return;
	send = pair_find_send(sends, chunk);
	if (receive->rival.contested &&
	    (!send || !pair_is_left(send) || !pair_can_be(send, receive) ||
	     !pair_is_likely(send, receive)))
		return;
	if (send && !pair_can_be(send, receive)) {
		flow->ambiguous = true;
		return;
	}
	if (send && pair_is_left(send) && send->open && !pair_is_last(context))
		flow->wait = true; /* the send is still under way */
	else if (send && pair_is_left(send))
		pair_take_known(context, flow, route, send, receive);
	else if (!send && !viz_model_operation(context->model, chunk->operation))
		take_lone(context, route, receive);
	else
		flow->ambiguous = true;
}

void pair_take_named(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route)
{
	struct map sends = {0};

	if (!pair_names_any(&flow->receives) && !flow->group)
		return;
	pair_map_sends(context, &flow->sends, &sends);
	for (size_t i = 0; i < flow->receives.count && route->mechanism == MECH_UDP; i++)
		pair_note_seen(context, flow, &sends, &flow->receives.items[i]);
	for (size_t i = 0; i < flow->receives.count; i++)
		if (!flow->receives.items[i].rival.contested)
			take_one(context, flow, &sends, route, &flow->receives.items[i]);
	pair_match_by_elimination(context, flow, route);
	for (size_t i = 0; i < flow->receives.count; i++)
		if (pair_is_left(&flow->receives.items[i]) &&
		    flow->receives.items[i].rival.contested)
			take_one(context, flow, &sends, route, &flow->receives.items[i]);
	remove_taken(&flow->sends);
	remove_taken(&flow->receives);
}
