/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --lossless: slows traced threads down while the ring is crowded. The command is frozen then, by a
 * process that needs a processor for it (user/capture/warden.c). A host that takes this processor
 * away for some milliseconds would cost a small ring its rest. With each call taking up to BRAKE_NS
 * longer, the rest lasts for hundreds of milliseconds.
 */
#ifndef BPF_HOOKS_BRAKE_BPF_H
#define BPF_HOOKS_BRAKE_BPF_H

#include "bpf/core/task_state.bpf.h"

#define BRAKE_NS 1000000
#define BRAKE_ROUNDS (1 << 17) /* take longer than BRAKE_NS on any machine */

const volatile __u64 brake_len = 0; /* unread bytes in the ring from which on calls are slowed */

static long brake_round(u64 round, void *until_ns)
{
	return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) <= brake_len ||
	       bpf_ktime_get_ns() >= *(u64 *)until_ns;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_brake, struct pt_regs *regs, long returned)
{
	u64 until_ns;

	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) <= brake_len ||
	    !task_state_traced(bpf_get_current_task_btf()))
		return 0;
	until_ns = bpf_ktime_get_ns() + BRAKE_NS;
	bpf_loop(BRAKE_ROUNDS, brake_round, &until_ns, 0);
	return 0;
}

#endif
