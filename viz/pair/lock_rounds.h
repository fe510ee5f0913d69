/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rounds in which a thread takes a lock (a System V semaphore, flock(2), fcntl(2)) that is free, or
 * for which it sleeps shortly, and gives it back, while it has no other one, and nobody else gets
 * it. Whether such a round was there or not makes no difference for what is told of locks. Private
 * to this folder.
 */
#ifndef VIZ_PAIR_LOCK_ROUNDS_H
#define VIZ_PAIR_LOCK_ROUNDS_H

#include "viz/base/arena.h"
#include "viz/model/model.h"

struct lock_rounds {
	struct arena *arena;
	struct map locks;   /* struct lock_state, by channel and number */
	struct map holders; /* struct lock_holder, by thread */
};

/*
 * To be called for each call, in the order of their return. If the call ends a round, returns the
 * one that began it, else NULL.
 */
const struct viz_operation *lock_rounds_note(struct lock_rounds *rounds,
					     const struct viz_operation *op);

/* True of a call that takes a lock, if nobody was refused it. */
bool lock_round_may_forget(const struct lock_rounds *rounds, const struct viz_operation *take);

/* What the call asks for, apart from the file: the same number for the same. */
uint64_t lock_request(const struct viz_operation *op);

#endif
