// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Why there is nothing in the set of an epoll instance. */
#include "viz/diagnose/wait/waits.h"

const struct viz_operation *wait_failed_addition(const struct wait_graph *graph,
						 const struct wait *wait)
{
	const struct viz_operation *last = NULL;

	for (size_t i = 0; i < graph->model->operation_count; i++) {
		const struct viz_operation *op = graph->model->operations[i];

		if (op->enter_ns > wait->since_ns)
			break;
		if (op->channel == wait->operation->channel && operation_is(op, "epoll_ctl") &&
		    viz_operation_failed(op))
			last = op;
	}
	return last;
}
