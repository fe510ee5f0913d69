/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The descriptors that a call has made. */
#ifndef BPF_MADE_H
#define BPF_MADE_H

#include "bpf/target.h"

#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030

static __always_inline bool makes_descriptor(const struct task_state *state,
					     const volatile struct syscall_row *row)
{
	if (row->result == RESULT_FCNTL)
		return state->details.args[1] == F_DUPFD ||
		       state->details.args[1] == F_DUPFD_CLOEXEC;
	return row->result == RESULT_FD;
}

/* signalfd4 with a descriptor changes that one. */
static __always_inline bool is_new_instance(const struct task_state *state)
{
	switch (state->operation.nr) {
	case __NR_epoll_create1:
#ifdef __NR_epoll_create
	case __NR_epoll_create:
#endif
	case __NR_timerfd_create:
	case __NR_inotify_init1:
#ifdef __NR_inotify_init
	case __NR_inotify_init:
#endif
		return true;
#ifdef __NR_signalfd
	case __NR_signalfd:
#endif
	case __NR_signalfd4:
		return (s32)state->details.args[0] == -1;
	default:
		return false;
	}
}

static __always_inline void instance_forget_fd(struct task_struct *task, u32 fd)
{
	struct file *file = file_of_fd(task, fd);

	if (file)
		instance_forget(file);
}

static __always_inline bool opens_file(u32 nr)
{
#ifdef __NR_open
	if (nr == __NR_open)
		return true;
#endif
	return nr == __NR_openat || nr == __NR_openat2;
}

static __always_inline void terminal_forget_fd(struct task_struct *task, u32 fd)
{
	struct file *file = file_of_fd(task, fd);

	if (file)
		terminal_forget(file);
}

/*
 * fs/pipe.c: what lies in a FIFO goes with its last end, and the next open makes it anew, which
 * counts the opens of each side; alloc_pipe_info() begins with 1.
 */
static __always_inline void fifo_count(struct wire_fd *made, struct task_struct *task)
{
	struct file *file = file_of_fd(task, made->fd);
	struct pipe_inode_info *pipe = file ? KREAD(KREAD(file, f_inode), i_pipe) : 0;
	u32 opens;

	if (!pipe)
		return;
	opens = made->access & WIRE_ACCESS_READ ? KREAD(pipe, r_counter) : KREAD(pipe, w_counter);
	made->opens = opens <= 255 ? opens - 1 : 255;
}

static __always_inline void made_finish(struct task_state *state, struct task_struct *task,
					const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;
	s32 pair[2];

	if (operation->returned < 0)
		return;
	if (makes_descriptor(state, row)) {
		if (is_new_instance(state))
			instance_forget_fd(task, operation->returned);
		else if (opens_file(operation->nr))
			terminal_forget_fd(task, operation->returned);
		object_of_fd(state, &state->details.made[0], task, operation->returned);
		if (opens_file(operation->nr) && state->details.made[0].mechanism == MECH_FIFO)
			fifo_count(&state->details.made[0], task);
		return;
	}
	if (row->result != RESULT_FDPAIR ||
	    bpf_probe_read_user(pair, sizeof(pair), (void *)argument(state, row->buf)))
		return;
	object_of_fd(state, &state->details.made[0], task, pair[0]);
	object_of_fd(state, &state->details.made[1], task, pair[1]);
}

#endif
