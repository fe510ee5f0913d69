// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/semaphores.h"

#include "viz/base/arena.h"
#include "viz/model/operation_facts.h"
#include "viz/pair/idle_runs.h"

/* One of a set, or a futex. */
struct semaphore {
	uint64_t set_ns; /* when semctl(2) set its value last; 0: never */
	/* A futex: somebody waited for it as the C library waits for a mutex. */
	bool mutex;
	/* System V: a process posted twice that had not taken it; no holder of a lock does. */
	bool signals;
	struct viz_sem_change *changed; /* by what was left out since it was set; NULL: nothing */
};

struct semaphore_user {
	unsigned posts; /* before it took the semaphore first */
	bool took;
};

enum { COMMANDS = 127, WAIT = 0, WAKE = 1, WAIT_BITSET = 9, WAKE_BITSET = 10 }; /* futex(2) */

static bool is_futex_command(const struct viz_operation *op)
{
	int64_t command = -1;

	if (!viz_operation_argument(op, "op", &command))
		return false;
	command &= COMMANDS;
	return op->role == ROLE_WAIT ? command == WAIT || command == WAIT_BITSET
				     : command == WAKE || command == WAKE_BITSET;
}

bool semaphore_call(const struct viz_operation *op)
{
	if (!op->channel || !viz_operation_done(op) || op->returned < 0 ||
	    viz_has(op, entered_before) || (op->role != ROLE_WAIT && op->role != ROLE_WAKE))
		return false;
	switch (op->channel->mechanism) {
	case MECH_SYSV_SEM:
		return op->extra->sems_count == 1;
	case MECH_FUTEX:
	case MECH_POSIX_SEM:
		return is_futex_command(op);
	default:
		return false;
	}
}

uint64_t semaphore_request(const struct viz_operation *op)
{
	const struct viz_sem *sem = op->extra->sems_count ? op->extra->sems : NULL;
	int64_t command = 0, value = 0;
	uint64_t hash = op->role;

	viz_operation_argument(op, "op", &command);
	viz_operation_argument(op, "val", &value);
	hash = viz_hash_mix(hash, (uint64_t)(sem ? sem->change : command));
	hash = viz_hash_mix(hash, sem ? sem->flags : (uint64_t)value);
	return viz_hash_mix(hash, sem ? sem->number : 0);
}

bool semaphore_message_is_ordinary(const struct viz_message *m)
{
	const struct viz_operation *wake = m->from.operation, *wait = m->to.operation;

	return !m->signal && m->match == MATCH_EXACT && m->fate == FATE_NONE && wake && wait &&
	       semaphore_call(wake) && semaphore_call(wait) && wake->role == ROLE_WAKE &&
	       wait->role == ROLE_WAIT && !wake->off_cpu_ns &&
	       wait->off_cpu_ns <= ORDINARY_SLEEP_NS;
}

bool semaphore_call_is_alone(const struct viz_operation *op)
{
	return semaphore_call(op) && !op->off_cpu_ns && !op->woke_ns && !op->waker &&
	       (op->role == ROLE_WAIT || op->returned == 0);
}

/* --- what they are for ----------------------------------------------------------------------- */

static struct semaphore *semaphore_of(struct semaphores *semaphores,
				      const struct viz_channel *channel, uint64_t number)
{
	const uint64_t key = (uint64_t)channel->index << 32 | (uint32_t)number;
	struct semaphore *semaphore = map_get_uint(&semaphores->all, key);

	if (!semaphore) {
		semaphore = arena_alloc(semaphores->arena, sizeof(*semaphore));
		map_put_uint(semaphores->arena, &semaphores->all, key, semaphore);
	}
	return semaphore;
}

static uint64_t number_of(const struct viz_operation *op)
{
	return op->extra->sems_count ? op->extra->sems[0].number : 0;
}

static struct semaphore_user *user_of(struct semaphores *semaphores, const struct viz_operation *op,
				      uint64_t number)
{
	const uint64_t names[] = {op->process->index, op->channel->index, number};
	const struct viz_bytes key = {(const char *)names, sizeof(names)};
	struct semaphore_user *user = map_get(&semaphores->users, key);

	if (!user) {
		user = arena_alloc(semaphores->arena, sizeof(*user));
		map_put(semaphores->arena, &semaphores->users,
			arena_bytes(semaphores->arena, names, sizeof(names)), user);
	}
	return user;
}

static void note_changes(struct semaphores *semaphores, const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->sems_count; i++) {
		const struct viz_sem *sem = &op->extra->sems[i];
		struct semaphore_user *user = user_of(semaphores, op, sem->number);

		user->took |= sem->change < 0;
		if (sem->change > 0 && !user->took && ++user->posts > 1)
			semaphore_of(semaphores, op->channel, sem->number)->signals = true;
	}
}

/* Calls of semctl(2) that set values; of all, or of a number that is not known, it is each. */
static void note_set(struct semaphores *semaphores, const struct viz_operation *op)
{
	enum { SETVAL = 16 };
	int64_t command = 0, number = 0;
	struct semaphore *semaphore;

	if (!viz_operation_argument(op, "cmd", &command) || command != SETVAL ||
	    !viz_operation_argument(op, "semnum", &number))
		return;
	semaphore = semaphore_of(semaphores, op->channel, (uint64_t)number);
	semaphore->set_ns = op->exit_ns;
	if (semaphore->changed)
		semaphore->changed->change = 0;
}

/* Whoever waits for a mutex of the C library has set it to 2 before. */
static bool waits_for_mutex(const struct viz_operation *op)
{
	enum { CONTENDED = 2 };
	int64_t value = 0;

	return op->role == ROLE_WAIT && viz_operation_argument(op, "val", &value) &&
	       value == CONTENDED;
}

void semaphores_note(struct semaphores *semaphores, const struct viz_operation *op)
{
	if (!op->channel || !viz_operation_done(op))
		return;
	if (op->channel->mechanism == MECH_FUTEX && waits_for_mutex(op))
		semaphore_of(semaphores, op->channel, 0)->mutex = true;
	if (op->channel->mechanism != MECH_SYSV_SEM || op->returned < 0)
		return;
	if (operation_is(op, "semctl"))
		note_set(semaphores, op);
	else
		note_changes(semaphores, op);
}

bool semaphores_may_forget(const struct semaphores *semaphores, const struct viz_operation *op)
{
	const struct semaphore *semaphore;

	if (!semaphore_call(op))
		return true;
	semaphore = map_get_uint(&semaphores->all,
				 (uint64_t)op->channel->index << 32 | (uint32_t)number_of(op));
	if (op->channel->mechanism == MECH_SYSV_SEM)
		return semaphore && semaphore->signals;
	return !semaphore || !semaphore->mutex;
}

void semaphores_count(struct semaphores *semaphores, const struct viz_operation *op)
{
	struct viz_model *model = semaphores->model;
	struct semaphore *semaphore;

	if (!op->extra->sems_count)
		return;
	semaphore = semaphore_of(semaphores, op->channel, number_of(op));
	if (op->enter_ns < semaphore->set_ns)
		return;
	if (!semaphore->changed) {
		semaphore->changed = arena_alloc(model->arena, sizeof(*semaphore->changed));
		*semaphore->changed = (struct viz_sem_change){op->channel, number_of(op), 0};
		ARENA_PUSH(model->arena, model->sem_changes, model->sem_change_count,
			   semaphore->changed);
	}
	semaphore->changed->change += op->extra->sems[0].change;
}
