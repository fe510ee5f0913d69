// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The last calls on each semaphore, mutex and lock: found in one walk through the trace, once
 * somebody asks, however many wait there.
 */
#include "viz/diagnose/diagnose.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

/* Of which semaphores of a set. */
enum { OF_ALL, OF_UNTOLD, OF_ONE };

struct key {
	uint64_t number;  /* of a semaphore in its set, if OF_ONE */
	uint32_t channel; /* its index */
	uint32_t process; /* its index + 1; 0: of any */
	uint32_t role, of;
};

/* The calls of one key. */
struct calls {
	const struct viz_operation *first, *latest; /* with failed and unfinished ones */
	const struct viz_operation *last;	    /* that succeeded; NULL: none */
	uint64_t until_ns;			    /* when the last one was over */
};

struct wait_semaphores {
	struct map calls; /* by struct key */
};

static struct calls *calls_of(const struct wait_graph *graph, const struct key *key)
{
	return map_get(&graph->semaphores->calls,
		       (struct viz_bytes){(const char *)key, sizeof(*key)});
}

static void note(struct wait_graph *graph, struct key key, const struct viz_operation *op)
{
	const bool done = viz_operation_done(op);
	struct calls *calls = calls_of(graph, &key);

	if (!calls) {
		calls = arena_alloc(graph->arena, sizeof(*calls));
		*calls = (struct calls){.first = op};
		map_put(graph->arena, &graph->semaphores->calls,
			(struct viz_bytes){(const char *)&key, sizeof(key)}, calls);
	}
	calls->latest = op;
	if (done && op->returned >= 0)
		calls->last = op;
	if (!done || op->exit_ns > calls->until_ns)
		calls->until_ns = done ? op->exit_ns : VIZ_NEVER;
}

/* Of its own process and of any. */
static void note_both(struct wait_graph *graph, struct key key, const struct viz_operation *op)
{
	note(graph, key, op);
	key.process = (uint32_t)op->process->index + 1;
	note(graph, key, op);
}

static void note_call(struct wait_graph *graph, const struct viz_operation *op)
{
	struct key key = {.channel = (uint32_t)op->channel->index, .role = (uint32_t)op->role};

	note_both(graph, key, op);
	key.of = OF_UNTOLD;
	if (!op->extra->sems_count)
		note_both(graph, key, op);
	key.of = OF_ONE;
	for (size_t i = 0; i < op->extra->sems_count; i++) {
		key.number = op->extra->sems[i].number;
		note_both(graph, key, op);
	}
}

static void find_calls(struct wait_graph *graph)
{
	if (graph->semaphores)
		return;
	graph->semaphores = arena_alloc(graph->arena, sizeof(*graph->semaphores));
	*graph->semaphores = (struct wait_semaphores){0};
	for (size_t i = 0; i < graph->model->operation_count; i++) {
		const struct viz_operation *op = graph->model->operations[i];

		if (op->channel && (op->role == ROLE_WAIT || op->role == ROLE_WAKE))
			note_call(graph, op);
	}
}

/* Calls `each` for the calls that change what this one does, as far as that is known. */
static void each_alike(struct wait_graph *graph, const struct viz_operation *of, enum role role,
		       const struct viz_process *process,
		       void (*each)(void *context, const struct calls *calls), void *context)
{
	struct key key = {.channel = (uint32_t)of->channel->index,
			  .role = (uint32_t)role,
			  .process = process ? (uint32_t)process->index + 1 : 0};
	const struct calls *calls;

	find_calls(graph);
	key.of = of->extra->sems_count ? OF_UNTOLD : OF_ALL;
	calls = calls_of(graph, &key);
	if (calls)
		each(context, calls);
	key.of = OF_ONE;
	for (size_t i = 0; i < of->extra->sems_count; i++) {
		key.number = of->extra->sems[i].number;
		calls = calls_of(graph, &key);
		if (calls)
			each(context, calls);
	}
}

static void take_last(void *context, const struct calls *calls)
{
	const struct viz_operation **last = context;

	if (calls->last && (!*last || calls->last->index > (*last)->index))
		*last = calls->last;
}

const struct viz_operation *wait_last_call(struct wait_graph *graph, const struct viz_operation *of,
					   enum role role, const struct viz_process *process)
{
	const struct viz_operation *last = NULL;

	each_alike(graph, of, role, process, take_last, &last);
	return last;
}

/* The one call that was met, and whether there were others. */
struct single {
	const struct viz_operation *met;
	bool several;
};

static void take_single(void *context, const struct calls *calls)
{
	struct single *single = context;

	single->several |= calls->first != calls->latest ||
			   (single->met && single->met != calls->first);
	single->met = calls->first;
}

bool wait_called_once(struct wait_graph *graph, const struct viz_operation *of, enum role role)
{
	struct single single = {0};

	each_alike(graph, of, role, NULL, take_single, &single);
	return !single.several;
}

bool wait_was_woken_since(struct wait_graph *graph, const struct viz_operation *wait)
{
	struct key key = {.role = ROLE_WAKE};
	const struct calls *wakes;

	if (!wait->channel)
		return false;
	key.channel = (uint32_t)wait->channel->index;
	find_calls(graph);
	wakes = calls_of(graph, &key);
	return wakes && wakes->until_ns >= wait->enter_ns;
}
