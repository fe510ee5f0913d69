// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Datagrams that never reached their receiver, by the kernel's word. */
#include "pair_internal.h"

/* The kernel says of each message of the call whether it was queued, or of all together. */
bool pair_is_queued(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	for (size_t i = 0; i < op->delivered_count; i++)
		if (op->delivered[i] == item->message)
			return true;
	return !viz_has(op, delivered) && op->to;
}

static bool is_refused(const struct flow_item *item)
{
	for (size_t i = 0; i < item->op->refused_count; i++)
		if (item->op->refused[i] == item->message)
			return true;
	return false;
}

static size_t count_queued(const struct flow_side *sends)
{
	size_t queued = 0;

	for (size_t i = 0; i < sends->count; i++)
		queued += pair_is_queued(&sends->items[i]);
	return queued;
}

/* The kernel's word is one for all messages of a call. */
static bool any_of_several(const struct flow_side *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (!pair_is_single(sends->items[i].op) && !viz_has(sends->items[i].op, delivered))
			return true;
	return false;
}

/* This kernel tells of each UDP datagram whether it was queued. */
static bool tells_queued(const struct pair_context *context, const struct pair_route *route)
{
	return route->mechanism == MECH_UDP && context->model->header.tells_queued;
}

/*
 * The kernel names those that it threw away. One that it names neither so nor as queued went on in
 * somebody else's interrupt: it may have been lost there, but then too few were received.
 */
static void take_out_refused(struct pair_context *context, struct flow *flow,
			     const struct pair_route *route)
{
	struct flow_side *sends = &flow->sends;
	size_t kept = 0, unknown = 0;

	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item item = sends->items[i];

		if (is_refused(&item) && !item.many) { /* of many, nobody tells which one did */
			pair_drop_send(context, route, &item, MATCH_EXACT);
			pair_let_go(context, item.op);
			continue;
		}
		unknown += !pair_is_queued(&item) && !item.open;
		sends->items[kept++] = item;
	}
	sends->count = kept;
	if (unknown && kept > flow->receives.count)
		flow->guess = true;
}

/*
 * UDP may drop. As many received as sent: none was. Otherwise the kernel's word (`to`) that a
 * datagram was queued decides, if it was kept at all; without it any of them may be the missing.
 */
void pair_take_out_dropped(struct pair_context *context, struct flow *flow,
			   const struct pair_route *route)
{
	struct flow_side *sends = &flow->sends;
	size_t queued = count_queued(sends), kept = 0;

	if (route->mechanism == MECH_UDP && context->model->header.tells_refused) {
		take_out_refused(context, flow, route);
		return;
	}
	if (mechanism_info(route->mechanism)->reliable || sends->count <= flow->receives.count)
		return;
	if (any_of_several(sends) ||
	    (!tells_queued(context, route) && (queued == 0 || queued < flow->receives.count))) {
		flow->guess = true;
		return;
	}
	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item item = sends->items[i];

		if (pair_is_queued(&item) || item.open) {
			sends->items[kept++] = item;
			continue;
		}
		pair_drop_send(context, route, &item, flow->doubt ? MATCH_AMBIGUOUS : MATCH_EXACT);
		pair_let_go(context, item.op);
	}
	sends->count = kept;
}
