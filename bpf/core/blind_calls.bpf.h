/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Detects when a thread may have entered or left a system call without our hooks being run.
 *
 * From 7.2 on a thread may be preempted while a program of sys_enter or sys_exit runs for it
 * (include/trace/bpf_probe.h, __BPF_DECLARE_TRACE_SYSCALL no longer disables preemption). Until
 * that thread runs again, the kernel skips the program for all other threads on this processor,
 * because it takes it for re-entered (kernel/trace/bpf_trace.c, __bpf_trace_run: prog->active).
 * Therefore both programs have several copies (spare_copies.bpf.h): a call is missed only if every
 * copy is held by a preempted thread.
 *
 * A thread preempted in a copy is bound to its processor: the program runs between
 * migrate_disable() and migrate_enable(), and `active` changes only in between. So no more copies
 * are held than there are bound threads of this processor that are not running, whichever process
 * they belong to. The scheduler's hook counts these, and the count does not change while a thread
 * runs.
 */
#ifndef BPF_CORE_BLIND_CALLS_BPF_H
#define BPF_CORE_BLIND_CALLS_BPF_H

#include "bpf/core/task_state.bpf.h"

#define CALL_COPIES 3 /* programs on sys_enter, and on sys_exit: see user/tracer/spare_copies.def */

/*
 * 1: threads may be preempted in these programs on this kernel, so the copies are loaded too
 * (user/tracer/spare_copies.c).
 */
const volatile __u8 spares = 0;

/* Number of threads that are bound to this processor and not running. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} bound SEC(".maps");

/* How often a traced thread began to run while all copies may have been held. */
__u64 blind_runs = 0;

/*
 * Nesting depth of migrate_disable() that the kernel itself adds to the current thread to run our
 * program; the least value seen, see bound_count().
 */
__u32 own_binding = 0xffff;

static __always_inline u64 *bound_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&bound, &zero);
}

/* True if all copies may be held on this processor, so that a call may be missed. */
static __always_inline bool is_blind(void)
{
	u64 *count = spares ? bound_here() : 0;

	return count && *count >= CALL_COPIES;
}

/* True if the thread may have passed an entry or exit unseen since its last entry. */
static __always_inline bool may_have_missed_calls(const struct task_state *state)
{
	return spares && (state->may_have_missed || is_blind());
}

/*
 * Counts the bound threads at a context switch. A thread that sleeps voluntarily is bound only by
 * what the kernel does to run this program, so its nesting depth tells how much that adds.
 */
static __always_inline void bound_count(struct task_struct *previous, struct task_struct *next,
					bool sleeps)
{
	u32 binding = KREAD_IF(previous, migration_disabled);
	u64 *count = bound_here();

	if (!count)
		return;
	if (sleeps && binding < own_binding)
		own_binding = binding;
	if (binding > own_binding)
		(*count)++;
	if (KREAD_IF(next, migration_disabled) && *count)
		(*count)--;
}

/* Called when a traced thread begins to run. */
static __always_inline void blind_look(struct task_state *state)
{
	if (!is_blind())
		return;
	state->may_have_missed = 1;
	__sync_fetch_and_add(&blind_runs, 1);
}

#endif
