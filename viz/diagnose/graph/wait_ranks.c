// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/graph/wait_ranks.h"

#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/diagnose/graph/wait_kinds.h"

struct wait_ranks {
	/* What the fittest are known for. */
	bool ranked, sends, child;
	const struct viz_channel *end;
	uint64_t part; /* of a set of semaphores */
	const struct viz_process *fittest[2];
	bool movers_known, actors_known;
	const struct viz_process *movers[2], *actors[2];
	bool read_known, read;
	const struct viz_channel *read_end;
	struct {
		bool known;
		const struct viz_channel *end;
		const struct viz_process *two[2];
	} gone[2]; /* writers of the end, and of those who wrote, that hold it no more */
	bool row_known;
	const struct wait **row; /* the waits of the circle, in the order of operations */
	size_t row_count, row_at;
};

static struct wait_ranks *ranks_of(const struct diagnosis *d, const struct wait *wait)
{
	if (!wait->set->ranks)
		wait->set->ranks = arena_alloc(d->arena, sizeof(*wait->set->ranks));
	return wait->set->ranks;
}

static const struct viz_process *fittest_but(const struct diagnosis *d, const struct wait *wait,
					     wait_fitness_fn *fitness,
					     const struct viz_process *but)
{
	const struct viz_process *best = NULL;
	const bool child = waits_for_child(wait);
	const bool one = wait->channel && is_semaphore(wait->channel);
	bool several = false;
	int most = 0;

	for (size_t i = 0; i < wait->ender_count; i++) {
		const struct viz_process *process = wait->enders[i];
		const int fit = process == but ? 0 : fitness(d, wait, process);

		several = fit == most ? several || fit : several && fit < most;
		if (fit > most || (fit && fit == most && !child && process->index > best->index)) {
			most = fit;
			best = process;
		}
	}
	return one && several ? NULL : best;
}

/* The number of a semaphore in its set; 0: it is none of System V. */
static uint64_t part_of(const struct wait *wait)
{
	return wait->operation->extra->sems_count ? wait->operation->extra->sems[0].number + 1 : 0;
}

const struct viz_process *wait_fittest(const struct diagnosis *d, const struct wait *wait,
				       wait_fitness_fn *fitness)
{
	struct wait_ranks *ranks = ranks_of(d, wait);
	const bool sends = waits_to_send(wait), child = waits_for_child(wait);
	const struct viz_channel *end = wait->channel ? other_end(d, wait) : NULL;

	if (!ranks->ranked || ranks->sends != sends || ranks->child != child || ranks->end != end ||
	    ranks->part != part_of(wait)) {
		ranks->ranked = true;
		ranks->part = part_of(wait);
		ranks->sends = sends;
		ranks->child = child;
		ranks->end = end;
		ranks->fittest[0] = fittest_but(d, wait, fitness, NULL);
		ranks->fittest[1] = fittest_but(d, wait, fitness, ranks->fittest[0]);
	}
	return ranks->fittest[ranks->fittest[0] == wait->process];
}

typedef bool going_fn(const struct wait_graph *graph, const struct viz_process *process);

static void find_two(const struct diagnosis *d, const struct wait *wait, going_fn *going,
		     const struct viz_process *two[2])
{
	size_t count = 0;

	for (size_t i = 0; i < wait->ender_count && count < 2; i++)
		if (going(d->waits, wait->enders[i]))
			two[count++] = wait->enders[i];
}

const struct viz_process *const *wait_movers(const struct diagnosis *d, const struct wait *wait)
{
	struct wait_ranks *ranks = ranks_of(d, wait);

	if (!ranks->movers_known)
		find_two(d, wait, wait_process_moves, ranks->movers);
	ranks->movers_known = true;
	return ranks->movers;
}

const struct viz_process *const *wait_actors(const struct diagnosis *d, const struct wait *wait)
{
	struct wait_ranks *ranks = ranks_of(d, wait);

	if (!ranks->actors_known)
		find_two(d, wait, wait_process_acts, ranks->actors);
	ranks->actors_known = true;
	return ranks->actors;
}

bool wait_was_read(const struct diagnosis *d, const struct wait *wait,
		   const struct viz_channel *end)
{
	struct wait_ranks *ranks = ranks_of(d, wait);

	if (ranks->read_known && ranks->read_end == end)
		return ranks->read;
	ranks->read_known = true;
	ranks->read_end = end;
	ranks->read = false;
	for (size_t i = 0; i < wait->ender_count && !ranks->read; i++)
		ranks->read = wait_has_read(d->waits, wait->enders[i], end);
	return ranks->read;
}

/* Finds two writers that hold the end no more, of different processes. */
static void find_gone(const struct diagnosis *d, const struct viz_channel *end,
		      wait_holder_fn *wrote, const struct viz_process *two[2])
{
	size_t count = 0;

	for (size_t i = 0; i < end->holding_count && count < 2; i++) {
		const struct viz_holding *holding = end->holdings[i];

		if ((holding->access & ACCESS_WRITE) && (!count || holding->process != two[0]) &&
		    !wait_holding(d->waits, end, holding->process, ACCESS_WRITE) &&
		    (!wrote || wrote(d, end, holding->process)))
			two[count++] = holding->process;
	}
}

bool wait_writer_is_gone(const struct diagnosis *d, const struct wait *wait, wait_holder_fn *wrote)
{
	struct wait_ranks *ranks = ranks_of(d, wait);
	const struct viz_channel *end = other_end(d, wait);
	const struct viz_process **two = ranks->gone[wrote != NULL].two;

	if (!ranks->gone[wrote != NULL].known || ranks->gone[wrote != NULL].end != end) {
		ranks->gone[wrote != NULL].known = true;
		ranks->gone[wrote != NULL].end = end;
		two[0] = two[1] = NULL;
		find_gone(d, end, wrote, two);
	}
	return two[0] && (two[0] != wait->process || two[1]);
}

static int compare(const void *a, const void *b)
{
	const struct wait *const *x = a, *const *y = b;

	return COMPARE((*x)->index, (*y)->index);
}

/* All waits that share a set and are in a circle are in the same one. */
static void list_row(const struct diagnosis *d, struct wait_ranks *ranks, const struct wait *wait)
{
	ranks->row_known = true;
	for (size_t i = 0; i < wait->ender_count; i++) {
		const struct wait *w = wait_of_process(d->waits, wait->enders[i]);

		for (; w; w = w->next_of_process)
			if (w->circle == wait->circle)
				ARENA_PUSH(d->arena, ranks->row, ranks->row_count, w);
	}
	if (ranks->row_count)
		qsort(ranks->row, ranks->row_count, sizeof(*ranks->row), compare);
}

const struct wait *wait_next_of_circle(const struct diagnosis *d, const struct wait *wait,
				       const bool *reported)
{
	struct wait_ranks *ranks = ranks_of(d, wait);

	if (!ranks->row_known)
		list_row(d, ranks, wait);
	while (ranks->row_at < ranks->row_count && reported[ranks->row[ranks->row_at]->index])
		ranks->row_at++;
	return ranks->row_at < ranks->row_count ? ranks->row[ranks->row_at] : NULL;
}
