// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds the thread that has the mutex which a call waits for, as the mutex's own memory told. */
#include "viz/diagnose/graph/wait_graph.h"

bool wait_is_mutex(const struct viz_operation *op)
{
	const struct viz_bytes kind = op->extra->owner.kind;

	return viz_bytes_equal(kind, viz_bytes_of("mutex")) ||
	       viz_bytes_equal(kind, viz_bytes_of("robust-mutex"));
}

/* A thread, and another one with the same number. */
struct numbered {
	const struct viz_thread *thread;
	const struct numbered *next;
};

static void number_threads(struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->model->process_count && !graph->numbered; i++)
		for (size_t k = 0; k < graph->model->processes[i]->thread_count; k++) {
			const struct viz_thread *thread = graph->model->processes[i]->threads[k];
			struct numbered *numbered = arena_alloc(graph->arena, sizeof(*numbered));

			*numbered = (struct numbered){thread,
						      map_get_uint(&graph->of_tid, thread->tid)};
			map_put_uint(graph->arena, &graph->of_tid, thread->tid, numbered);
		}
	graph->numbered = true;
}

/*
 * Returns the latest thread with this number that was born, or found, by then (a glance finds them
 * after their calls began); or NULL.
 */
static const struct viz_thread *thread_at(struct wait_graph *graph, uint32_t tid, uint64_t at_ns)
{
	const struct viz_thread *found = NULL;

	number_threads(graph);
	for (const struct numbered *each = map_get_uint(&graph->of_tid, tid); each;
	     each = each->next)
		if (each->thread->start_ns <= at_ns &&
		    (!found || each->thread->start_ns >= found->start_ns))
			found = each->thread;
	return found;
}

/*
 * If somebody woke waiters there since the wait began, who had the mutex then may have given it up,
 * and another one has it.
 */
struct wait_owner wait_mutex_owner(struct wait_graph *graph, const struct viz_operation *op)
{
	const struct viz_owner *told = &op->extra->owner;
	struct wait_owner owner = {.tid = told->tid, .ended = told->ended};

	if (!told->tid || !wait_is_mutex(op) || (!graph->whole && wait_was_woken_since(graph, op)))
		return (struct wait_owner){0};
	if (!told->ended)
		owner.thread = thread_at(graph, told->tid, graph->whole ? VIZ_NEVER : op->enter_ns);
	owner.ended |= owner.thread && owner.thread->end_ns != VIZ_NEVER;
	owner.self = owner.thread == op->thread;
	return owner;
}
