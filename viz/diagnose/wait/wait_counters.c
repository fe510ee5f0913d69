// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* eventfds of which one read took what several writes had added. */
#include "viz/diagnose/wait/waits.h"

static void find_merging(struct wait_graph *graph)
{
	const struct viz_pairing *pairing = graph->pairing;
	const struct viz_operation **latest = calls_array(graph->arena,
							  graph->model->channel_count);

	graph->clues.merging = calls_array(graph->arena, graph->model->channel_count);
	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];
		const struct viz_operation *read = m->to.operation;

		if (m->mechanism != MECH_EVENTFD || m->match != MATCH_EXACT || !read)
			continue;
		if (latest[m->channel->index] == read)
			graph->clues.merging[m->channel->index] = read;
		latest[m->channel->index] = read;
	}
}

const struct viz_operation *wait_merging_read(struct wait_graph *graph, const struct wait *wait)
{
	if (wait->operation->role != ROLE_RECEIVE || !wait->channel ||
	    wait->channel->mechanism != MECH_EVENTFD)
		return NULL;
	if (!graph->clues.merging)
		find_merging(graph);
	return graph->clues.merging[wait->channel->index];
}
