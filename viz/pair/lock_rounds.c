// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/lock_rounds.h"

#include "viz/model/builder.h"
#include "viz/model/operation_facts.h"

enum { HELD_MOST = 4 }; /* with more at once, a thread makes no rounds any more */

/* A semaphore of a set, or all locks on a file. */
struct lock_state {
	uint64_t steps; /* calls that took it, gave it back, or were refused it */
	size_t open;	/* times that it was taken and not given back */
	bool refused;
};

/* A lock that a thread has, and the call that took it. */
struct held_lock {
	struct lock_state *lock;
	const struct viz_operation *take;
};

struct lock_holder {
	struct held_lock held[HELD_MOST];
	size_t count;
	bool many;     /* there were more once */
	uint64_t step; /* while it has just one lock, which nobody had: the number of that step */
};

static bool is_file_lock(const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_FILE_LOCK &&
	       op->extra->lock.mode != LOCK_MODE_NONE;
}

static bool is_semaphore(const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_SYSV_SEM && op->extra->sems_count;
}

static uint64_t lock_key(const struct viz_operation *op, uint64_t number)
{
	return (uint64_t)op->channel->index << 32 | (uint32_t)number;
}

static struct lock_state *lock_of(struct lock_rounds *rounds, const struct viz_operation *op,
				  uint64_t number)
{
	const uint64_t key = lock_key(op, number);
	struct lock_state *lock = map_get_uint(&rounds->locks, key);

	if (!lock) {
		lock = arena_alloc(rounds->arena, sizeof(*lock));
		map_put_uint(rounds->arena, &rounds->locks, key, lock);
	}
	return lock;
}

static struct lock_holder *holder_of(struct lock_rounds *rounds, const struct viz_operation *op)
{
	struct lock_holder *holder = map_get_uint(&rounds->holders, (uintptr_t)op->thread);

	if (!holder) {
		holder = arena_alloc(rounds->arena, sizeof(*holder));
		map_put_uint(rounds->arena, &rounds->holders, (uintptr_t)op->thread, holder);
	}
	return holder;
}

static void take(struct lock_holder *holder, struct lock_state *lock,
		 const struct viz_operation *op)
{
	lock->steps++;
	lock->open++;
	holder->step = 0;
	if (holder->count == HELD_MOST || holder->many) {
		holder->many = true;
		return;
	}
	holder->held[holder->count++] = (struct held_lock){lock, viz_operation_use(op)};
	if (holder->count == 1 && lock->open == 1 && op->extra->sems_count <= 1 && !op->off_cpu_ns)
		holder->step = lock->steps;
}

static bool same_range(const struct viz_lock *one, const struct viz_lock *other)
{
	return one->kind == other->kind && one->placed == other->placed &&
	       one->from == other->from && one->to == other->to;
}

/* True if the call gives back, unchanged, what was taken. */
static bool gives_back(const struct viz_operation *op, const struct lock_state *lock,
		       const struct held_lock *held)
{
	return held->lock == lock && op->fd == held->take->fd &&
	       same_range(&op->extra->lock, &held->take->extra->lock);
}

/* Returns the call that took it, if this ends a round. */
static const struct viz_operation *give(struct lock_holder *holder, struct lock_state *lock,
					const struct viz_operation *op)
{
	const bool alone = holder->step && lock->steps == holder->step &&
			   op->extra->sems_count <= 1 && !op->woke_ns;
	const struct viz_operation *took;
	size_t i = 0;

	lock->steps++;
	while (i < holder->count && !gives_back(op, lock, &holder->held[i]))
		i++;
	if (i == holder->count)
		return NULL;
	took = holder->held[i].take;
	viz_operation_drop(took); /* the list of calls has it as well */
	holder->held[i] = holder->held[--holder->count];
	lock->open--;
	holder->step = 0;
	return alone ? took : NULL;
}

static const struct viz_operation *note_changes(struct lock_rounds *rounds,
						const struct viz_operation *op)
{
	const struct viz_operation *began = NULL;

	for (size_t i = 0; i < op->extra->sems_count; i++) {
		struct lock_state *lock = lock_of(rounds, op, op->extra->sems[i].number);

		if (op->extra->sems[i].change == -1)
			take(holder_of(rounds, op), lock, op);
		else if (op->extra->sems[i].change == 1)
			began = give(holder_of(rounds, op), lock, op);
		else
			lock->open++; /* no lock */
	}
	return op->extra->sems_count == 1 ? began : NULL;
}

static const struct viz_operation *note_file_lock(struct lock_rounds *rounds,
						  const struct viz_operation *op)
{
	struct lock_state *lock = lock_of(rounds, op, 0);

	if (viz_operation_failed(op)) {
		lock->steps++;
		lock->refused = true;
		return NULL;
	}
	if (op->extra->lock.mode == LOCK_MODE_UNLOCK)
		return give(holder_of(rounds, op), lock, op);
	take(holder_of(rounds, op), lock, op);
	return NULL;
}

const struct viz_operation *lock_rounds_note(struct lock_rounds *rounds,
					     const struct viz_operation *op)
{
	if (!viz_operation_done(op) || !viz_has(op, returned) || viz_has(op, entered_before))
		return NULL;
	if (is_file_lock(op))
		return note_file_lock(rounds, op);
	return is_semaphore(op) && op->returned >= 0 ? note_changes(rounds, op) : NULL;
}

bool lock_round_may_forget(const struct lock_rounds *rounds, const struct viz_operation *op)
{
	const uint64_t number = op->extra->sems_count ? op->extra->sems[0].number : 0;
	const struct lock_state *lock = map_get_uint(&rounds->locks, lock_key(op, number));

	return lock && !lock->refused;
}

uint64_t lock_request(const struct viz_operation *op)
{
	const struct viz_lock *lock = &op->extra->lock;
	const uint64_t how = viz_hash_mix(lock->kind, lock->mode);

	return is_file_lock(op) ? viz_hash_mix(viz_hash_mix(how, lock->from),
					       viz_hash_mix(lock->to, (uint32_t)op->fd))
				: 0;
}
