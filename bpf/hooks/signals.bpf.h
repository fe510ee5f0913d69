/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hooks of signals: their generation, their delivery, and the handler's return. Generation and
 * delivery both fire under the target's siglock, so their order is that of the kernel's own queue
 * (kernel/signal.c: __send_signal_locked, get_signal).
 */
#ifndef BPF_HOOKS_SIGNALS_BPF_H
#define BPF_HOOKS_SIGNALS_BPF_H

#include "bpf/core/task_state.bpf.h"
#include "bpf/object/signal_reach.bpf.h"
#include "bpf/object/signal_record.bpf.h"

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGWINCH 28
#define SIGSYS 31
#define SYS_SECCOMP 1
#define WAKING_MAX_NS 10000 /* an earlier wake-up does not belong to this signal */

static __always_inline u8 target_word(u32 sleep)
{
	return sleep & (TASK_STOPPED_BIT | TASK_TRACED_BIT) ? WIRE_TARGET_STOPPED
							    : WIRE_TARGET_BLOCKED;
}

static __always_inline void target_was_woken(struct wire_signal *record,
					     const struct waking *waking)
{
	record->target = target_word(waking->sleep);
	record->target_operation = waking->operation;
	record->chosen_tid = waking->tid;
}

/*
 * True if this thread woke a thread of the process `pid` at or after `since_ns`, so that it
 * belongs to the signal being generated now.
 */
static __always_inline bool is_this_waking(const struct waking *waking, u32 pid, u64 since_ns)
{
	return waking->sleep && waking->pid == pid && waking->at_ns >= since_ns &&
	       waking->by == (u32)bpf_get_current_pid_tgid();
}

/* Reads the target's state if no thread was woken: it runs, or is about to, or sleeps on. */
static __always_inline void target_looks(struct wire_signal *record, struct task_struct *target,
					 const struct task_state *state)
{
	u32 sleep = target->__state & (0x1 | 0x2 | TASK_STOPPED_BIT | TASK_TRACED_BIT);

	if (record->group && !(KREAD_IF(target->signal, nr_threads) == 1))
		return; /* it is not known which thread will take the signal */
	if (!KHAS(struct task_struct, on_cpu))
		return;
	if (KREAD_IF(target, on_cpu)) {
		record->target = WIRE_TARGET_RUNNING;
	} else if (!sleep) {
		record->target = WIRE_TARGET_READY;
	} else {
		record->target = target_word(sleep);
		record->target_operation = state && state->recording ? state->operation.id : 0;
	}
}

static __always_inline void target_read(struct wire_signal *record, struct task_struct *target,
					const struct task_state *sender)
{
	const struct task_state *state = task_state_traced(target);
	u64 since_ns = record->at_ns - WAKING_MAX_NS;

	if (sender && sender->recording)
		since_ns = sender->operation.enter_ns;
	if (sender && is_this_waking(&sender->woke, record->to_pid, since_ns))
		target_was_woken(record, &sender->woke);
	else if (!sender && state && is_this_waking(&state->waking, record->to_pid, since_ns))
		target_was_woken(record, &state->waking);
	else
		target_looks(record, target, state);
}

/*
 * True for a signal that a terminal sends. Only drivers/tty sends these numbers with SEND_SIG_PRIV,
 * except that a process that exits sends SIGHUP so to orphaned groups.
 */
static __always_inline bool is_of_terminal(const struct wire_signal *record,
					   struct task_struct *target)
{
	int number = record->number;

	if (!record->privileged)
		return false;
	if (number == SIGHUP)
		return !(bpf_get_current_task_btf()->flags & PF_EXITING);
	return (number == SIGINT || number == SIGQUIT || number == SIGTSTP || number == SIGTTIN ||
		number == SIGTTOU || number == SIGWINCH) &&
	       KREAD_IF(target->signal, tty);
}

SEC("tp_btf/signal_generate")
int signal_generate(u64 *context)
{
	u64 info = 0;
	struct task_struct *target = (struct task_struct *)context[2];
	struct task_state *sender = task_state_traced(bpf_get_current_task_btf());
	struct wire_signal *record;
	bool refused;

	bpf_probe_read_kernel(&info, sizeof(info), &context[1]);
	reach_note(target, (int)context[0], info, sender);
	if (!sender && !task_state_traced(target))
		return 0;
	record = signal_reserve(WIRE_GENERATE, (int)context[0], sender);
	if (!record)
		return 0;
	siginfo_read(record, info);
	record->to_pid = target->tgid;
	record->to_tid = target->pid;
	record->group = context[3] != 0;
	record->result = (int)context[4];
	record->terminal = is_of_terminal(record, target);
	target_read(record, target, sender);
	refused = record->number == SIGSYS && record->code == SYS_SECCOMP;
	record_submit(record);
	if (refused && sender)
		unseen_report(sender, bpf_get_current_task_btf(), WIRE_UNSEEN_SECCOMP);
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
	handler = (u64)KREAD(action, sa.sa_handler);
	record->action = handler > 1 ? 2 : handler;
	record->to_pid = record->head.pid;
	record->to_tid = record->head.tid;
	record_submit(record);
	return 0;
}

/*
 * rt_sigreturn(2) has returned: its result is what the interrupted call now returns, or restarts
 * with.
 */
static __always_inline void signal_returned(s64 returned)
{
	struct wire_signal *record = signal_reserve(WIRE_RETURN, 0, 0);

	if (!record)
		return;
	record->returned = returned;
	record_submit(record);
}

#endif
