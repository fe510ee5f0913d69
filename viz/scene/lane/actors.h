/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Actors: whatever may have a lane. An actor is a process; or, if the request asks for threads,
 * each thread of a process that has several. Events that concern such a process as a whole (its
 * birth, exec, end, a signal that any thread may take) belong to its first thread, which has a lane
 * whenever another of its threads has one.
 */
#ifndef VIZ_SCENE_LANE_ACTORS_H
#define VIZ_SCENE_LANE_ACTORS_H

#include "viz/message/message.h"

struct scene_drafts;

struct scene_actor {
	const struct viz_process *process;
	const struct viz_thread *thread; /* NULL: the whole process */
	bool first;			 /* it stands for its process as a whole */
	bool before_trace;		 /* it existed when tracing began */
};

/* Fills d->actors from the model; they live as long as the drafts. */
void scene_make_actors(struct scene_drafts *d);

/*
 * Index of an actor in d->actors. If `thread` or `tid` is NULL, 0 or unknown: the first actor of
 * the process.
 */
size_t scene_actor_of(const struct scene_drafts *d, const struct viz_process *process,
		      const struct viz_thread *thread);
size_t scene_actor_of_tid(const struct scene_drafts *d, const struct viz_process *process,
			  uint32_t tid, uint64_t at_ns);
size_t scene_actor_of_operation(const struct scene_drafts *d, const struct viz_operation *op);
/* end->process must not be NULL. */
size_t scene_actor_of_end(const struct scene_drafts *d, const struct viz_end *end);

/*
 * When the actor was born and when it ended. For the first thread, these are of its process.
 * VIZ_NEVER: it lives on when tracing stops.
 */
uint64_t scene_actor_start_ns(const struct scene_actor *actor);
uint64_t scene_actor_end_ns(const struct scene_actor *actor);

/* The lane of an actor. SCENE_NOWHERE: it has none, or the argument is NULL. */
int scene_lane_of(const struct scene_drafts *d, const struct viz_process *process);
int scene_lane_of_operation(const struct scene_drafts *d, const struct viz_operation *op);
int scene_lane_of_end(const struct scene_drafts *d, const struct viz_end *end);

#endif
