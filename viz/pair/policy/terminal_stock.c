// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/policy/terminal_stock.h"

#include "viz/pair/policy/line_discipline.h"

/*
 * True if it is known how many bytes that the trace lacks come out of this end first. What lay in
 * the slave may have to pass the line discipline yet, and be echoed to the master then.
 */
static bool is_certain(const struct viz_channel *to, const struct viz_line *line)
{
	const struct viz_channel *slave = to->master ? to->peer : to;

	if (!to->stock_known || !line)
		return false;
	if (!to->master)
		return !to->stock || line_passes_all(LINE_INPUT, line);
	return line_is_silent(LINE_ECHO, line) || (slave && slave->stock_known && !slave->stock);
}

/* True if a call was under way when the bytes were counted: it may have moved some by then. */
static bool was_disturbed(const struct flow *flow, uint64_t at_ns)
{
	for (size_t i = 0; i < flow->sends.count; i++)
		if (flow->sends.items[i].enter_ns < at_ns)
			return true;
	for (size_t i = 0; i < flow->receives.count; i++)
		if (flow->receives.items[i].enter_ns < at_ns &&
		    flow->receives.items[i].op->resumed_ns <= at_ns)
			return true;
	return false;
}

/* The read took `bytes` of them. */
static void take(struct pair_context *context, const struct pair_route *route,
		 struct flow_item *receive, uint64_t bytes)
{
	struct flow_piece piece = {
		.receive = receive, .start = receive->join.start, .amount = bytes};
	struct viz_message *message = pair_add_part(context, route, &piece);

	if (context->lost)
		message->match = MATCH_AMBIGUOUS;
	receive->amount -= bytes;
	receive->bytes -= bytes;
	receive->local += bytes;
}

static bool overlaps_next(const struct flow_side *side, size_t i)
{
	return i + 1 < side->count && side->items[i + 1].enter_ns < side->items[i].exit_ns;
}

/* Takes the bytes in order, and returns how many reads had nothing else. */
static size_t take_all(struct pair_context *context, struct flow *flow,
		       const struct pair_route *route, uint64_t left)
{
	struct flow_side *side = &flow->receives;
	size_t i = 0;

	while (left && i < side->count) {
		struct flow_item *receive = &side->items[i];
		uint64_t bytes = receive->amount < left ? receive->amount : left;

		if (overlaps_next(side, i)) {
			flow->ambiguous = true;
			return i;
		}
		take(context, route, receive, bytes);
		left -= bytes;
		i += receive->amount == 0;
	}
	return i;
}

void terminal_take_stock(struct pair_context *context, struct flow *flow,
			 const struct pair_route *route, const struct viz_channel *to,
			 const struct viz_line *line)
{
	struct flow_side *side = &flow->receives;
	size_t taken;

	if (!to || !is_certain(to, line) || was_disturbed(flow, to->stock_ns)) {
		flow->ambiguous = true;
		return;
	}
	flow_sort(side);
	taken = take_all(context, flow, route, to->stock);
	for (size_t i = 0; i < taken; i++)
		pair_let_go(context, side->items[i].op);
	flow_drop_first(side, taken);
}
