// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Receives that name their send: the kernel's own buffer says which one it came from. That is
 * proof, whatever the order; what is proved leaves the flow before order decides about the rest.
 */
#include "pair_internal.h"

const struct viz_operation *pair_named_send(const struct pair_context *context,
					    const struct viz_operation *receive)
{
	const struct viz_chunk *chunk = receive->chunks;
	const struct viz_operation *send;

	if (receive->chunk_count != 1 || receive->lengths_count || chunk->message)
		return NULL;
	send = viz_model_operation(context->model, chunk->operation);
	return send && send->role == ROLE_SEND && !send->lengths_count ? send : NULL;
}

static void map_sends(struct pair_context *context, const struct flow_side *sends, struct map *map)
{
	for (size_t i = 0; i < sends->count; i++)
		map_put_uint(context->round, map, sends->items[i].op->id, &sends->items[i]);
}

static bool is_left(const struct flow_item *item)
{
	return item->op != NULL;
}

static void remove_taken(struct flow_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++)
		if (is_left(&side->items[i]))
			side->items[kept++] = side->items[i];
	side->count = kept;
}

/* A receive that names a send which is not here, or has its receiver: our idea of it is wrong. */
static void take_one(struct pair_context *context, struct flow *flow, const struct map *sends,
		     const struct pair_route *route, struct flow_item *receive)
{
	const struct viz_operation *named = pair_named_send(context, receive->op);
	struct flow_item *send = named ? map_get_uint(sends, named->id) : NULL;

	if (!named || receive->exit_ns >= flow->until_ns)
		return;
	if (send && is_left(send) && send->open && !pair_is_last(context))
		return; /* its end is still to come */
	if (!send || !is_left(send)) {
		flow->doubt = true;
		return;
	}
	pair_add_whole(context, route, send, receive);
	pair_let_go(context, send->op);
	pair_let_go(context, receive->op);
	send->op = receive->op = NULL;
}

void pair_take_named(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route)
{
	struct map sends = {0};
	bool any = false;

	for (size_t i = 0; i < flow->receives.count && !any; i++)
		any = flow->receives.items[i].op->chunk_count == 1;
	if (!any)
		return;
	map_sends(context, &flow->sends, &sends);
	for (size_t i = 0; i < flow->receives.count; i++)
		take_one(context, flow, &sends, route, &flow->receives.items[i]);
	remove_taken(&flow->sends);
	remove_taken(&flow->receives);
}
