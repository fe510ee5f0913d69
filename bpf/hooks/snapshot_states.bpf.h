/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each traced thread does when tracing ends, where no record of a call tells. So nobody pays
 * for sleeps in private futexes while the program runs, of which programs have many.
 *
 * Each thread is looked at twice. One that has not run in between has slept since before the first
 * look, so it slept at the moment between the two walks, as all others do of which that is told.
 */
#ifndef BPF_HOOKS_SNAPSHOT_STATES_BPF_H
#define BPF_HOOKS_SNAPSHOT_STATES_BPF_H

#include "bpf/hooks/snapshot_threads.bpf.h"

SEC("iter/task")
int states_look(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct task_state *state = task ? task_state_traced(task) : 0;

	if (!state)
		return 0;
	state->looked_ns = bpf_ktime_get_ns();
	state->looked_at = switches_of(task);
	return 0;
}

/*
 * Only threads with the same memory can wake a sleeper in a private futex (see futex(2)), wherever
 * that lies, or in memory that no other process maps, as those of pthread_join(3) and robust
 * mutexes.
 */
static __always_inline u8 own_of_futex(const struct wire_thread *record, struct task_struct *task)
{
	struct mapping mapping = {.address = record->futex};
	const bool private = record->futex_operation & FUTEX_PRIVATE_FLAG;

	if (mapping_find(task, &mapping))
		return private ? WIRE_OWN_MEMORY : WIRE_OWN_NONE;
	if (!(mapping.flags & VM_MAYSHARE))
		return WIRE_OWN_MEMORY;
	return private ? WIRE_OWN_SHARED : WIRE_OWN_NONE;
}

static __always_inline void own_wait_find(struct wire_thread *record, struct task_struct *task,
					  struct pt_regs *regs)
{
	if (record->nr != __NR_futex)
		return;
	record->futex = KREAD(regs, REGISTER_0);
	record->futex_operation = KREAD(regs, REGISTER_1);
	record->futex_value = KREAD(regs, REGISTER_2);
	record->own = own_of_futex(record, task);
	record->timed = KREAD(regs, REGISTER_3) != 0;
}

#define STOP_SIGNAL 0xffUL /* JOBCTL_STOP_SIGMASK: the signal of the last stop, of 64 */

/* It stays known when the parent has been told of it, and while no debugger holds the thread. */
static __always_inline u8 stop_signal_of(struct task_struct *task, u32 sleep)
{
	if (!(sleep & TASK_STOPPED_BIT))
		return 0;
	return KREAD_IF(task, jobctl) & STOP_SIGNAL;
}

/*
 * The call that a sleeper is in. A thread that is in none sleeps where it touched memory: then the
 * kernel keeps no number of a call (-1; arch/x86/entry/entry_64.S, arch/arm64/kernel/entry.S).
 */
static __always_inline u32 call_of_sleeper(struct pt_regs *regs)
{
	const u32 nr = KREAD(regs, REGISTER_CALL);

	return nr == WIRE_NO_CALL ? WIRE_PAGE_FAULT : nr;
}

static __always_inline void state_find(struct wire_thread *record, struct task_struct *task,
				       const struct task_state *state)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	u32 sleep = KREAD(task, __state);

	record->state = sleep & (TASK_STOPPED_BIT | TASK_TRACED_BIT) ? WIRE_TARGET_STOPPED
			: sleep					     ? WIRE_TARGET_BLOCKED
								     : WIRE_TARGET_RUNNING;
	record->nr = WIRE_NO_CALL;
	record->own = WIRE_OWN_NONE;
	record->timed = 0;
	record->uninterruptible = sleep & TASK_UNINTERRUPTIBLE ? 1 : 0;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	record->signal = stop_signal_of(task, sleep);
	record->blocked = KREAD_IF(task, blocked.sig[0]);
	record->futex = record->futex_operation = record->futex_value = 0;
	if (record->state != WIRE_TARGET_BLOCKED || !has_switches() ||
	    switches_of(task) != state->looked_at || syscall_is_compat(task))
		return;
	record->nr = call_of_sleeper(regs);
	if (sleep & TASK_INTERRUPTIBLE)
		own_wait_find(record, task, regs);
}

/* True if a record tells of the call that the thread sleeps in. */
static __always_inline bool sleep_is_told(struct task_struct *task, const struct task_state *state)
{
	return state->recording && state->begun && KREAD(task, __state) & TASK_INTERRUPTIBLE;
}

/*
 * Held by cgroup.freeze (record --lossless), a thread sleeps in no call, whatever its registers
 * say: of what it does nothing is known.
 */
#define TRAP_FREEZE (1UL << 23) /* JOBCTL_TRAP_FREEZE, include/linux/sched/jobctl.h */

static __always_inline bool is_held(struct task_struct *task)
{
	return KREAD_IF(task, jobctl) & TRAP_FREEZE;
}

static __always_inline void thread_report(struct task_struct *task, const struct task_state *state)
{
	struct wire_thread *record;

	if (!state->looked_ns || KREAD(task, __state) & TASK_DEAD || sleep_is_told(task, state) ||
	    is_held(task))
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		loss_count(LOSS_RING);
		return;
	}
	head_fill_of(&record->head, WIRE_THREAD, sizeof(*record), task);
	record->at_ns = state->looked_ns;
	record->since_ns = last_ran_ns(task, state->looked_ns);
	state_find(record, task, state);
	record_submit(record);
}

#endif
