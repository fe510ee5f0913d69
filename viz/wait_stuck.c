// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The greatest set of waits that only each other could end: begin with all, take out who can act,
 * and then whom these could wake. Each wait is looked at once for each who could end it.
 */
#include "wait_graph_internal.h"

/* Of each process: the waits that it could end, and whether it was found to be able to act. */
struct release {
	size_t *first;	 /* where those of a process begin; those of the next one end them */
	uint32_t *waits; /* their indices */
	bool *free;
	const struct viz_process **queue;
	size_t queued;
};

static void list_dependents(struct wait_graph *graph, struct release *release)
{
	const size_t processes = graph->model->process_count;
	size_t *at = arena_array(graph->arena, processes + 1, sizeof(*at));
	size_t total = 0;

	for (size_t i = 0; i < graph->count; i++)
		for (size_t k = 0; k < graph->waits[i]->ender_count; k++)
			at[graph->waits[i]->enders[k]->index]++;
	for (size_t i = 0; i <= processes; i++) {
		const size_t count = at[i];

		release->first[i] = at[i] = total;
		total += count;
	}
	release->waits = arena_array(graph->arena, total + 1, sizeof(*release->waits));
	for (size_t i = 0; i < graph->count; i++)
		for (size_t k = 0; k < graph->waits[i]->ender_count; k++)
			release->waits[at[graph->waits[i]->enders[k]->index]++] = (uint32_t)i;
}

static void set_free(struct release *release, const struct viz_process *process)
{
	if (release->free[process->index])
		return;
	release->free[process->index] = true;
	release->queue[release->queued++] = process;
}

static void wake(struct wait_graph *graph, struct release *release, size_t process)
{
	for (size_t i = release->first[process]; i < release->first[process + 1]; i++) {
		struct wait *wait = graph->waits[release->waits[i]];

		wait->stuck = false;
		set_free(release, wait->process);
	}
}

void wait_find_stuck(struct wait_graph *graph)
{
	const size_t n = graph->model->process_count + 1;
	struct release release = {
		.first = arena_array(graph->arena, n, sizeof(size_t)),
		.free = arena_array(graph->arena, n, sizeof(bool)),
		.queue = arena_array(graph->arena, n, sizeof(struct viz_process *)),
	};

	list_dependents(graph, &release);
	for (size_t i = 0; i < graph->count; i++)
		graph->waits[i]->stuck = !graph->waits[i]->open && !graph->waits[i]->ready;
	for (size_t i = 0; i + 1 < n; i++)
		if (!wait_process_stuck(graph, graph->model->processes[i]))
			set_free(&release, graph->model->processes[i]);
	for (size_t i = 0; i < release.queued; i++)
		wake(graph, &release, release.queue[i]->index);
}
