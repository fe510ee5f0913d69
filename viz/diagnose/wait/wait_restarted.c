// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls that an alarm interrupted, and that went on when its handler had returned. */
#include "viz/diagnose/wait/waits.h"

/* Maps each thread to the last alarm that interrupted a call of it which was restarted. */
static void find_restarts(struct wait_graph *graph)
{
	const struct viz_pairing *pairing = graph->pairing;

	graph->clues.restarts_known = true;
	for (size_t i = 0; i < pairing->signal_count; i++) {
		const struct viz_signal *s = pairing->signals[i];

		if (s->interrupted && s->restarted && s->end && s->generate &&
		    s->generate->origin == ORIGIN_TIMER)
			map_put_uint(graph->arena, &graph->clues.restarts,
				     s->interrupted->thread->tid, (void *)s);
	}
}

/* The kernel restarts a call by making it anew: the same one, when the handler has returned. */
static bool is_restart_of(const struct viz_operation *op, const struct viz_signal *s)
{
	const struct viz_operation *before = s->interrupted;

	return op == before ||
	       (op->thread == before->thread && viz_bytes_equal(op->syscall, before->syscall) &&
		op->fd == before->fd && op->enter_ns >= s->end->at_ns &&
		op->enter_ns - s->end->at_ns < MILLISECOND);
}

const struct viz_signal *wait_restarting_signal(struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_signal *s;

	if (!graph->clues.restarts_known)
		find_restarts(graph);
	s = map_get_uint(&graph->clues.restarts, wait->operation->thread->tid);
	return s && is_restart_of(wait->operation, s) ? s : NULL;
}
