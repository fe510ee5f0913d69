/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads what lies at the futex that a call is about to wait on: a semaphore, or a mutex, and which
 * thread has that. It costs one copy of 20 bytes, and only for futexes that processes share.
 */
#ifndef BPF_CALL_FUTEX_OWNER_BPF_H
#define BPF_CALL_FUTEX_OWNER_BPF_H

#include "bpf/call/timeouts.bpf.h"

#define FUTEX_LOCK_PI2 13

static __always_inline bool futex_waits(u32 command)
{
	return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
	       command == FUTEX_LOCK_PI2;
}

/*
 * The thread that `task` calls by this number, as the initial pid namespace counts; 0: it has
 * ended, or nobody can tell.
 */
static __always_inline u32 thread_number(struct task_struct *task, u32 number)
{
	struct task_struct *thread;

	if (!KHAS(struct pid, level))
		return 0;
	if (!KREAD_IF(KREAD_IF(task, thread_pid), level))
		return number;
	thread = thread_of(task, number);
	return thread ? KREAD(thread, pid) : 0;
}

static __noinline int futex_words_find(struct task_state *state, struct task_struct *task)
{
	struct wire_futex_words words = {};
	u32 owner = 0, valid;

	if (!futex_waits(state->details.args[1] & FUTEX_COMMAND) ||
	    bpf_probe_read_user(&words, sizeof(words), (void *)state->details.args[0]))
		return 0;
	valid = wire_futex_look(&words, state->details.args[0], &owner);
	if (valid & WIRE_VALID_OWNER) {
		state->details.owner = thread_number(task, owner);
		if (!state->details.owner)
			valid &= ~WIRE_VALID_OWNER;
	}
	state->details.valid |= valid;
	return 0;
}

static __always_inline void futex_at_entry(struct task_state *state, struct task_struct *task)
{
	if (state->operation.nr == __NR_futex)
		futex_words_find(state, task);
}

/*
 * True if the futex's memory was not known at entry, since another thread changed the mappings. It
 * may be private, so nobody is told that the call sleeps.
 */
static __always_inline bool is_unknown_futex(const struct task_state *state)
{
	return state->operation.nr == __NR_futex && state->operation.object.mechanism == MECH_NONE;
}

/* What is in doubt still counts as lost. */
static __always_inline void futex_doubt_end(struct task_state *state)
{
	if (state->doubtful)
		losses_count(LOSS_FUTEX, state->doubtful);
	state->doubtful = 0;
}

/*
 * One more call is left out that may be IPC. The doubts at one address are settled together; those
 * at another one, as of pthread_join(3) after a semaphore, must not be settled with them.
 */
static __always_inline void futex_doubt(struct task_state *state, u64 address)
{
	if (state->doubtful_at != address)
		futex_doubt_end(state);
	state->doubtful++;
	state->doubtful_at = address;
}

/*
 * Looks the memory up once more when the call returns. False if it is private, or still unknown:
 * the call is not recorded, unless it was told that it sleeps when its process joined.
 */
static __always_inline bool futex_finish(struct task_state *state, struct task_struct *task)
{
	bool shared;

	if (!is_unknown_futex(state))
		return true;
	shared = object_of_futex(state, &state->operation.object, task, state->details.args[0]);
	if (!is_unknown_futex(state) || state->begun)
		return true;
	if (shared && state->own_futex != state->details.args[0])
		futex_doubt(state, state->details.args[0]);
	return false;
}

/*
 * Before the thread's next call, whose object is not known yet: were the calls that were left out
 * private ones, nothing is lost.
 */
static __always_inline void futex_doubt_look(struct task_state *state, struct task_struct *task)
{
	struct wire_fd *found = &state->operation.object;

	if (!state->doubtful)
		return;
	found->mechanism = MECH_NONE;
	if (!object_of_futex(state, found, task, state->doubtful_at))
		state->doubtful = 0;
	else if (found->mechanism != MECH_NONE)
		futex_doubt_end(state);
}

/* The same when tracing ends, of a call that sleeps still. */
static __always_inline void futex_doubt_asleep(struct task_state *state, struct task_struct *task)
{
	futex_doubt_end(state);
	if (state->recording && !state->begun && is_unknown_futex(state) &&
	    KREAD(task, __state) & TASK_INTERRUPTIBLE &&
	    object_of_futex(state, &state->operation.object, task, state->details.args[0]))
		loss_count(LOSS_FUTEX);
}

#endif
