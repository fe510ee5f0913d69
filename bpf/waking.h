/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who wakes a traced thread. A wake-up by a timer or an interrupt blames whoever happens to run, so
 * a waker is believed only where it is itself traced and inside a call on the very object that the
 * sleeper waits for, or in one that sends it a signal.
 *
 * signal_generate comes after the wake-up, when the target no longer looks asleep: what the thread
 * was when it was woken is noted here for it.
 */
#ifndef BPF_WAKING_H
#define BPF_WAKING_H

#include "bpf/table.h"
#include "bpf/waits.h"

static __always_inline bool is_same_ref(const struct wire_ref *a, const struct wire_ref *b)
{
	return a->address && a->address == b->address && a->number == b->number;
}

/* The sockets of one unix connection. */
static __always_inline bool is_peer(const struct wire_fd *a, const struct wire_ref *b)
{
	if (a->mechanism < MECH_UNIX_STREAM || a->mechanism > MECH_UNIX_SEQPACKET || !b->address)
		return false;
	return (u64)KREAD((struct unix_sock *)a->object.address, peer) == b->address;
}

static __always_inline bool is_connected(struct sock *a, struct sock *b)
{
	struct sock_common *x = (struct sock_common *)a, *y = (struct sock_common *)b;

	return KREAD(x, skc_num) && KREAD(x, skc_num) == __builtin_bswap16(KREAD(y, skc_dport)) &&
	       KREAD(y, skc_num) == __builtin_bswap16(KREAD(x, skc_dport)) &&
	       KREAD(x, skc_net.net) == KREAD(y, skc_net.net);
}

/* Whether a call on `waker` can be what `sleeper` waits for. */
static __always_inline bool reaches(const struct task_state *waker, const struct wire_fd *sleeper)
{
	const struct wire_fd *object = &waker->operation.object;

	if (!sleeper->object.address)
		return false;
	if (is_same_ref(&object->object, &sleeper->object) || is_peer(object, &sleeper->object))
		return true;
	if (waker->details.to.address == sleeper->object.address ||
	    waker->details.from.address == sleeper->object.address)
		return true;
	if (waker->details.made[0].object.address == sleeper->object.address)
		return true;
	return object->mechanism == MECH_TCP && sleeper->mechanism == MECH_TCP &&
	       is_connected((struct sock *)object->object.address,
			    (struct sock *)sleeper->object.address);
}

struct reach_walk {
	struct task_state *waker;
	struct task_state *sleeper;
	bool found;
};

static long reach_visit(u32 index, void *context)
{
	struct reach_walk *walk = context;

	walk->found = reaches(walk->waker, &wait_slot(walk->sleeper, index)->object);
	return walk->found;
}

static __always_inline bool has_waits(const volatile struct syscall_row *row)
{
	return row->data == DATA_POLL || row->data == DATA_SELECT || row->data == DATA_EPOLL;
}

static __always_inline bool reaches_any(struct task_state *waker, struct task_state *sleeper)
{
	struct reach_walk walk = {.waker = waker, .sleeper = sleeper};
	u32 count = sleeper->operation.payload_len / sizeof(struct wire_wait);

	bpf_loop(count <= WIRE_WAITS ? count : WIRE_WAITS, reach_visit, &walk, 0);
	return walk.found;
}

/* In a call that sends a signal, nothing else wakes anybody. */
static __always_inline bool signals_to(const struct task_state *waker, struct task_struct *woken)
{
	s32 to = waker->details.args[0];

	if (waker->operation.nr == __NR_pidfd_send_signal || to <= 0)
		return true;
	return to == woken->pid || to == woken->tgid;
}

/* Calls on semaphores and futexes wait or wake, as their arguments say; other waits wake nobody. */
static __always_inline bool only_waits(const struct task_state *waker,
				       const volatile struct syscall_row *row)
{
	return row->role == ROLE_WAIT && row->data != DATA_SEMS &&
	       waker->operation.nr != __NR_futex;
}

static __noinline int is_believed(struct task_state *waker, struct task_state *sleeper,
				  struct task_struct *woken)
{
	const volatile struct syscall_row *row =
		&syscall_rows[waker->operation.nr & (SYSCALL_ROWS - 1)];
	const volatile struct syscall_row *asleep =
		&syscall_rows[sleeper->operation.nr & (SYSCALL_ROWS - 1)];

	if (row->role == ROLE_SIGNAL)
		return signals_to(waker, woken);
	if (only_waits(waker, row))
		return false;
	return has_waits(asleep) ? reaches_any(waker, sleeper)
				 : reaches(waker, &sleeper->operation.object);
}

/* One that sends and one that receives on the same object: most are, and need no closer look. */
static __always_inline bool is_plain_hand_over(const struct task_state *waker,
					       const struct task_state *sleeper)
{
	return waker->recording && sleeper->recording && waker->role == ROLE_SEND &&
	       sleeper->role == ROLE_RECEIVE &&
	       is_same_ref(&waker->operation.object.object, &sleeper->operation.object.object);
}

/* The target sleeps and cannot run before this is over, so its state is ours to write. */
static __always_inline void waker_note(struct task_state *waker, struct task_state *sleeper,
				       struct task_struct *current, u64 at_ns)
{
	sleeper->operation.woken_pid = current->tgid;
	sleeper->operation.woken_tid = current->pid;
	sleeper->operation.woken_operation = waker->operation.id;
	sleeper->operation.woken_ns = at_ns;
	sleeper->operation.has |= WIRE_HAS_WAKER;
	if (waker->role != ROLE_SIGNAL) /* what it did to their object, it had done by then */
		waker->operation.woke_ns = at_ns;
}

/* What a signal that comes next wants to know. */
static __always_inline void waking_keep(struct task_state *state, struct task_struct *woken,
					struct task_struct *current, u32 sleep)
{
	state->waking.at_ns = bpf_ktime_get_ns();
	state->waking.sleep = sleep;
	state->waking.by = current->pid;
	state->waking.tid = woken->pid;
	state->waking.pid = woken->tgid;
	state->waking.operation = state->recording ? state->operation.id : 0;
}

static __always_inline void wake(struct task_state *waker, struct task_state *state,
				 struct task_struct *woken, struct task_struct *current, u32 sleep)
{
	if (waker && is_plain_hand_over(waker, state)) {
		waker_note(waker, state, current, bpf_ktime_get_ns());
		return;
	}
	waking_keep(state, woken, current, sleep);
	if (!waker)
		return;
	waker->woke = state->waking;
	if (waker->recording && state->recording && is_believed(waker, state, woken))
		waker_note(waker, state, current, state->waking.at_ns);
}

#endif
