/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds out which operation wakes a traced thread. A wake-up by a timer or an interrupt appears to
 * come from whichever thread it hit, so a waker is accepted only if it is traced and in a call on
 * the very object that the sleeper waits for, or in one that sends it a signal.
 *
 * signal_generate comes after the wake-up, when the target no longer looks asleep, so the target's
 * state at the wake-up is kept for it.
 */
#ifndef BPF_CALL_WAKERS_BPF_H
#define BPF_CALL_WAKERS_BPF_H

#include "bpf/call/poll_waits.bpf.h"
#include "bpf/core/syscall_table.bpf.h"

static __always_inline bool is_same_ref(const struct wire_ref *a, const struct wire_ref *b)
{
	return a->address && a->address == b->address && a->number == b->number;
}

/* True if `b` is the other socket of a unix connection. */
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
	       KREAD_IF(x, skc_net.net) == KREAD_IF(y, skc_net.net);
}

/* True if the call of `waker` can be what a wait on `sleeper` waits for. */
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
	if (waker->details.new_fds[0].object.address == sleeper->object.address)
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

/*
 * True if the signal that the waker's call sends may be to this thread; such a call wakes threads
 * for no other reason.
 */
static __always_inline bool signals_to(const struct task_state *waker, struct task_struct *woken)
{
	s32 to = waker->details.args[0];

	if (waker->operation.nr == __NR_pidfd_send_signal || to <= 0)
		return true;
	return to == woken->pid || to == woken->tgid;
}

/*
 * True for waits that wake no other thread. Calls on semaphores and futexes may wake, depending on
 * their arguments.
 */
static __always_inline bool only_waits(const struct task_state *waker,
				       const volatile struct syscall_row *row)
{
	return row->role == ROLE_WAIT && row->data != DATA_SEMS &&
	       waker->operation.nr != __NR_futex;
}

/* True if the waker's call is the cause of the wake-up. */
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

/*
 * True if the waker sends and the sleeper receives on the same object, which is the most frequent
 * case and needs no further check.
 */
static __always_inline bool is_plain_hand_over(const struct task_state *waker,
					       const struct task_state *sleeper)
{
	return waker->recording && sleeper->recording && waker->role == ROLE_SEND &&
	       sleeper->role == ROLE_RECEIVE &&
	       is_same_ref(&waker->operation.object.object, &sleeper->operation.object.object);
}

/*
 * Records the waker in both operations. The sleeper cannot run before the hook returns, so its
 * state may be written here.
 */
static __always_inline void waker_note(struct task_state *waker, struct task_state *sleeper,
				       struct task_struct *current, u64 at_ns)
{
	sleeper->operation.woken_pid = current->tgid;
	sleeper->operation.woken_tid = current->pid;
	sleeper->operation.woken_operation = waker->operation.id;
	sleeper->operation.woken_ns = at_ns;
	sleeper->operation.has |= WIRE_HAS_WAKER;
	if (waker->role !=
	    ROLE_SIGNAL) /* by now the waker's call has had its effect on the object */
		waker->operation.woke_ns = at_ns;
}

/* Keeps the wake-up for the signal_generate event that may follow. */
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

/*
 * Called at each wake-up of a traced thread whose state was `sleep`. `waker` is NULL if the current
 * thread is not traced.
 */
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
