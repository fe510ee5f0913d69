// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the holders of file locks (flock(2), fcntl(2)) in a trace. A lock of flock(2) belongs to
 * the open file, so whoever refers to that when tracing ends has it (kernels from 6.9 on tell).
 * Else it is the last to get a lock that is in the way: the close(2) of a file that gave a lock
 * back is not in the trace, but whoever got it after that is.
 */
#include "viz/diagnose/diagnose.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

enum {
	LOOK_AT = 10000,  /* the last so many calls */
	HOLDERS_MOST = 16 /* of a shared lock */
};

/* The grants that are in the way of a wait. */
struct holders {
	const struct viz_operation *waiter;
	const struct viz_lock *wanted; /* by that call */
	const struct viz_operation *grants[HOLDERS_MOST];
	size_t count;
};

void wait_note_lock(struct wait_graph *graph, const struct viz_operation *op)
{
	struct wait_locks *locks;

	if (!op->channel || op->channel->mechanism != MECH_FILE_LOCK ||
	    op->extra->lock.mode == LOCK_MODE_NONE || !viz_operation_done(op) ||
	    viz_operation_failed(op))
		return;
	locks = &graph->locks[op->channel->index];
	ARENA_PUSH(graph->arena, locks->calls, locks->count, op);
}

/* True if both are of the same kind, which alone see each other, and have a byte in common. */
static bool meet(const struct viz_lock *a, const struct viz_lock *b)
{
	return (a->kind == LOCK_KIND_FLOCK) == (b->kind == LOCK_KIND_FLOCK) && a->from < b->to &&
	       b->from < a->to;
}

static bool conflict(const struct viz_lock *a, const struct viz_lock *b)
{
	return meet(a, b) && (a->mode == LOCK_MODE_EXCLUSIVE || b->mode == LOCK_MODE_EXCLUSIVE);
}

/*
 * True if the same process has locked or unlocked the same bytes since, or another one has got what
 * the two cannot have at the same time. `later` are calls that began after it.
 */
static bool was_given_back(const struct viz_operation *grant,
			   const struct viz_operation *const *later, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct viz_lock *lock = &later[i]->extra->lock;

		if (later[i]->exit_ns < grant->exit_ns || !meet(lock, &grant->extra->lock))
			continue;
		if (later[i]->process == grant->process ||
		    (lock->mode != LOCK_MODE_UNLOCK && conflict(lock, &grant->extra->lock)))
			return true;
	}
	return false;
}

/* As was_given_back(), to one that began to wait for it before. */
static bool was_passed_on(const struct viz_operation *grant, const struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		if (holders->grants[i]->exit_ns > grant->exit_ns &&
		    conflict(&holders->grants[i]->extra->lock, &grant->extra->lock))
			return true;
	return false;
}

static void drop_passed_on(struct holders *holders)
{
	size_t kept = 0;

	for (size_t i = 0; i < holders->count; i++)
		if (!was_passed_on(holders->grants[i], holders))
			holders->grants[kept++] = holders->grants[i];
	holders->count = kept;
}

/* True if the lock is the waiter's own, which it may change: same process, same file. */
static bool is_own(const struct holders *holders, const struct viz_operation *grant)
{
	return grant->process == holders->waiter->process &&
	       (holders->wanted->kind != LOCK_KIND_FLOCK || grant->fd == holders->waiter->fd);
}

/* Looks among the first `count` calls. */
static void find_holders(struct holders *holders, const struct wait_locks *locks, size_t count)
{
	const size_t first = count > LOOK_AT ? count - LOOK_AT : 0;

	for (size_t i = count; i-- > first && holders->count < HOLDERS_MOST;) {
		const struct viz_operation *op = locks->calls[i];

		if (op->extra->lock.mode == LOCK_MODE_UNLOCK || is_own(holders, op) ||
		    !conflict(&op->extra->lock, holders->wanted) ||
		    was_given_back(op, &locks->calls[i + 1], count - i - 1))
			continue;
		holders->grants[holders->count++] = op;
	}
	drop_passed_on(holders);
}

/*
 * Adds who holds the lock: the process that got it. If that has ended, its file is still open in
 * the one that started it, or it is no more known who has it.
 */
static bool add_holder(struct wait_graph *graph, struct wait *wait,
		       const struct viz_operation *grant)
{
	const struct viz_process *holder = grant->process;

	if (!holder->ended) {
		wait_add_ender(graph, wait, holder);
		return true;
	}
	if (grant->extra->lock.kind != LOCK_KIND_FLOCK)
		return false;
	while (holder && holder->ended)
		holder = holder->parent;
	wait->open = true;
	if (holder && holder != wait->process)
		wait_add_ender(graph, wait, holder);
	return holder != NULL;
}

/*
 * Adds those whose descriptors hold the lock when the trace ends: all locks of flock(2) on a file
 * are in the way of one that waits for another. False if there is none: the trace does not tell.
 */
static bool add_flockers(struct wait_graph *graph, struct wait *wait,
			 const struct viz_channel *channel)
{
	if (wait->operation->extra->lock.kind != LOCK_KIND_FLOCK ||
	    (!wait_is_held(channel) && !wait_held_outside(channel, ACCESS_BOTH)))
		return false;
	wait_add_holders(graph, wait, channel, ACCESS_BOTH);
	return true;
}

bool wait_add_lockers(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel)
{
	struct holders holders = {.waiter = wait->operation,
				  .wanted = &wait->operation->extra->lock};
	const struct wait_locks *locks = &graph->locks[channel->index];
	bool any = false;

	if (holders.wanted->mode == LOCK_MODE_NONE)
		return false;
	if (add_flockers(graph, wait, channel))
		return true;
	find_holders(&holders, locks, locks->count);
	for (size_t i = 0; i < holders.count; i++)
		any |= add_holder(graph, wait, holders.grants[i]);
	return any;
}

const struct viz_process *wait_lock_holder(const struct wait_graph *graph,
					   const struct viz_operation *refused)
{
	struct holders holders = {.waiter = refused, .wanted = &refused->extra->lock};
	const struct wait_locks *locks = &graph->locks[refused->channel->index];
	size_t count = locks->count;

	while (count && locks->calls[count - 1]->enter_ns > refused->enter_ns)
		count--;
	find_holders(&holders, locks, count);
	for (size_t i = 0; i < holders.count; i++) {
		const struct viz_process *holder = holders.grants[i]->process;

		if (!holder->ended || holder->end_ns > refused->enter_ns)
			return holder;
	}
	return NULL;
}

bool wait_has_locked(const struct wait_graph *graph, const struct viz_process *process,
		     const struct viz_channel *channel)
{
	const struct wait_locks *locks = &graph->locks[channel->index];

	for (size_t i = 0; i < locks->count; i++)
		if (locks->calls[i]->process == process &&
		    locks->calls[i]->extra->lock.mode != LOCK_MODE_UNLOCK)
			return true;
	return false;
}
