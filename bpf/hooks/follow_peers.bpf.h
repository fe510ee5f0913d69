/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hook of wake-ups: notes the waker, and finds strangers that communicate with a traced process.
 * With --follow-peers they join the trace; without it they are only named (outsiders.bpf.h).
 */
#ifndef BPF_HOOKS_FOLLOW_PEERS_BPF_H
#define BPF_HOOKS_FOLLOW_PEERS_BPF_H

#include "bpf/call/outsiders.bpf.h"
#include "bpf/hooks/snapshot_threads.bpf.h"

/*
 * Gives a stranger its state as a guest; NULL if it has one already. Its descriptors and its other
 * threads are left to the next walk over all threads, which user/ starts when peers_joined grows.
 */
static __always_inline struct task_state *peer_join(struct task_struct *task)
{
	u32 pid = KREAD(task, tgid);
	struct task_state *state = task_state_make(task);
	u8 yes = 1;

	if (!state || state->flags)
		return 0;
	state->flags = TASK_GUEST | TASK_UNTOLD;
	bpf_map_update_elem(&guests, &pid, &yes, BPF_ANY);
	snapshot_record(task);
	unseen_found(state, task);
	__sync_fetch_and_add(&peers_joined, 1);
	return state;
}

/*
 * A traced process sends or connects and wakes a stranger, which joins if it holds the other end.
 */
static __always_inline void stranger_woken(struct task_state *sender, struct task_struct *woken)
{
	const struct wire_operation *operation = &sender->operation;
	struct task_state *state;

	if (!sender->recording || row_of(operation->nr)->role == ROLE_RECEIVE || !may_join(woken) ||
	    !holds_far_end(woken, operation->object.mechanism, operation->object.object.address))
		return;
	state = peer_join(woken);
	if (state)
		sleeping_call_follow(state, woken);
}

/*
 * A stranger sends and wakes a traced process: it joins, and its call is recorded when it returns.
 */
static __always_inline void stranger_wakes(struct task_struct *stranger, struct task_struct *woken)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(stranger);
	struct object object = {};
	struct task_state *state;
	struct file *file;
	u32 nr = KREAD(regs, REGISTER_CALL);
	const volatile struct syscall_row *row = row_of(nr);

	if (nr >= SYSCALL_ROWS || row->role != ROLE_SEND || row->fd != 0 || !may_join(stranger))
		return;
	file = file_of_fd(stranger, KREAD(regs, REGISTER_0));
	if (!file)
		return;
	file_identify(&object, (u64)file);
	if (!object.mechanism || !holds_far_end(woken, object.mechanism, object.ref.address))
		return;
	state = peer_join(stranger);
	if (state)
		late_follow(state);
}

static __always_inline void outsider_note(struct task_state *traced, struct task_struct *stranger,
					  u32 process, bool sends)
{
	u32 mechanism = traced->operation.object.mechanism;

	if (!traced->recording || (u32)KREAD(stranger, tgid) == process)
		return;
	if (has_far_end(mechanism))
		outsider_meet(&traced->operation.object, stranger);
	else if (sends && mechanism == MECH_UDP)
		udp_receiver_meet(traced, stranger);
	else if (!sends && (mechanism == MECH_UDP || has_waits(row_of(traced->operation.nr))))
		udp_sender_meet(traced);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(call_waking, struct task_struct *woken)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct task_state *waker = task_state_traced(current), *state = task_state_traced(woken);
	u32 sleep = woken->__state;

	/* without --follow-peers a stranger stays outside, but is named */
	if (waker && !state && !selection.peers)
		outsider_note(waker, woken, current->tgid, true);
	if (!state)
		return 0;
	if (!waker && !selection.peers)
		outsider_note(state, current, woken->tgid, false);
	lock_segment_woken(state);
	if (sleep)
		wake(waker, state, woken, current, sleep);
	return 0;
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(peer_woken, struct task_struct *woken)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct task_state *sender = task_state_traced(current);
	struct task_state *target = task_state_traced(woken);

	if (sender) {
		if (!target && woken->tgid != current->tgid)
			stranger_woken(sender, woken);
	} else if (target && woken->tgid != current->tgid) {
		stranger_wakes(current, woken);
	}
	return 0;
}

#endif
