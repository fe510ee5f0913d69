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
	if (WIRE_BRINGS_VALUE(record->code))
		record->value = BPF_CORE_READ(siginfo, _sifields._rt._sigval.sival_int);
}

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGWINCH 28
#define SIGSYS 31
#define SYS_SECCOMP 1
#define WAKING_MAX_NS 10000 /* a wake-up longer ago is no part of this signal */

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

/* A wake-up that belongs to the signal that is being generated now, by this thread. */
static __always_inline bool is_this_waking(const struct waking *waking, u32 pid, u64 since_ns)
{
	return waking->sleep && waking->pid == pid && waking->at_ns >= since_ns &&
	       waking->by == (u32)bpf_get_current_pid_tgid();
}

/* Nobody was woken: so it runs, or is about to, or sleeps on. */
static __always_inline void target_looks(struct wire_signal *record, struct task_struct *target,
					 const struct task_state *state)
{
	u32 sleep = target->__state & (0x1 | 0x2 | TASK_STOPPED_BIT | TASK_TRACED_BIT);

	if (record->group && KREAD(target->signal, nr_threads) > 1)
		return; /* the thread that is meant is not known */
	if (target->on_cpu) {
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
 * drivers/tty sends with SEND_SIG_PRIV to the processes of a terminal, and nobody else sends these
 * so. SIGHUP comes to orphaned groups too, from a process that exits.
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
	       KREAD(target->signal, tty);
}

SEC("tp_btf/signal_generate")
int signal_generate(u64 *context)
{
	u64 info = 0;
	struct task_struct *target = (struct task_struct *)context[2];
	struct task_state *sender = task_state_traced(bpf_get_current_task_btf());
	struct wire_signal *record;
	bool refused;

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
	record->terminal = is_of_terminal(record, target);
	target_read(record, target, sender);
	refused = record->number == SIGSYS && record->code == SYS_SECCOMP;
	record_submit(record);
	if (refused && sender)
		unseen_tell(sender, bpf_get_current_task_btf(), WIRE_UNSEEN_SECCOMP);
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
