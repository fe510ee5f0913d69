// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What calls have told the kernel of channels: asked once for all, not for each wait. */
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/model/operation_facts.h"

static void note_backlog(struct wait_told *told, const struct viz_operation *op)
{
	int64_t backlog;

	if (!op->returned && viz_operation_argument(op, "backlog", &backlog))
		told->backlog = backlog < 0 ? 0 : (uint64_t)backlog;
}

static void note_low_water(struct wait_told *told, const struct viz_operation *op)
{
	if (viz_operation_done(op) && !op->returned &&
	    viz_bytes_equal(op->extra->option, viz_bytes_of("SO_RCVLOWAT")))
		told->low_water = op->extra->option_value > 0 ? (uint64_t)op->extra->option_value
							      : 0;
}

void wait_note_told(struct wait_graph *graph, const struct viz_operation *op)
{
	struct wait_told *told = op->channel ? &graph->told[op->channel->index] : NULL;

	if (!told)
		return;
	if (operation_is(op, "listen"))
		note_backlog(told, op);
	else if (operation_is(op, "connect"))
		told->connecting |= op->state == STATE_PENDING;
	else if (operation_is(op, "setsockopt"))
		note_low_water(told, op);
	else if (operation_is(op, "timerfd_settime"))
		told->armed = true;
}
