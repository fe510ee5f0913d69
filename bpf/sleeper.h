/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A place where a thread that falls asleep leaves what its begin record would say, for user/ to
 * take should it sleep on. A record for each sleep would double what a blocking receive costs.
 */
#ifndef BPF_SLEEPER_H
#define BPF_SLEEPER_H

#include "bpf/timeouts.h"
#include "viz/lang/lang.h"

static __always_inline struct wire_sleeper *sleeper_of(struct task_struct *task)
{
	u32 slot = KREAD(task, pid) & (WIRE_SLEEPERS - 1);

	return bpf_map_lookup_elem(&sleepers, &slot);
}

/* Transfers alone; of a call that waits for many, only its record says for what. */
static __always_inline bool is_parkable(const struct task_state *state)
{
	return (state->role == ROLE_RECEIVE || state->role == ROLE_SEND) &&
	       !state->operation.payload_len && !state->operation.block_len;
}

/* False where there is no place, or not enough room in it; how long it waits is known then. */
static __always_inline bool sleeper_park(struct task_state *state, struct task_struct *task)
{
	struct wire_sleeper *sleeper;

	socket_timeout_look(state);
	sleeper = is_parkable(state) ? sleeper_of(task) : 0;
	if (!sleeper || __sync_val_compare_and_swap(&sleeper->owner, 0, KREAD(task, pid)))
		return false;
	if (state->operation.has & WIRE_HAS_DETAILS)
		__builtin_memcpy(&sleeper->details, &state->details, sizeof(state->details));
	__builtin_memcpy(&sleeper->operation, &state->operation, sizeof(state->operation));
	sleeper->operation.head.pid = KREAD(task, tgid);
	sleeper->operation.head.tid = KREAD(task, pid);
	barrier();
	sleeper->id = state->operation.id;
	state->parked = 1;
	return true;
}

static __always_inline void sleeper_leave(struct task_state *state, struct task_struct *task)
{
	struct wire_sleeper *sleeper = state->parked ? sleeper_of(task) : 0;

	state->parked = 0;
	if (!sleeper)
		return;
	sleeper->id = 0;
	barrier();
	sleeper->owner = 0;
}

#endif
