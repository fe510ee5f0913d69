/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads that leave the processor: asleep in a call, stopped, ended; and those that come back. */
#ifndef BPF_SLEEP_H
#define BPF_SLEEP_H

#include "bpf/call.h"
#include "bpf/sleeper.h"
#include "bpf/turn.h"

/* What no other place tells. Of the current task; not static for the verifier's sake. */
__noinline int sleep_tell(struct task_state *state)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!state)
		return 0;
	waits_at_sleep(state, task, row_of(state->operation.nr));
	operation_send(state, task, WIRE_BEGIN);
	return 0;
}

static __always_inline void sleep_begin(struct task_state *state, struct task_struct *task,
					u32 sleep, u64 now)
{
	state->asleep_since_ns = now;
	if (state->large && sleep & TASK_INTERRUPTIBLE)
		turn_over(state, task);
	/*
	 * Only a sleep that a signal could end is a wait for somebody; the others are disk and
	 * locks.
	 */
	if (state->begun || !(sleep & TASK_INTERRUPTIBLE))
		return;
	state->begun = 1;
	state->operation.began_ns = state->operation.exit_ns = now;
	if (!sleeper_park(state, task))
		sleep_tell(state);
}

/* A stop by a signal, and its end; a debugger's stops are told once. */
static __always_inline void stop_begin(struct task_state *state, struct task_struct *task,
				       u32 sleep)
{
	struct wire_process *record;

	if (sleep & TASK_TRACED_BIT)
		unseen_tell(state, task, WIRE_UNSEEN_PTRACE);
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
 * `sleep` is the state that the scheduler acted on (its argument since 5.18): previous->__state may
 * have been written since by a waker on another processor (kernel/sched/core.c, __schedule()).
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(call_switch, bool preempted, struct task_struct *previous, struct task_struct *next,
	     u32 sleep)
{
	struct task_state *state = task_state_traced(previous);
	u64 now = 0; /* one moment for who leaves and who comes */

	if (state && sleep & TASK_INTERRUPTIBLE && takes_datagrams(state))
		state->unserved = state->recording;
	if (state && sleep & TASK_DEAD) {
		task_forget(state); /* its last moment: the parent has its SIGCHLD by now */
	} else if (state && !preempted && sleep & (TASK_STOPPED_BIT | TASK_TRACED_BIT)) {
		stop_begin(state, previous, sleep);
	} else if (state && state->recording && !preempted && sleep) {
		now = bpf_ktime_get_ns();
		sleep_begin(state, previous, sleep, now);
	} else if (state && preempted && state->large && state->later) {
		turn_cut(state);
	}
	state = task_state_traced(next);
	if (!state)
		return 0;
	state->waking.sleep = 0;
	if (state->stopped)
		stop_end(state, next);
	if (state->cut)
		turn_resume(state, next);
	if (state->asleep_since_ns) {
		if (!now)
			now = bpf_ktime_get_ns();
		state->operation.off_cpu_ns += now - state->asleep_since_ns;
		state->operation.resumed_ns = now;
		state->asleep_since_ns = 0;
		if (state->between)
			turn_next(state);
	}
	if (state->unserved) {
		state->unserved = 0;
		datagram_look(state);
	}
	return 0;
}

#endif
