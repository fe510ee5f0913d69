/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Identifies the descriptors that a call has made, once it returns. */
#ifndef BPF_CALL_NEW_DESCRIPTORS_BPF_H
#define BPF_CALL_NEW_DESCRIPTORS_BPF_H

#include "bpf/call/call_object.bpf.h"

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

/*
 * True if the call made an object to which the kernel gives no number. signalfd4 with a descriptor
 * changes an existing one.
 */
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
 * Counts the opens of this side of a FIFO since its pipe exists, this one included. fs/pipe.c: the
 * last close frees the pipe with its contents, and the next open makes a new one, whose r_counter
 * and w_counter alloc_pipe_info() sets to 1.
 */
static __always_inline void fifo_count(struct wire_fd *new_fd, struct task_struct *task)
{
	struct file *file = file_of_fd(task, new_fd->fd);
	struct pipe_inode_info *pipe = file ? KREAD_IF(KREAD(file, f_inode), i_pipe) : 0;
	u32 opens;

	if (!pipe || !KHAS(struct pipe_inode_info, r_counter) ||
	    !KHAS(struct pipe_inode_info, w_counter))
		return;
	opens = new_fd->access & WIRE_ACCESS_READ ? KREAD_IF(pipe, r_counter)
						  : KREAD_IF(pipe, w_counter);
	new_fd->opens = opens <= 255 ? opens - 1 : 255;
}

static __always_inline void new_descriptors_finish(struct task_state *state,
						   struct task_struct *task,
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
		object_of_fd(state, &state->details.new_fds[0], task, operation->returned);
		if (opens_file(operation->nr) && state->details.new_fds[0].mechanism == MECH_FIFO)
			fifo_count(&state->details.new_fds[0], task);
		return;
	}
	if (row->result != RESULT_FDPAIR ||
	    bpf_probe_read_user(pair, sizeof(pair), (void *)argument(state, row->buf)))
		return;
	object_of_fd(state, &state->details.new_fds[0], task, pair[0]);
	object_of_fd(state, &state->details.new_fds[1], task, pair[1]);
}

#endif
