/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hook of the scheduler: threads that leave the processor (asleep in a call, stopped, ended), and
 * threads that return to one.
 */
#ifndef BPF_HOOKS_SCHED_SWITCH_BPF_H
#define BPF_HOOKS_SCHED_SWITCH_BPF_H

#include "bpf/call/futex_owner.bpf.h"
#include "bpf/call/sleeper_slots.bpf.h"
#include "bpf/call/write_segments.bpf.h"
#include "bpf/core/blind_calls.bpf.h"
#include "bpf/hooks/syscalls.bpf.h"

/*
 * Sends the begin record of the current task, with what it waits for. Not static for the verifier's
 * sake.
 */
__noinline int sleep_report(struct task_state *state)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!state)
		return 0;
	if (opens_file(state->operation.nr)) /* a FIFO, whose path a call may remove meanwhile */
		paths_known = 1;
	waits_at_sleep(state, task, row_of(state->operation.nr));
	operation_send(state, task, WIRE_BEGIN);
	return 0;
}

static __always_inline void sleep_begin(struct task_state *state, struct task_struct *task,
					u32 sleep, u64 now)
{
	state->asleep_since_ns = now;
	if (state->large && sleep & TASK_INTERRUPTIBLE)
		lock_segment_over(state, task);
	/*
	 * Only a sleep that a signal can end is a wait for another thread; other sleeps are for
	 * disk or locks.
	 */
	if (state->begun || !(sleep & TASK_INTERRUPTIBLE))
		return;
	if (is_unknown_futex(state)) {
		if (!state->operation.began_ns)
			state->operation.began_ns = now;
		return;
	}
	state->begun = 1;
	state->operation.began_ns = state->operation.exit_ns = now;
	if (!sleeper_park(state, task))
		sleep_report(state);
}

/*
 * Records a stop by a signal; stop_end() records its end. Stops by a debugger are reported once per
 * thread.
 */
static __always_inline void stop_begin(struct task_state *state, struct task_struct *task,
				       u32 sleep)
{
	struct wire_process *record;

	if (sleep & TASK_TRACED_BIT)
		unseen_report(state, task, WIRE_UNSEEN_PTRACE);
	if (!(sleep & TASK_STOPPED_BIT) || state->stopped)
		return;
	record = process_reserve(WIRE_STOP, task);
	if (!record)
		return;
	record_submit(record);
	state->stopped = 1;
}

static __always_inline void stop_end(struct task_state *state, struct task_struct *task)
{
	struct wire_process *record = process_reserve(WIRE_CONTINUE, task);

	state->stopped = 0;
	if (record)
		record_submit(record);
}

/*
 * `sleep` is the state that the scheduler acted on (its argument since 5.18). previous->__state may
 * have been changed since by a waker on another processor (kernel/sched/core.c, __schedule()).
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(call_switch, bool preempted, struct task_struct *previous, struct task_struct *next,
	     u32 sleep)
{
	struct task_state *state = task_state_traced(previous);
	u64 now = 0; /* the same time for both threads */

	if (state && sleep & TASK_INTERRUPTIBLE && takes_datagrams(state))
		state->unserved = state->recording;
	if (state && sleep & TASK_DEAD) {
		task_forget(state); /* the thread's last switch: its parent has got SIGCHLD */
	} else if (state && !preempted && sleep & (TASK_STOPPED_BIT | TASK_TRACED_BIT)) {
		stop_begin(state, previous, sleep);
	} else if (state && state->recording && !preempted && sleep) {
		now = bpf_ktime_get_ns();
		sleep_begin(state, previous, sleep, now);
	} else if (state && state->large && state->later) {
		lock_segment_cut(state);
	}
	if (spares)
		bound_count(previous, next, !preempted && sleep);
	state = task_state_traced(next);
	runner_switch(state, next);
	if (!state)
		return 0;
	if (spares)
		blind_look(state);
	state->waking.sleep = 0;
	if (state->stopped)
		stop_end(state, next);
	if (state->cut)
		lock_segment_resume(state, next);
	if (state->asleep_since_ns) {
		if (!now)
			now = bpf_ktime_get_ns();
		state->operation.off_cpu_ns += now - state->asleep_since_ns;
		state->operation.resumed_ns = now;
		state->asleep_since_ns = 0;
		if (state->between)
			lock_segment_next(state);
		if (state->recording && splices_stream(state))
			taken_look(state);
	}
	if (state->unserved) {
		state->unserved = 0;
		datagram_look(state);
	}
	return 0;
}

#endif
