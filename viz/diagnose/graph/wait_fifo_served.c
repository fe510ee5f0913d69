// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FIFOs that are served: all who have one open for writing have it open to read and write (fifo(7):
 * so it never ends), and sleep until something comes. They are servers of whoever opens it, and
 * wait neither for themselves nor for one another.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

static bool reads_there(const struct wait_graph *graph, const struct viz_process *process,
			const struct viz_channel *fifo)
{
	for (const struct wait *wait = wait_of_process(graph, process); wait;
	     wait = wait->next_of_process)
		if (wait->operation->role == ROLE_RECEIVE && wait->channel == fifo)
			return true;
	return false;
}

static bool is_served(const struct wait_graph *graph, const struct viz_channel *fifo)
{
	bool any = false;

	for (size_t i = 0; i < fifo->holding_count; i++) {
		const struct viz_holding *holding = fifo->holdings[i];

		if (!(holding->access & ACCESS_WRITE) || holding->until_ns != VIZ_NEVER ||
		    holding->process->ended)
			continue;
		if (holding->access != ACCESS_BOTH || !reads_there(graph, holding->process, fifo))
			return false;
		any = true;
	}
	return any && fifo->name.len && !wait_is_removed(graph, fifo);
}

void wait_open_served(struct wait_graph *graph)
{
	enum { NOT_ASKED, SERVED, NOT_SERVED };
	uint8_t *answers = arena_array(graph->arena, graph->model->channel_count + 1, 1);

	for (size_t i = 0; i < graph->count; i++) {
		struct wait *wait = graph->waits[i];
		uint8_t *answer;

		if (!wait->channel || wait->channel->mechanism != MECH_FIFO ||
		    wait->operation->role != ROLE_RECEIVE)
			continue;
		answer = &answers[wait->channel->index];
		if (*answer == NOT_ASKED)
			*answer = is_served(graph, wait->channel) ? SERVED : NOT_SERVED;
		wait->served = *answer == SERVED;
		wait->open |= wait->served;
		wait->known &= !wait->served;
	}
}
