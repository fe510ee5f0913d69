// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks the times of calls against the positions that they report. Positions never go back: a call
 * that began after another had returned found the stream where that one left it, or further on.
 * Where the times say otherwise, they cannot be trusted.
 */
#include "viz/pair/core/context.h"

static bool is_less(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static bool is_empty(const struct viz_position *position)
{
	return position->head == position->tail;
}

/*
 * True if the pipe's position `to` is before `from`. In an empty pipe, the slot no longer tells
 * where its bytes ended.
 */
static bool pipe_goes_back(const struct viz_position *from, const struct viz_position *to,
			   bool send)
{
	uint32_t slot = send ? from->head : from->tail, next = send ? to->head : to->tail;

	if (slot != next)
		return is_less(next, slot);
	if (is_empty(from) || is_empty(to))
		return false;
	return send ? to->end < from->end : to->start < from->start;
}

static bool goes_back(const struct viz_operation *before, const struct viz_operation *op,
		      enum mechanism mechanism, bool send)
{
	const struct viz_position *from = operation_pipe_exit(before, send);
	const struct viz_position *to = operation_pipe_entry(op, send);

	if (!to->known || before->exit_ns > op->enter_ns)
		return false;
	if (mechanism != MECH_TCP)
		return pipe_goes_back(from, to, send);
	return send ? is_less(to->write_seq, from->write_seq)
		    : is_less(to->copied_seq, from->copied_seq);
}

static bool side_contradicts(struct flow_side *side, enum mechanism mechanism, bool send)
{
	const struct viz_operation *before = NULL;

	flow_sort(side);
	for (size_t i = 0; i < side->count; i++) {
		const struct viz_operation *op = side->items[i].op;

		if (before && goes_back(before, op, mechanism, send))
			return true;
		if (operation_pipe_exit(op, send)->known)
			before = op;
	}
	return false;
}

bool pair_order_contradicts(struct flow *flow, enum mechanism mechanism)
{
	if (mechanism == MECH_EVENTFD) /* its count goes up and down */
		return false;
	return side_contradicts(&flow->sends, mechanism, true) ||
	       side_contradicts(&flow->receives, mechanism, false);
}
