/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may have a lane: each process; or, where the request asks for threads, each thread of those
 * that have several. What concerns such a process as a whole (its birth, exec, end, a signal that
 * any thread may take) is its first thread's, which has a lane where another one has one.
 */
#ifndef VIZ_SCENE_ACTOR_H
#define VIZ_SCENE_ACTOR_H

#include "pair.h"

struct scene_drafts;

struct scene_actor {
	const struct viz_process *process;
	const struct viz_thread *thread; /* NULL: the process whole */
	bool first;			 /* it stands for the process as well */
	bool before_trace;		 /* it was there when tracing began */
};

/* Of the drafts' model; the drafts have them until their end. */
void scene_make_actors(struct scene_drafts *d);

/* Indices. NULL for `thread`, or one that is not known: the process's first one. */
size_t scene_actor_of(const struct scene_drafts *d, const struct viz_process *process,
		      const struct viz_thread *thread);
size_t scene_actor_of_tid(const struct scene_drafts *d, const struct viz_process *process,
			  uint32_t tid, uint64_t at_ns);
size_t scene_actor_of_operation(const struct scene_drafts *d, const struct viz_operation *op);
/* Its process is known. */
size_t scene_actor_of_end(const struct scene_drafts *d, const struct viz_end *end);

/* Of one with several threads when tracing stopped: VIZ_NEVER where it lives on. */
uint64_t scene_actor_start_ns(const struct scene_actor *actor);
uint64_t scene_actor_end_ns(const struct scene_actor *actor);

/* Lanes; SCENE_NOWHERE: none. NULL has none. */
int scene_lane_of(const struct scene_drafts *d, const struct viz_process *process);
int scene_lane_of_operation(const struct scene_drafts *d, const struct viz_operation *op);
int scene_lane_of_end(const struct scene_drafts *d, const struct viz_end *end);

#endif
