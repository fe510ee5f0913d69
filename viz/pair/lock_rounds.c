// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/lock_rounds.h"

#include "viz/model/builder.h"
#include "viz/model/operation_facts.h"
#include "viz/pair/idle_runs.h"

enum {
	HELD_MOST = 4,	/* with more at once, a thread makes no rounds any more */
	TAKEN_MOST = 8, /* a lock that more have at once is none */
};

/* A call that took a lock, and when it had it. */
struct taken {
	uint64_t id, at_ns;
};

/* A semaphore of a set, or all locks on a file. */
struct lock_state {
	struct taken taken[TAKEN_MOST]; /* and not given back */
	size_t taken_count;
	uint64_t given_ns; /* when the latest call that gave it back began */
	uint64_t round_ns; /* the same of those that ended a round */
	bool refused, is_none;
};

/* A lock that a thread has, and the call that took it. */
struct held_lock {
	struct lock_state *lock;
	const struct viz_operation *take;
	bool beside; /* the thread had another one meanwhile */
};

struct lock_holder {
	struct held_lock held[HELD_MOST];
	size_t count;
	bool many; /* there were more once */
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

/* What was told too late belongs into a round that is known. */
static void note_step(struct lock_state *lock, uint64_t at_ns)
{
	lock->refused |= at_ns < lock->round_ns;
}

static void take(struct lock_holder *holder, struct lock_state *lock,
		 const struct viz_operation *op)
{
	note_step(lock, op->exit_ns);
	lock->is_none |= lock->taken_count == TAKEN_MOST;
	if (lock->is_none)
		return;
	lock->taken[lock->taken_count++] = (struct taken){op->id, op->exit_ns};
	for (size_t i = 0; i < holder->count; i++)
		holder->held[i].beside = true;
	if (holder->count == HELD_MOST || holder->many) {
		holder->many = true;
		return;
	}
	holder->held[holder->count] = (struct held_lock){
		lock, viz_operation_use(op), holder->count || op->extra->sems_count > 1};
	holder->count++;
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

/* True if the lock was free before, and who asked for it meanwhile got it only after this. */
static bool had_it_alone(const struct lock_state *lock, const struct viz_operation *take,
			 const struct viz_operation *give)
{
	for (size_t i = 0; i < lock->taken_count; i++)
		if (lock->taken[i].id != take->id && lock->taken[i].at_ns < give->enter_ns)
			return false;
	return lock->given_ns <= take->exit_ns;
}

static bool is_round(const struct held_lock *held, const struct viz_operation *give)
{
	return !held->beside && !held->lock->is_none && give->extra->sems_count <= 1 &&
	       !give->off_cpu_ns && held->take->off_cpu_ns <= ORDINARY_SLEEP_NS &&
	       had_it_alone(held->lock, held->take, give);
}

static void drop_taken(struct lock_state *lock, const struct viz_operation *take)
{
	size_t kept = 0;

	for (size_t i = 0; i < lock->taken_count; i++)
		if (lock->taken[i].id != take->id)
			lock->taken[kept++] = lock->taken[i];
	lock->taken_count = kept;
}

static void note_give(struct lock_state *lock, const struct viz_operation *op, bool ends_round)
{
	note_step(lock, op->enter_ns);
	if (lock->given_ns < op->enter_ns)
		lock->given_ns = op->enter_ns;
	if (ends_round && lock->round_ns < op->enter_ns)
		lock->round_ns = op->enter_ns;
}

/* Returns the call that took it, if this ends a round. */
static const struct viz_operation *give(struct lock_holder *holder, struct lock_state *lock,
					const struct viz_operation *op)
{
	struct held_lock held = {0};
	bool ends_round;
	size_t i = 0;

	while (i < holder->count && !gives_back(op, lock, &holder->held[i]))
		i++;
	if (i < holder->count)
		held = holder->held[i];
	ends_round = held.take && is_round(&held, op);
	note_give(lock, op, ends_round);
	if (!held.take)
		return NULL;
	drop_taken(lock, held.take);
	viz_operation_drop(held.take); /* the list of calls has it as well */
	holder->held[i] = holder->held[--holder->count];
	return ends_round ? held.take : NULL;
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
			lock->is_none = true;
	}
	return op->extra->sems_count == 1 ? began : NULL;
}

static const struct viz_operation *note_file_lock(struct lock_rounds *rounds,
						  const struct viz_operation *op)
{
	struct lock_state *lock = lock_of(rounds, op, 0);

	if (viz_operation_failed(op)) {
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

	return lock && !lock->refused && !lock->is_none;
}

uint64_t lock_request(const struct viz_operation *op)
{
	const struct viz_lock *lock = &op->extra->lock;
	const uint64_t how = viz_hash_mix(lock->kind, lock->mode);

	return is_file_lock(op) ? viz_hash_mix(viz_hash_mix(how, lock->from),
					       viz_hash_mix(lock->to, (uint32_t)op->fd))
				: 0;
}
