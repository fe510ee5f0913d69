// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sets of processes that could end waits, which waits of one kind at one object share. */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

struct wait wait_set_begin(const struct wait_graph *graph)
{
	/* No wait has this number, and no other set, so graph->added tells it from all of them. */
	return (struct wait){.index = graph->model->operation_count + graph->set_count};
}

struct wait_set *wait_set_new(struct wait_graph *graph, const struct wait *collected)
{
	struct wait_set *set = arena_alloc(graph->arena, sizeof(*set));

	set->index = graph->set_count++;
	set->processes = collected->enders;
	set->count = collected->ender_count;
	set->open = collected->open;
	set->next = graph->sets;
	graph->sets = set;
	return set;
}

/* Gives the wait a list of its own, to which more can be added. */
static void unshare(struct wait_graph *graph, struct wait *wait)
{
	const struct wait_set *set = wait->set;

	wait->set = NULL;
	wait->enders = NULL;
	wait->ender_count = 0;
	for (size_t i = 0; i < set->count; i++)
		wait_add_ender(graph, wait, set->processes[i]);
}

void wait_add_ender(struct wait_graph *graph, struct wait *wait, const struct viz_process *process)
{
	if (wait->set)
		unshare(graph, wait);
	if (graph->added[process->index] == wait->index + 1)
		return;
	if (process->zombie) /* an ended process cannot act */
		return;
	graph->added[process->index] = wait->index + 1;
	ARENA_PUSH(graph->arena, wait->enders, wait->ender_count, process);
}

/* Adds to the collected ones those of a set. */
static void collect(struct wait_graph *graph, struct wait *all, const struct wait_set *set)
{
	all->open |= set->open;
	for (size_t i = 0; i < set->count; i++)
		wait_add_ender(graph, all, set->processes[i]);
}

/* Those of two sets, which waits for the same two objects share. */
static struct wait_set *united(struct wait_graph *graph, const struct wait_set *one,
			       const struct wait_set *other)
{
	const uint64_t key = (uint64_t)one->index << 32 | other->index;
	struct wait_set *set = map_get_uint(&graph->united, key);
	struct wait all = wait_set_begin(graph);

	if (set)
		return set;
	collect(graph, &all, one);
	collect(graph, &all, other);
	set = wait_set_new(graph, &all);
	map_put_uint(graph->arena, &graph->united, key, set);
	return set;
}

static void take_set(struct wait *wait, struct wait_set *set)
{
	wait->set = set;
	wait->enders = set->processes;
	wait->ender_count = set->count;
}

void wait_share(struct wait_graph *graph, struct wait *wait, struct wait_set *set)
{
	wait->open |= set->open;
	if (wait->set == set)
		return;
	if (wait->set)
		take_set(wait, united(graph, wait->set, set));
	else if (!wait->ender_count)
		take_set(wait, set);
	else
		collect(graph, wait, set);
}

void wait_set_join(struct wait_graph *graph, struct wait *wait)
{
	if (!wait->set)
		wait->set = wait_set_new(graph, wait);
	wait->next_of_set = wait->set->waits;
	wait->set->waits = wait;
}

void wait_set_replace(struct wait_graph *graph, struct wait *wait, const struct wait *collected)
{
	struct wait **at = &wait->set->waits;

	while (*at != wait)
		at = &(*at)->next_of_set;
	*at = wait->next_of_set;
	wait->set = NULL;
	wait->enders = collected->enders;
	wait->ender_count = collected->ender_count;
	wait_set_join(graph, wait);
}

static int compare(const void *a, const void *b)
{
	const struct viz_process *const *x = a, *const *y = b;

	return COMPARE((*x)->index, (*y)->index);
}

static void sort_set(struct wait_set *set, struct arena *arena)
{
	set->sorted = arena_array(arena, set->count + 1, sizeof(*set->sorted));
	if (!set->count)
		return;
	memcpy(set->sorted, set->processes, set->count * sizeof(*set->sorted));
	qsort(set->sorted, set->count, sizeof(*set->sorted), compare);
}

bool wait_is_ended_by(const struct wait_graph *graph, const struct wait *wait,
		      const struct viz_process *process)
{
	if (!wait->ender_count)
		return false;
	if (!wait->set->sorted)
		sort_set(wait->set, graph->arena);
	return bsearch(&process, wait->set->sorted, wait->set->count, sizeof(*wait->set->sorted),
		       compare);
}
