/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is the same for all waits that share a set of processes (struct wait_set), so that it is
 * found once for the set and not once for each wait.
 */
#ifndef VIZ_DIAGNOSE_GRAPH_WAIT_RANKS_H
#define VIZ_DIAGNOSE_GRAPH_WAIT_RANKS_H

#include "viz/diagnose/diagnose.h"
#include "viz/diagnose/graph/wait_graph.h"

/*
 * How likely it is that the process is the one that should end the wait; 0: it is not. The same for
 * all waits for one end that all send, or that all are for a child, or neither.
 */
typedef int wait_fitness_fn(const struct diagnosis *d, const struct wait *wait,
			    const struct viz_process *process);

/*
 * The fittest but the one that waits; of equals the latest, or where the wait is for a child the
 * first. NULL: there is none, or several are at a semaphore, of which nobody knows who has it.
 */
const struct viz_process *wait_fittest(const struct diagnosis *d, const struct wait *wait,
				       wait_fitness_fn *fitness);

/*
 * The first two of the processes that could end it that move (wait_process_moves()), or else act by
 * themselves (wait_process_acts()); NULL where there are not as many.
 */
const struct viz_process *const *wait_movers(const struct diagnosis *d, const struct wait *wait);
const struct viz_process *const *wait_actors(const struct diagnosis *d, const struct wait *wait);

/* True if one of those that could end the wait has read from `end`. */
bool wait_was_read(const struct diagnosis *d, const struct wait *wait,
		   const struct viz_channel *end);

typedef bool wait_holder_fn(const struct diagnosis *d, const struct viz_channel *channel,
			    const struct viz_process *process);

/*
 * True if another process than the one that waits had the writing end of what it waits for, and has
 * it no more. With `wrote` only those count that it is true of.
 */
bool wait_writer_is_gone(const struct diagnosis *d, const struct wait *wait, wait_holder_fn *wrote);

/*
 * Returns the first wait of the circle among those of the processes that could end this one that is
 * not reported; NULL if none is left. What is `reported` (by wait index) stays so.
 */
const struct wait *wait_next_of_circle(const struct diagnosis *d, const struct wait *wait,
				       const bool *reported);

#endif
