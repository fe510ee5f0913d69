/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Runs of calls in which a thread gets nothing: a poll(2) that found nothing, a read(2) that failed
 * with EAGAIN, a nanosleep(2), as one loop makes thousands of. A run is of calls that differ in
 * their times alone, or of two such by turns; sends are by themselves. Private to this folder.
 */
#ifndef VIZ_PAIR_IDLE_RUNS_H
#define VIZ_PAIR_IDLE_RUNS_H

#include "viz/model/model.h"

enum { IDLE_RUN_ENDS = 8 }; /* calls at either end of a run that stay */

/*
 * A sleep that no finding asks for: a message may be waited for so long. The shortest one that a
 * finding asks for is that of a delayed acknowledgement, of 40 ms (find_inefficiency.c).
 */
#define ORDINARY_SLEEP_NS 30000000

/* The latest run of a thread. */
struct idle_run {
	const struct viz_operation *kinds[2]; /* its first call, and its second one if unlike */
	const struct viz_operation *first[IDLE_RUN_ENDS], *last[IDLE_RUN_ENDS];
	size_t count;	 /* of its calls; 0: there is no run */
	uint32_t number; /* of the thread's runs, from 1 on */
	bool beside;	 /* the call just before it got nothing either */
};

/* True if the call changed nothing and got nothing. */
bool idle_call(const struct viz_operation *op);

/* True if, beside messages, nobody asks for such a call: it did not even sleep. */
bool idle_call_is_ordinary(const struct viz_operation *op);

/* True if the thread's next call goes on with the run, to which it is then to be added. */
bool idle_run_goes_on(struct idle_run *run, const struct viz_operation *next);
void idle_run_begin(struct idle_run *run, const struct viz_operation *first, bool beside);

/*
 * Adds a call. Returns the one of the run that has come to lie in its middle; NULL: none. Then
 * *like is the first of the run that is like it.
 */
const struct viz_operation *idle_run_add(struct idle_run *run, const struct viz_operation *op,
					 const struct viz_operation **like);

/* Counts a call that is left out with the first one of its run that is like it. */
void idle_run_count(const struct viz_operation *first, const struct viz_operation *other,
		    const struct viz_operation *left_out);

#endif
