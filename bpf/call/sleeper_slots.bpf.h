/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Slots in which a thread that falls asleep leaves what its begin record would say; user/ takes it
 * if the sleep lasts. A record for each sleep would double the cost of a blocking receive.
 */
#ifndef BPF_CALL_SLEEPER_SLOTS_BPF_H
#define BPF_CALL_SLEEPER_SLOTS_BPF_H

#include "bpf/call/timeouts.bpf.h"
#include "viz/format/format.h"

static __always_inline struct wire_sleeper *sleeper_of(struct task_struct *task)
{
	u32 slot = KREAD(task, pid) & (WIRE_SLEEPERS - 1);

	return bpf_map_lookup_elem(&sleepers, &slot);
}

/*
 * Only sends, receives and waits at a futex fit a slot, without payload or address. A call that
 * waits for several descriptors needs a record, which lists them.
 */
static __always_inline bool is_parkable(const struct task_state *state)
{
	return (state->role == ROLE_RECEIVE || state->role == ROLE_SEND ||
		state->operation.nr == __NR_futex) &&
	       !state->operation.payload_len && !state->operation.block_len;
}

/*
 * Fills in the thread's slot. False if the slot is taken, or if it cannot hold the operation. In
 * either case a socket's timeout has been read.
 */
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
