// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* mq_notify(3) tells of one message: who wants to hear of the next asks again. */
#include "viz/diagnose/wait/waits.h"

/* The last request of each process, and the last receive from each channel. */
static void find_requests(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;

	graph->clues.requests = calls_array(graph->arena, model->process_count);
	graph->clues.last_takes = calls_array(graph->arena, model->channel_count);
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (!op->channel || op->channel->mechanism != MECH_POSIX_MQ ||
		    !viz_operation_done(op) || op->returned < 0)
			continue;
		if (operation_is(op, "mq_notify"))
			graph->clues.requests[op->process->index] = op;
		else if (op->role == ROLE_RECEIVE)
			graph->clues.last_takes[op->channel->index] = op;
	}
}

const struct viz_channel *wait_notified_once(struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_operation *request, *took;

	if (!waits_for_signal(wait->operation) || graph->whole)
		return NULL;
	if (!graph->clues.requests)
		find_requests(graph);
	request = graph->clues.requests[wait->process->index];
	took = request ? graph->clues.last_takes[request->channel->index] : NULL;
	if (!took || took->process != wait->process || took->enter_ns < request->exit_ns ||
	    !graph->unread[request->channel->index])
		return NULL;
	return request->channel;
}
