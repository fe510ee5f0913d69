/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that serve as locks: open(2) with O_CREAT and O_EXCL makes one only where there is none. A
 * call that is refused is recorded, and so are the later ones of the thread that open any file to
 * write there. Without those nothing would tell that it got the lock in between, or that it is no
 * lock: many programs create a file if there is none, and then write to it.
 */
#ifndef BPF_CALL_LOCK_FILES_BPF_H
#define BPF_CALL_LOCK_FILES_BPF_H

#include "bpf/call/new_descriptors.bpf.h"

#define EEXIST 17
#define OPENS_TO_WRITE 3 /* O_ACCMODE */
#define CREATES 0100	 /* O_CREAT, the same for each processor that is named */

/* The flags of openat2(2) lie in the caller's memory, so that it is taken for one that writes. */
static __always_inline bool opens_to_write(const struct task_state *state,
					   const volatile struct syscall_row *row)
{
	u64 flags = row->buf == 1 ? state->details.args[2] : state->details.args[1];

	return state->operation.nr == __NR_openat2 || flags & (OPENS_TO_WRITE | CREATES);
}

static __always_inline bool is_refused_creation(const struct task_state *state)
{
	return state->operation.returned == -EEXIST && opens_file(state->operation.nr);
}

/* True for what is recorded of these calls; a refused one is, in any case. */
static __always_inline bool follows_lock_file(const struct task_state *state,
					      const volatile struct syscall_row *row)
{
	return is_refused_creation(state) ||
	       (state->met_lock_file && state->operation.returned >= 0 &&
		opens_file(state->operation.nr) && opens_to_write(state, row));
}

#endif
