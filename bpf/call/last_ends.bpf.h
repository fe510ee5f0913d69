/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tells whether a call that gives up a descriptor gives up the last end of a pipe or socket with
 * it, so that the other side sees the end of file. It uses the kernel's own counts: references to
 * an open file, and open files per side of a pipe.
 */
#ifndef BPF_CALL_LAST_ENDS_BPF_H
#define BPF_CALL_LAST_ENDS_BPF_H

#include "bpf/call/call_object.bpf.h"
#include "bpf/core/syscall_table.bpf.h"

/* The kernel has neither of the known counters: any file may have references that are not seen. */
#define REFERENCES_UNKNOWN ((s64)-1)

/*
 * References to an open file. include/linux/file_ref.h: the newer counter is one less than their
 * number.
 */
static __always_inline s64 file_references_of(u64 address)
{
	struct file___ref *newer = (void *)address;
	struct file___count *older = (void *)address;

	if (KHAS(struct file___ref, f_ref.refcnt.counter))
		return KREAD(newer, f_ref.refcnt.counter) + 1;
	return KHAS(struct file___count, f_count.counter) ? KREAD(older, f_count.counter)
							  : REFERENCES_UNKNOWN;
}

/* Number of ends of the file's side (fs/pipe.c); of a file open for both, those that can write. */
static __always_inline u32 pipe_ends(struct file *file, struct pipe_inode_info *pipe)
{
	return KREAD(file, f_mode) & FMODE_WRITE ? KREAD_IF(pipe, writers)
						 : KREAD_IF(pipe, readers);
}

static __always_inline bool is_connection(u32 mechanism)
{
	return mechanism == MECH_UNIX_STREAM || mechanism == MECH_UNIX_SEQPACKET ||
	       mechanism == MECH_TCP;
}

/* How many ends are left, as references if the file has more than one; 0: not known. */
static __always_inline s64 ends_left(struct file *file, u32 mechanism)
{
	struct pipe_inode_info *pipe = KREAD_IF(KREAD(file, f_inode), i_pipe);
	s64 references = file_references_of((u64)file);

	if (references == REFERENCES_UNKNOWN)
		return 0;
	if (is_connection(mechanism) || references > 1)
		return references;
	return (mechanism == MECH_PIPE || mechanism == MECH_FIFO) && pipe ? pipe_ends(file, pipe)
									  : 0;
}

/* True if the descriptor's file has no other reference and is the only end of its kind. */
static __always_inline bool is_last_end(struct task_struct *task, const struct wire_fd *end)
{
	struct file *file = file_of_fd(task, end->fd);

	return file && ends_left(file, end->mechanism) == 1;
}

static __always_inline bool replaces(const struct task_state *state,
				     const volatile struct syscall_row *row)
{
	return row->data == DATA_ONTO && (s32)state->details.args[0] != (s32)state->details.args[1];
}

/* dup2(2): identifies what the new descriptor was before, which is closed by the call. */
static __always_inline bool replaced_at_entry(struct task_state *state, struct task_struct *task,
					      const volatile struct syscall_row *row)
{
	struct wire_fd *replaced = &state->details.new_fds[1];

	if (!replaces(state, row))
		return false;
	object_of_fd(state, replaced, task, state->details.args[1]);
	return replaced->mechanism != MECH_NONE;
}

/*
 * Called before the descriptor is closed. Not static for the verifier's sake, see file_identify().
 */
__noinline int parting_begin(struct task_state *state, s32 fd, u32 mechanism)
{
	struct file *file = file_of_fd(bpf_get_current_task_btf(), fd);
	s64 left;

	if (!state || !file)
		return 0;
	left = ends_left(file, mechanism);
	if (left == 1)
		state->operation.left = WIRE_LEFT_NONE;
	else if (left > 1)
		state->parting = (u64)file;
	state->parting_inode = (u64)KREAD(file, f_inode);
	return 0;
}

static __always_inline void parting_at_entry(struct task_state *state,
					     const volatile struct syscall_row *row, u32 nr)
{
	const struct wire_fd *end = &state->operation.object;

	state->parting = 0;
	if (row->data == DATA_ONTO)
		end = &state->details.new_fds[1];
	else if (nr != __NR_close)
		return;
	if (end->mechanism != MECH_NONE)
		parting_begin(state, end->fd, end->mechanism);
}

/*
 * Called at exit: the file had other references at entry, which may be gone by now. The call lowers
 * the file's count at once, although the effects of the last reference come later (fs/file_table.c,
 * fput()). A call of another thread counts as a reference while it uses the file, so nothing is
 * concluded if threads share the descriptor table. The file's memory may belong to another file by
 * now; its inode is then a different one.
 */
static __always_inline void parting_at_exit(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;
	struct file *file = (struct file *)state->parting;
	struct files_struct *files = KREAD(task, files);

	if (operation->returned < 0 && operation->nr != __NR_close)
		operation->left = WIRE_LEFT_UNKNOWN;
	else if (file && files && KREAD(files, count.counter) == 1 &&
		 file_references_of((u64)file) > 0 &&
		 (u64)KREAD(file, f_inode) == state->parting_inode)
		operation->left = WIRE_LEFT_OTHERS;
	state->parting = 0;
}

#endif
