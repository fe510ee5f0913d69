/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the calls of processes that a glance watches for a moment, since they run: attached for
 * that moment only. The processes are those of `wanted`.
 */
#ifndef BPF_HOOKS_WATCHED_CALLS_BPF_H
#define BPF_HOOKS_WATCHED_CALLS_BPF_H

#include "bpf/call/call_object.bpf.h"

#define ERRORS_MOST 4095 /* include/linux/err.h: MAX_ERRNO */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct wire_watched);
	__type(value, u64);
} watched_calls SEC(".maps");

static __always_inline void watched_count(struct wire_watched *call)
{
	u64 *count = bpf_map_lookup_elem(&watched_calls, call), one = 1;

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&watched_calls, call, &one, BPF_ANY);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(watched_exit, struct pt_regs *regs, long returned)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wire_watched call = {
		.pid = KREAD(task, tgid), .tid = KREAD(task, pid), .fd = -1, .status = -1};
	const volatile struct syscall_row *row;
	u32 pid = call.pid, nr;
	u64 args[6];

	if (!bpf_map_lookup_elem(&wanted, &pid) || syscall_is_compat(task))
		return 0;
	call.nr = nr = KREAD(regs, REGISTER_CALL);
	/* Without it the mask of row_of() goes, and Linux 6.1 does not see the bound. */
	barrier_var(nr);
	row = row_of(nr);
	syscall_arguments(regs, args);
	if (call.nr < SYSCALL_ROWS && row->role != ROLE_NONE && !row->fd)
		call.fd = args[0];
	if (returned < 0 && returned >= -ERRORS_MOST)
		call.error = -returned;
	/* What cannot be read is set to 0, as the status of one that ended well is. */
	if (call.nr < SYSCALL_ROWS && row->data == DATA_STATUS && returned > 0 &&
	    bpf_probe_read_user(&call.status, sizeof(call.status), (void *)args[1]))
		call.status = -1;
	watched_count(&call);
	return 0;
}

#endif
