/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path for read(2) and write(2), by far the most frequent calls, mainly on pipes. A
 * descriptor that was found to be a pipe's end is remembered, and the next call only checks that it
 * still is.
 */
#ifndef BPF_CALL_PIPE_FAST_PATH_BPF_H
#define BPF_CALL_PIPE_FAST_PATH_BPF_H

#include "bpf/call/call_object.bpf.h"
#include "bpf/call/call_record.bpf.h"
#include "bpf/call/payload.bpf.h"
#include "bpf/call/stream_position.bpf.h"
#include "bpf/call/write_segments.bpf.h"

static __always_inline bool is_pipe(u32 mechanism)
{
	return mechanism == MECH_PIPE || mechanism == MECH_FIFO;
}

static __always_inline struct known_pipe *pipe_slot(struct task_state *state)
{
	return &state->pipes[argument(state, 0) & (PIPES_LATELY - 1)];
}

static __always_inline u32 pipe_ring_size(struct inode *inode)
{
	struct pipe_inode_info *pipe = KREAD_IF(inode, i_pipe);

	return pipe ? KREAD_IF(pipe, ring_size) : 0;
}

/*
 * Sets the operation's object if the descriptor is still the remembered pipe's end. A struct file
 * may have been used again for another file, which shows in the inode, its number and the open
 * mode. An unchanged ring size means an unchanged description.
 */
static __always_inline bool pipe_recall(struct task_state *state, struct task_struct *task)
{
	const struct known_pipe *known = pipe_slot(state);
	struct file *file = file_of_fd(task, argument(state, 0));
	struct inode *inode;

	if (!file || known->file != (u64)file)
		return false;
	inode = KREAD(file, f_inode);
	if ((u64)inode != known->object.object.address ||
	    inode_number(inode) != known->object.object.number ||
	    pipe_ring_size(inode) != known->ring_size || KREAD(file, f_mode) != known->mode ||
	    KREAD(file, f_flags) != known->flags)
		return false;
	state->operation.object = known->object;
	state->operation.object.fd = argument(state, 0);
	return true;
}

static __always_inline void pipe_remember(struct task_state *state, struct task_struct *task)
{
	struct known_pipe *known = pipe_slot(state);
	struct file *file = file_of_fd(task, argument(state, 0));

	if (!file)
		return;
	known->file = (u64)file;
	known->mode = KREAD(file, f_mode);
	known->flags = KREAD(file, f_flags);
	known->object = state->operation.object;
	known->ring_size = pipe_ring_size((struct inode *)state->operation.object.object.address);
}

static __always_inline void pipe_fast_path_begin(struct task_state *state,
						 const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;
	u64 len = argument(state, 2);

	operation->requested = len;
	operation->has |= WIRE_HAS_REQUESTED;
	if (row->role == ROLE_SEND)
		state->cold = !payload_put(state, argument(state, 1), len);
}

/*
 * Reads the pipe's position and the number of its ends at exit. Another thread may have closed the
 * descriptor meanwhile, and the inode may now belong to another pipe.
 */
static __always_inline void pipe_state_read(struct wire_operation *operation)
{
	struct inode *inode = (struct inode *)operation->object.object.address;
	struct pipe_inode_info *pipe = KREAD_IF(inode, i_pipe);

	if (!pipe || inode_number(inode) != operation->object.object.number)
		return;
	if (has_pipe_positions())
		pipe_position(&operation->at_exit, pipe);
	pipe_ends_read(operation, pipe);
}

/*
 * Completes and sends the operation of a plain call on a pipe. The position comes first, see
 * positions_at_exit().
 */
static __always_inline void pipe_fast_path_finish(struct task_state *state,
						  struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;
	bool receives = state->role == ROLE_RECEIVE;

	pipe_state_read(operation);
	if (receives && operation->returned > 0) {
		payload_put(state, argument(state, 1), operation->returned);
	} else if (!receives && state->cold) {
		operation->payload_len = 0;
		payload_put(state, argument(state, 1), argument(state, 2));
	}
	lock_segment_last(state, task);
	operation_send(state, task, WIRE_COMPLETE);
}

#endif
