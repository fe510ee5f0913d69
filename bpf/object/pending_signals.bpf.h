/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reports signals that are pending when a thread is first traced: they were sent before the trace.
 * The list is walked without its lock. If it changes meanwhile, a record may be wrong; the delivery
 * record of that signal then contradicts it.
 */
#ifndef BPF_OBJECT_PENDING_SIGNALS_BPF_H
#define BPF_OBJECT_PENDING_SIGNALS_BPF_H

#include "bpf/object/signal_record.bpf.h"

#define WAITING_MAX 8192 /* most signals of one list that are reported */
#define SIGNALS 64

struct waiting_walk {
	struct list_head *head;
	struct list_head *next;
	u64 reported; /* numbers of the signals reported, a bit each */
	u32 pid;
	u32 tid;
	bool group;
};

static __always_inline bool has_waiting(void)
{
	return KHAS(struct task_struct, pending) && KHAS(struct signal_struct, shared_pending) &&
	       KHAS(struct sigpending, list) && KHAS(struct sigpending, signal.sig) &&
	       KHAS(struct list_head, next) && KHAS(struct sigqueue, list) &&
	       KHAS(struct sigqueue, info) && KHAS(struct kernel_siginfo, si_signo);
}

static __always_inline void waiting_fill(struct wire_signal *record,
					 const struct waiting_walk *walk)
{
	record->to_pid = walk->pid;
	record->to_tid = walk->tid;
	record->group = walk->group;
	record_submit(record);
}

static long waiting_visit(u32 index, void *context)
{
	struct waiting_walk *walk = context;
	struct sigqueue *entry = (struct sigqueue *)walk->next;
	struct wire_signal *record;
	int number;

	if (!entry || walk->next == walk->head)
		return 1;
	number = KREAD(entry, info.si_signo);
	if (number < 1 || number > SIGNALS)
		return 1;
	record = signal_reserve(WIRE_WAITING, number, 0);
	if (!record)
		return 1;
	siginfo_read(record, (u64)KFIELD(entry, struct sigqueue, info));
	waiting_fill(record, walk);
	walk->reported |= 1ULL << (number - 1);
	walk->next = KREAD(entry, list.next);
	return 0;
}

/* A signal for which the kernel had no memory left, or needed none, is only a bit in the set. */
static long waiting_bare(u32 index, void *context)
{
	struct waiting_walk *walk = context;
	struct wire_signal *record;

	if (!(walk->reported >> index & 1))
		return 0;
	record = signal_reserve(WIRE_WAITING, index + 1, 0);
	if (record)
		waiting_fill(record, walk);
	return 0;
}

static __always_inline void waiting_list(struct task_struct *task, struct sigpending *pending,
					 bool group)
{
	struct waiting_walk walk = {.group = group};
	u64 all = KREAD(pending, signal.sig[0]);

	walk.pid = KREAD(task, tgid);
	walk.tid = KREAD(task, pid);
	walk.head = KFIELD(pending, struct sigpending, list);
	walk.next = KREAD(pending, list.next);
	bpf_loop(WAITING_MAX, waiting_visit, &walk, 0);
	walk.reported = all & ~walk.reported;
	if (walk.reported)
		bpf_loop(SIGNALS, waiting_bare, &walk, 0);
}

/* The process's shared pending signals are reported with its first thread. */
static __noinline int waiting_report(struct task_struct *task)
{
	struct signal_struct *signal;

	if (!task || !has_waiting())
		return 0;
	signal = KREAD(task, signal);
	waiting_list(task, KFIELD(task, struct task_struct, pending), false);
	if (signal && KREAD(task, pid) == KREAD(task, tgid))
		waiting_list(task, KFIELD(signal, struct signal_struct, shared_pending), true);
	return 0;
}

#endif
