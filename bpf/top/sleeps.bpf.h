/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How long each thread sleeps in a call that may move data. */
#ifndef BPF_TOP_SLEEPS_BPF_H
#define BPF_TOP_SLEEPS_BPF_H

#include "bpf/core/machine.bpf.h"
#include "bpf/core/syscall_table.bpf.h"

struct top_sleep {
	u64 since_ns; /* when it fell asleep; 0: it is awake */
	u64 slept_ns; /* in the call so far, sleeps that have ended */
	u64 told_ns;  /* part of the call's sleep that was counted already */
	u32 nr;	      /* the call */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct top_sleep);
} sleeps SEC(".maps");

/*
 * 1: the thread that runs on this processor has slept in its call. Few have, and to look into a
 * thread's storage costs more than to look here.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} rested SEC(".maps");

static __always_inline u32 *rested_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&rested, &zero);
}

/* The row of a call that may move data of an IPC object; NULL for any other. */
static __always_inline const volatile struct syscall_row *moving_row(u64 nr)
{
	const volatile struct syscall_row *row = &syscall_rows[nr & (SYSCALL_ROWS - 1)];

	if (nr >= SYSCALL_ROWS ||
	    (row->role != ROLE_SEND && row->role != ROLE_RECEIVE && row->role != ROLE_TRANSFER))
		return 0;
	return row;
}

static __always_inline void sleep_begins(struct task_struct *task, u64 now)
{
	u64 nr = KREAD((struct pt_regs *)bpf_task_pt_regs(task), REGISTER_CALL);
	struct top_sleep *sleep;

	if (!moving_row(nr) || KREAD(task, flags) & PF_KTHREAD)
		return;
	sleep = bpf_task_storage_get(&sleeps, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!sleep)
		return;
	if (sleep->nr != nr)
		sleep->slept_ns = sleep->told_ns = 0;
	sleep->nr = nr;
	sleep->since_ns = now;
}

static __always_inline void sleep_ends(struct task_struct *task, u64 now)
{
	struct top_sleep *sleep = bpf_task_storage_get(&sleeps, task, 0, 0);
	u32 *here = rested_here();

	if (sleep && sleep->since_ns) {
		sleep->slept_ns += now - sleep->since_ns;
		sleep->since_ns = 0;
	}
	if (here)
		*here = sleep && sleep->slept_ns;
}

/* Takes what the thread slept in the call that returns now; `*untold`: what was not yet counted. */
static __always_inline u64 sleep_take(struct task_struct *task, u32 nr, u64 *untold)
{
	u32 *here = rested_here();
	struct top_sleep *sleep;
	u64 slept = 0;

	*untold = 0;
	if (!here || !*here)
		return 0;
	*here = 0;
	sleep = bpf_task_storage_get(&sleeps, task, 0, 0);
	if (!sleep || !sleep->slept_ns)
		return 0;
	if (sleep->nr == nr) {
		slept = sleep->slept_ns;
		*untold = slept > sleep->told_ns ? slept - sleep->told_ns : 0;
	}
	sleep->slept_ns = sleep->told_ns = 0;
	return slept;
}

#endif
