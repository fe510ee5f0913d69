/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk over all threads (iter/task) when tracing begins: starts to trace the chosen ones, and
 * reports them, their descriptors, and the calls that they sleep in. snapshot_holders.bpf.h has the
 * walk at the end.
 */
#ifndef BPF_HOOKS_SNAPSHOT_THREADS_BPF_H
#define BPF_HOOKS_SNAPSHOT_THREADS_BPF_H

#include "bpf/hooks/syscalls.bpf.h"
#include "bpf/object/pending_signals.bpf.h"

/*
 * Builds the operation of a thread asleep in a system call, whose registers still hold the
 * arguments; a thread that runs, or was interrupted elsewhere, has none that can be trusted. Its
 * memory cannot be read from another process, so a send has no payload. False if there is no call
 * to record.
 */
static __always_inline bool sleeping_call_find(struct task_state *state, struct task_struct *task,
					       struct pt_regs *regs)
{
	if (!call_found(state, task, regs))
		return false;
	state->operation.enter_ns = state->operation.exit_ns = bpf_ktime_get_ns();
	state->nr = state->operation.nr;
	return true;
}

/*
 * When a sleeping thread last came to a processor, in ns of CLOCK_MONOTONIC; `now` if unknown. The
 * scheduler's clock has another origin, so the difference to the current thread's own arrival,
 * which was just now, is used (kernel/sched/stats.h).
 */
static __always_inline u64 last_ran_ns(struct task_struct *task, u64 now)
{
	struct task_struct *current = bpf_get_current_task_btf();
	u64 arrival, ours;

	if (!KHAS(struct task_struct, sched_info.last_arrival))
		return now;
	arrival = KREAD(task, sched_info.last_arrival);
	ours = KREAD(current, sched_info.last_arrival);
	return arrival && arrival < ours && ours - arrival < now ? now - (ours - arrival) : now;
}

#define WAITERS_MOST 4096

struct waiter_walk {
	struct task_struct *task;
	u64 next, end;
	u64 message;
};

static long waiter_visit(u32 index, void *context)
{
	struct waiter_walk *walk = context;
	struct ext_wait_queue *waiter;

	if (!walk->next || walk->next == walk->end)
		return 1;
	waiter = KHOLDER(walk->next, struct ext_wait_queue, list);
	if (KREAD(waiter, task) == walk->task) {
		walk->message = (u64)KREAD(waiter, msg);
		return 1;
	}
	walk->next = kread_word((void *)walk->next);
	return 0;
}

/*
 * ipc/mqueue.c: a sender that sleeps because the queue is full already has its message on a list,
 * from which a receiver moves it into the queue. That message is entered in `buffers` here.
 */
static __always_inline void mq_sender_find(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;
	struct inode *inode = (struct inode *)operation->object.object.address;
	struct mqueue_inode_info *info = KHOLDER(inode, struct mqueue_inode_info, vfs_inode);
	struct buffer_origin origin = {.operation = operation->id, .object = (u64)inode};
	struct waiter_walk walk = {.task = task};

	if (operation->object.mechanism != MECH_POSIX_MQ || state->role != ROLE_SEND ||
	    !messages_followed || !info || !KHAS(struct mqueue_inode_info, e_wait_q) ||
	    !KHAS(struct ext_wait_queue, task) || !KHAS(struct ext_wait_queue, list) ||
	    !KHAS(struct ext_wait_queue, msg) || !KHAS(struct list_head, next))
		return;
	walk.end = (u64)KFIELD(KFIELD(info, struct mqueue_inode_info, e_wait_q),
			       struct ext_wait_queue, list);
	walk.next = kread_word((void *)walk.end);
	bpf_loop(WAITERS_MOST, waiter_visit, &walk, 0);
	if (!walk.message)
		return;
	bpf_map_update_elem(&buffers, &walk.message, &origin, BPF_ANY);
	operation->followed = 1;
}

/*
 * Starts to trace a thread, with the call that it sleeps in. From then on the thread may leave the
 * call and complete the operation itself; if it no longer sleeps afterwards, it has either done so
 * or left before it could be seen.
 */
static __always_inline void sleeping_call_follow(struct task_state *state, struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	bool found = KREAD(task, __state) & TASK_INTERRUPTIBLE &&
		     sleeping_call_find(state, task, regs);

	if (!found) {
		late_follow(state);
		return;
	}
	mq_sender_find(state, task);
	state->begun = 1;
	state->recording = 1;
	state->follows = follows_of(state);
	task_follow(state);
	if (KREAD(task, __state) & TASK_INTERRUPTIBLE) {
		state->asleep_since_ns = state->operation.enter_ns;
		if (glance) {
			state->switches = switches_of(task);
			state->operation.enter_ns = last_ran_ns(task, state->operation.enter_ns);
			state->operation.exit_ns = state->operation.enter_ns;
			waits_at_sleep(state, task, row_of(state->nr));
		}
		operation_send(state, task, WIRE_BEGIN);
	}
}

static __always_inline void snapshot_record(struct task_struct *task)
{
	struct wire_process *record = process_reserve(WIRE_SNAPSHOT, task);

	if (record)
		record_submit(record);
}

static __always_inline bool is_leader(struct task_struct *task)
{
	return KREAD(task, pid) == KREAD(task, tgid);
}

/* True if the thread does not share the descriptors of its process's first thread. */
static __always_inline bool has_own_files(struct task_struct *task)
{
	struct files_struct *others = KREAD(KREAD_IF(task, group_leader), files);

	return others && KREAD(task, files) && KREAD(task, files) != others;
}

/* True for a thread of a process that joined by --follow-peers. */
static __always_inline bool is_guest(struct task_struct *task)
{
	u32 pid = KREAD(task, tgid);

	return selection.peers && !(KREAD(task, flags) & PF_EXITING) &&
	       bpf_map_lookup_elem(&guests, &pid);
}

/*
 * Reports what could not be reported when the peer joined, in a wake-up. The record is built in
 * `scratch`, because the peer may be using its own `extra`.
 */
static __always_inline void peer_report(struct task_struct *task, struct task_state *state)
{
	u32 zero = 0;
	struct wire_descriptors *record = bpf_map_lookup_elem(&scratch, &zero);

	__sync_fetch_and_and(&state->flags, ~TASK_UNTOLD);
	if (record && is_leader(task))
		descriptors_walk(task, state, record, WIRE_SNAPSHOT);
	waiting_report(task);
}

SEC("iter/task")
int snapshot_begin(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct task_state *state;
	bool guest;

	if (!task)
		return 0;
	guest = is_guest(task);
	if (!guest && !is_chosen(task))
		return 0;
	state = task_state_of(task);
	if (state && state->flags & TASK_UNTOLD)
		peer_report(task, state);
	if (state && state->flags)
		return 0;
	state = task_state_make(task);
	if (!state)
		return 0;
	if (guest)
		state->flags = TASK_GUEST;
	snapshot_record(task);
	unseen_found(state, task);
	if (is_leader(task) || has_own_files(task))
		descriptors_record(task, state, WIRE_SNAPSHOT);
	sleeping_call_follow(state, task);
	if (!glance) /* signals sent from now on are recorded by the hook */
		waiting_report(task);
	if (KREAD(task, __state) &
	    TASK_DEAD) /* it died meanwhile: the scheduler's hook has missed it */
		task_forget(state);
	return 0;
}

#endif
