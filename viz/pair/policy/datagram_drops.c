// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Takes out datagrams that were dropped before they reached their receiver, as the kernel reports.
 */
#include "viz/pair/core/udp_cork.h"

static bool is_refused(const struct flow_item *item)
{
	const struct viz_operation *op = pair_cork_last(item);

	for (size_t i = 0; i < op->extra->refused_count; i++)
		if (op->extra->refused[i] == pair_cork_last_message(item))
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

/* True if a call with several messages has a single report for all of them. */
static bool any_of_several(const struct flow_side *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (!operation_is_single(sends->items[i].op) &&
		    !viz_has(sends->items[i].op, delivered))
			return true;
	return false;
}

/* True if this kernel reports of each UDP datagram whether it was queued. */
static bool reports_queued(const struct pair_context *context, const struct pair_route *route)
{
	return route->mechanism == MECH_UDP && context->model->header.reports_queued;
}

/*
 * Takes out the datagrams that the kernel reports as dropped. One that it reports neither as
 * dropped nor as queued went on in an interrupt during another task. It may have been lost there,
 * but only if fewer datagrams were received than sent.
 */
static void take_out_refused(struct pair_context *context, struct flow *flow,
			     const struct pair_route *route)
{
	struct flow_side *sends = &flow->sends;
	size_t kept = 0, unknown = 0;

	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item item = sends->items[i];

		if (is_refused(&item) &&
		    !item.datagram.many) { /* of copies, which one is unknown */
			pair_drop_send(context, route, &item, MATCH_EXACT);
			pair_let_go(context, item.op);
			continue;
		}
		unknown += !pair_is_queued(&item) && !item.open;
		sends->items[kept++] = item;
	}
	sends->count = kept;
	if (unknown && kept > flow->receives.count)
		flow->tentative = true;
}

/*
 * UDP may drop datagrams. If as many were received as sent, none was dropped. Otherwise those are
 * dropped of which the kernel does not report (`to`) that they were queued, provided it reports
 * that at all; if not, any of them may be.
 */
void pair_take_out_dropped(struct pair_context *context, struct flow *flow,
			   const struct pair_route *route)
{
	struct flow_side *sends = &flow->sends;
	size_t queued = count_queued(sends), kept = 0;

	if (route->mechanism == MECH_UDP && context->model->header.reports_refused) {
		take_out_refused(context, flow, route);
		return;
	}
	if (mechanism_info(route->mechanism)->reliable || sends->count <= flow->receives.count)
		return;
	if (any_of_several(sends) ||
	    (!reports_queued(context, route) && (queued == 0 || queued < flow->receives.count))) {
		flow->tentative = true;
		return;
	}
	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item item = sends->items[i];

		if (pair_is_queued(&item) || item.open) {
			sends->items[kept++] = item;
			continue;
		}
		pair_drop_send(context, route, &item,
			       flow->ambiguous || flow->group ? MATCH_AMBIGUOUS : MATCH_EXACT);
		pair_let_go(context, item.op);
	}
	sends->count = kept;
}
