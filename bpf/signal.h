/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signals: generated, delivered, and the handler's return. Generation and delivery both fire under
 * the target's siglock, so their order is the order of the kernel's own queue
 * (kernel/signal.c: __send_signal_locked, get_signal).
 */
#ifndef BPF_SIGNAL_H
#define BPF_SIGNAL_H

#include "bpf/state.h"

#define SEND_SIG_PRIV 1 /* linux/sched/signal.h: instead of a siginfo, "the kernel itself" */

static __always_inline struct wire_signal *signal_reserve(u32 event, int number,
							  struct task_state *current_state)
{
	struct wire_signal *record = record_reserve(struct wire_signal, WIRE_SIGNAL);

	if (!record)
		return 0;
	__builtin_memset((char *)record + sizeof(record->head), 0,
			 sizeof(*record) - sizeof(record->head));
	record->at_ns = bpf_ktime_get_ns();
	record->event = event;
	record->number = number;
	if (current_state && current_state->recording)
		record->operation = current_state->operation.id;
	return record;
}

/*
 * The argument may be 0 or 1 instead of a pointer, though the kernel's BTF calls it one; so it is
 * taken as a number first (6.12 and 7.2 refuse to follow it otherwise).
 */
static __always_inline void siginfo_read(struct wire_signal *record, u64 info)
{
	struct kernel_siginfo *siginfo = (struct kernel_siginfo *)info;

	record->privileged = info == SEND_SIG_PRIV;
	if (info <= SEND_SIG_PRIV)
		return;
	record->has_info = 1;
	record->code = BPF_CORE_READ(siginfo, si_code);
	record->sender_pid = BPF_CORE_READ(siginfo, _sifields._kill._pid);
}

SEC("tp_btf/signal_generate")
int signal_generate(u64 *context)
{
	u64 info = 0;
	struct task_struct *target = (struct task_struct *)context[2];
	struct task_state *sender = task_state_traced(bpf_get_current_task_btf());
	struct wire_signal *record;

	if (!sender && !task_state_traced(target))
		return 0;
	record = signal_reserve(WIRE_GENERATE, (int)context[0], sender);
	if (!record)
		return 0;
	bpf_probe_read_kernel(&info, sizeof(info), &context[1]);
	siginfo_read(record, info);
	record->to_pid = target->tgid;
	record->to_tid = target->pid;
	record->group = context[3] != 0;
	record->result = (int)context[4];
	record_submit(record);
	return 0;
}

SEC("tp_btf/signal_deliver")
int signal_deliver(u64 *context)
{
	u64 info = 0, handler;
	struct k_sigaction *action = (struct k_sigaction *)context[2];
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	struct wire_signal *record;

	if (!state)
		return 0;
	record = signal_reserve(WIRE_DELIVER, (int)context[0], state);
	if (!record)
		return 0;
	bpf_probe_read_kernel(&info, sizeof(info), &context[1]);
	siginfo_read(record, info);
	handler = (u64)BPF_CORE_READ(action, sa.sa_handler);
	record->action = handler > 1 ? 2 : handler;
	record->to_pid = record->head.pid;
	record->to_tid = record->head.tid;
	record_submit(record);
	return 0;
}

/* rt_sigreturn(2): its result is what the interrupted call now returns, or runs again with. */
static __always_inline void signal_returned(s64 returned)
{
	struct wire_signal *record = signal_reserve(WIRE_RETURN, 0, 0);

	if (!record)
		return;
	record->returned = returned;
	record_submit(record);
}

#endif
