/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that serve as locks: open(2) with O_CREAT and O_EXCL makes one only where there is none. A
 * call that is refused is recorded, and from the first one on those that succeed, too: without them
 * nothing would tell that a process got the lock in between.
 */
#ifndef BPF_CALL_LOCK_FILES_BPF_H
#define BPF_CALL_LOCK_FILES_BPF_H

#include "bpf/call/new_descriptors.bpf.h"

#define EEXIST 17
#define O_CREAT_EXCL 0300 /* O_CREAT | O_EXCL, the same for each processor that is named */

/* The flags of openat2(2) lie in the caller's memory, so what it creates is not known. */
static __always_inline bool creates_lock_file(const struct task_state *state,
					      const volatile struct syscall_row *row)
{
	u64 flags = row->buf == 1 ? state->details.args[2] : state->details.args[1];

	return state->operation.returned >= 0 && state->operation.nr != __NR_openat2 &&
	       (flags & O_CREAT_EXCL) == O_CREAT_EXCL;
}

static __always_inline bool meets_lock_file(const struct task_state *state,
					    const volatile struct syscall_row *row)
{
	if (!opens_file(state->operation.nr))
		return false;
	if (state->operation.returned != -EEXIST)
		return lock_files_known && creates_lock_file(state, row);
	lock_files_known = 1;
	return state->operation.nr != __NR_openat2;
}

#endif
