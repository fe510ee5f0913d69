/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Copies of the hooks of calls (see blind_calls.bpf.h), and of those of processes, in which threads
 * may be preempted as well. Each copy checks whether an earlier program has seen this very event,
 * and does the whole work if none has. They are full copies: a tail call of the first program would
 * enter it while another thread is preempted in it. Both would then use one stack, because the
 * kernel gives a program one stack per processor (kernel/bpf/verifier.c, bpf_enable_priv_stack),
 * and the kernel oopses.
 */
#ifndef BPF_HOOKS_SPARE_COPIES_BPF_H
#define BPF_HOOKS_SPARE_COPIES_BPF_H

#include "bpf/core/blind_calls.bpf.h"
#include "bpf/hooks/processes.bpf.h"
#include "bpf/hooks/syscalls.bpf.h"

/*
 * True if no program has seen this entry. If the mark of an earlier entry is still set, all copies
 * missed that call's return, which happens only if may_have_missed_calls(). Seeing an entry twice
 * is harmless.
 */
static __always_inline bool is_entry_missed(const struct task_state *state)
{
	return !state->entered || may_have_missed_calls(state);
}

static __always_inline bool is_exit_missed(const struct task_state *state)
{
	return state->entered || state->late || state->recording;
}

#define SPARE(name, tracepoint, is_missed, work)                                                   \
	SEC("tp_btf/" #tracepoint)                                                                 \
	int BPF_PROG(name, struct pt_regs *regs, long number)                                      \
	{                                                                                          \
		struct task_struct *task = bpf_get_current_task_btf();                             \
		struct task_state *state = task_state_traced(task);                                \
                                                                                                   \
		return state && is_missed(state) ? work(state, task, regs, number) : 0;            \
	}

SPARE(call_enter_second, sys_enter, is_entry_missed, call_entered)
SPARE(call_enter_third, sys_enter, is_entry_missed, call_entered)
SPARE(call_exit_second, sys_exit, is_exit_missed, call_left)
SPARE(call_exit_third, sys_exit, is_exit_missed, call_left)

/* These events are rarer, so one copy of each suffices. */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork_second, struct task_struct *parent, struct task_struct *child)
{
	return task_state_traced(child) ? 0 : process_forked(parent, child);
}

/*
 * If the entry of this execve(2) was missed, the mark is still that of the last one, and this copy
 * leaves the event to the first program.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec_second, struct task_struct *task, pid_t old_tid,
	     struct linux_binprm *program)
{
	struct task_state *state = task_state_of(task);

	return state && state->execed ? 0 : process_execed(task, program);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit_second, struct task_struct *task)
{
	struct task_state *state = task_state_traced(task);

	return state && !(state->flags & TASK_ENDING) ? process_exited(task, state) : 0;
}

#endif
