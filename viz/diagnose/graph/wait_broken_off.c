// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waits that signals broke off and that were entered again, as by a timer of the process itself.
 * One that asks again and again has waited since it asked first.
 */
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/model/operation_facts.h"

/* Waits for events, or for signals, are made to be broken off: whoever makes them has gone on. */
static bool asks_for_one_thing(const struct viz_operation *op)
{
	return operation_awaits_child(op) ||
	       (op->channel && op->role != ROLE_CONTROL && !operation_polls(op));
}

/* What the thread prints between two tries, such as "still waiting". */
static bool prints(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && !op->began && (op->fd == 1 || op->fd == 2);
}

static bool asks_the_same(const struct viz_operation *op, const struct viz_operation *before)
{
	return op->channel == before->channel && op->fd == before->fd &&
	       viz_bytes_equal(op->syscall, before->syscall);
}

/* True if the thread still waits for what it asked for first. */
static bool goes_on(const struct viz_operation *op, const struct viz_operation *first)
{
	return prints(op) || (asks_the_same(op, first) &&
			      (!viz_operation_done(op) || operation_is_broken_off(op)));
}

void wait_note_broken_off(struct wait_graph *graph, const struct viz_operation *op)
{
	const bool starts = operation_is_broken_off(op) && asks_for_one_thing(op);
	const struct viz_operation *first;

	if (!starts && !graph->first_tries.count)
		return;
	first = map_get_uint(&graph->first_tries, (uintptr_t)op->thread);
	if ((first || starts) && !(first && goes_on(op, first)))
		map_put_uint(graph->arena, &graph->first_tries, (uintptr_t)op->thread,
			     starts ? (void *)op : NULL);
}

uint64_t wait_began_ns(const struct wait_graph *graph, const struct viz_operation *op)
{
	const struct viz_operation *first = map_get_uint(&graph->first_tries,
							 (uintptr_t)op->thread);

	if (first && asks_the_same(op, first))
		op = first;
	return op->began ? op->began_ns : op->enter_ns;
}
