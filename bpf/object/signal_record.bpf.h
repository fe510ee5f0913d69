/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Builds the record of one signal event, and reads what the kernel's siginfo says. */
#ifndef BPF_OBJECT_SIGNAL_RECORD_BPF_H
#define BPF_OBJECT_SIGNAL_RECORD_BPF_H

#include "bpf/core/task_state.bpf.h"

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

static __always_inline bool has_siginfo(void)
{
	return KHAS(struct kernel_siginfo, si_code) &&
	       KHAS(struct kernel_siginfo, _sifields._kill._pid) &&
	       KHAS(struct kernel_siginfo, _sifields._rt._sigval.sival_int);
}

/*
 * Reads the siginfo of a tracepoint's argument, which may be 0 or 1 (SEND_SIG_PRIV) instead of a
 * pointer, although the kernel's BTF declares a pointer. So it is passed as a number: 6.12 and 7.2
 * refuse to dereference it otherwise.
 */
static __always_inline void siginfo_read(struct wire_signal *record, u64 info)
{
	struct kernel_siginfo *siginfo = (struct kernel_siginfo *)info;

	record->privileged = info == SEND_SIG_PRIV;
	if (info <= SEND_SIG_PRIV || !has_siginfo())
		return;
	record->has_info = 1;
	record->code = KREAD(siginfo, si_code);
	record->sender_pid = KREAD(siginfo, _sifields._kill._pid);
	if (WIRE_BRINGS_VALUE(record->code))
		record->value = KREAD(siginfo, _sifields._rt._sigval.sival_int);
}

#endif
