/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A regular file as standard input is no IPC until a shell and what it starts read it in turns:
 * they share its offset, so what one takes the other does not get. One record tells of a process
 * that found its end, where it began to read, and how much it took.
 */
#ifndef BPF_CALL_FILE_INPUT_BPF_H
#define BPF_CALL_FILE_INPUT_BPF_H

#include "bpf/object/object.bpf.h"

static __always_inline void file_input_report(const struct task_state *state,
					      struct task_struct *task, u64 inode)
{
	struct wire_input *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		loss_count(LOSS_RING);
		return;
	}
	head_fill_of(&record->head, WIRE_INPUT, sizeof(*record), task);
	record->at_ns = bpf_ktime_get_ns();
	record->inode = inode;
	record->since_ns = state->input_since;
	record->from = state->input_from;
	record->bytes = state->input_bytes;
	record_submit(record);
}

/* Descriptors below this one may be copies of standard input: ssh(1) reads what dup() gave it. */
#define INPUT_COPIES_END 16

/* The file of descriptor 0, if this descriptor refers to the same open file. */
static __always_inline struct file *file_input_of(struct task_struct *task, u64 fd)
{
	struct file *file = file_of_fd(task, 0);

	return fd && file && file != file_of_fd(task, fd) ? 0 : file;
}

/*
 * A read(2) of descriptor 0, or of a copy of it, that is not recorded has returned. A shell goes
 * back to the end of its line, but never to where its last read began: that is another file at the
 * same address.
 */
static __always_inline void file_input_read(struct task_state *state, struct task_struct *task,
					    long returned)
{
	struct file *file = file_input_of(task, state->details.args[0]);
	struct inode *inode = file ? KREAD(file, f_inode) : 0;
	u64 at;

	if (!inode || (KREAD(inode, i_mode) & S_IFMT) != S_IFREG)
		return;
	at = KREAD_IF(file, f_pos) - returned;
	if (state->input != (u64)file || at <= state->input_at) {
		state->input = (u64)file;
		state->input_from = at;
		state->input_since = bpf_ktime_get_ns();
		state->input_bytes = 0;
	}
	state->input_at = at;
	state->input_bytes += returned;
	if (returned || !state->input_bytes)
		return;
	file_input_report(state, task, inode_number(inode));
	state->input = 0; /* another file may get its address */
}

static __always_inline bool is_file_input(const struct task_state *state, long returned)
{
	return state->nr == __NR_read && state->details.args[0] < INPUT_COPIES_END && returned >= 0;
}

#endif
