// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Descriptors that fell out of a set: select(2) leaves in it only what is ready, and who does not
 * fill it in again waits for less each time.
 */
#include "viz/diagnose/wait/waits.h"

static bool selects(const struct viz_operation *op)
{
	return operation_is(op, "select") || operation_is(op, "pselect6");
}

/* Returns the call before it of this kind, of the same thread; NULL: there is none nearby. */
static const struct viz_operation *select_before(const struct viz_model *model,
						 const struct viz_operation *op)
{
	const size_t last = op->index > LOOK_BACK ? op->index - LOOK_BACK : 0;

	for (size_t i = op->index; i-- > last;)
		if (model->operations[i]->thread == op->thread && selects(model->operations[i]))
			return model->operations[i];
	return NULL;
}

static bool is_among(const struct viz_wait *list, size_t count, int32_t fd)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].fd == fd)
			return true;
	return false;
}

const struct viz_channel *wait_unset_channel(const struct wait_graph *graph,
					     const struct wait *wait)
{
	const struct viz_operation *op = wait->operation, *before;

	if (!selects(op) || op->extra->waits_cut)
		return NULL;
	before = select_before(graph->model, op);
	for (size_t i = 0; before && i < before->extra->waits_for_count; i++) {
		const struct viz_wait *w = &before->extra->waits_for[i];

		if (w->channel &&
		    !is_among(before->extra->ready, before->extra->ready_count, w->fd) &&
		    !is_among(op->extra->waits_for, op->extra->waits_for_count, w->fd) &&
		    wait_holding(graph, w->channel, wait->process, ACCESS_READ) &&
		    wait_unread_before(graph, w->channel, VIZ_NEVER))
			return w->channel;
	}
	return NULL;
}
