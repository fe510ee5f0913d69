// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Descriptors that one thread closes while another one sleeps in a call on them: the call keeps the
 * file (fdget() in fs/file.c), so that close(2) neither ends the call nor takes the file away.
 */
#include "viz/diagnose/wait/waits.h"

static uint64_t key_of(const struct viz_process *process, int32_t fd)
{
	return (uint64_t)process->index << 32 | (uint32_t)fd;
}

/* Maps each process and descriptor number to the last close(2) of it. */
static void find_closes(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;

	graph->clues.closes_known = true;
	for (size_t i = 0; i < model->operation_count; i++) {
		struct viz_operation *op = model->operations[i];

		if (operation_is(op, "close") && op->fd >= 0 && viz_operation_done(op) &&
		    op->returned == 0)
			map_put_uint(graph->arena, &graph->clues.closes,
				     key_of(op->process, op->fd), op);
	}
}

const struct viz_operation *wait_closed_by(struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation, *close;

	if (op->fd < 0 || !wait->channel || wait->process->thread_count < 2 ||
	    (op->role != ROLE_RECEIVE && !waits_to_accept(wait)))
		return NULL;
	if (!graph->clues.closes_known)
		find_closes(graph);
	close = map_get_uint(&graph->clues.closes, key_of(wait->process, op->fd));
	return close && close->thread != op->thread && close->channel == op->channel &&
			       close->enter_ns > op->enter_ns
		       ? close
		       : NULL;
}
