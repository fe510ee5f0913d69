/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Remembers which process sent a signal to the tracer or to the command that it started. The tracer
 * passes on only signals that were sent to it alone, so it must know which ones the command got
 * directly, and which the command's own processes sent. A sender may have exited before user space
 * can look at it, so it is noted here, while it is the current task and the signal is not yet
 * taken.
 */
#ifndef BPF_OBJECT_SIGNAL_REACH_BPF_H
#define BPF_OBJECT_SIGNAL_REACH_BPF_H

#include "bpf/object/signal_record.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wire_reach);
	__type(value, struct wire_reached);
} reached SEC(".maps");

/* Pid of the command that the tracer started; user/ sets it before the command is let go. */
__u32 command_pid = 0;

/*
 * Notes a signal to the tracer or the command. `info` holds the same code and pid that the tracer
 * reads with its signal (kernel/signal.c: __send_signal_locked, which calls the tracepoint with the
 * target's siglock held). A peer that joined by --follow-peers does not count as traced here: it
 * may be the command's supervisor.
 */
static __always_inline void reach_note(struct task_struct *target, int number, u64 info,
				       const struct task_state *sender)
{
	struct kernel_siginfo *siginfo = (struct kernel_siginfo *)info;
	struct wire_reach reach = {.pid = KREAD(target, tgid), .number = (u32)number};
	struct wire_reached how = {.at_ns = bpf_ktime_get_ns()};

	if (!command_pid || (reach.pid != selection.self && reach.pid != command_pid))
		return;
	if (info && !(KHAS(struct kernel_siginfo, si_code) &&
		      KHAS(struct kernel_siginfo, _sifields._kill._pid)))
		return;
	if (info == SEND_SIG_PRIV || (info && KREAD(siginfo, si_code) > 0))
		return; /* sent by the kernel itself */
	reach.sender = info ? KREAD(siginfo, _sifields._kill._pid)
			    : (u32)(bpf_get_current_pid_tgid() >> 32);
	how.traced = sender && !(sender->flags & TASK_GUEST);
	bpf_map_update_elem(&reached, &reach, &how, BPF_ANY);
	reach.sender = 0; /* the tracer reads 0 if the kernel had no memory for a siginfo */
	bpf_map_update_elem(&reached, &reach, &how, BPF_ANY);
}

#endif
