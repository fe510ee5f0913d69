// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who found a pipe full, and who found it empty, do not sleep there together for long: whoever came
 * later has woken the other one, which has just not run yet (pipe_read() and pipe_write() in
 * fs/pipe.c of the kernel).
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

enum { READS = 1, WRITES = 2 };

static unsigned side_of(const struct wait *wait)
{
	if (!wait->channel || !channel_is_pipe(wait->channel) ||
	    wait->channel != wait->operation->channel)
		return 0;
	return wait->operation->role == ROLE_RECEIVE ? READS
	       : wait->operation->role == ROLE_SEND  ? WRITES
						     : 0;
}

void wait_take_turns(struct wait_graph *graph)
{
	uint8_t *sides = arena_array(graph->arena, graph->model->channel_count + 1, 1);

	for (size_t i = 0; i < graph->count; i++)
		if (side_of(graph->waits[i]))
			sides[graph->waits[i]->channel->index] |= side_of(graph->waits[i]);
	for (size_t i = 0; i < graph->count; i++)
		if (side_of(graph->waits[i]))
			graph->waits[i]->ready |= sides[graph->waits[i]->channel->index] ==
						  (READS | WRITES);
}
