/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * read(2) and write(2), above all of pipes: the commonest calls by far, so they take the short way.
 * A descriptor that was a pipe's end a moment ago is looked at only to see that it still is.
 */
#ifndef BPF_PLAIN_H
#define BPF_PLAIN_H

#include "bpf/operation.h"
#include "bpf/payload.h"
#include "bpf/position.h"
#include "bpf/target.h"
#include "bpf/turn.h"

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
	struct pipe_inode_info *pipe = KREAD(inode, i_pipe);

	return pipe ? KREAD(pipe, ring_size) : 0;
}

/*
 * A struct file may be used again for another: inode, its number and the way it is open tell. The
 * kernel keeps its description as long as the size of its ring is the same.
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

static __always_inline void plain_begin(struct task_state *state,
					const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;
	u64 len = argument(state, 2);

	operation->requested = len;
	operation->has |= WIRE_HAS_REQUESTED;
	if (row->role == ROLE_SEND)
		state->cold = !payload_append(state, argument(state, 1), len);
}

/*
 * Where it stands, and how many hold its ends. Another thread may have closed the descriptor
 * meanwhile, and the inode may be another pipe's now.
 */
static __always_inline void pipe_state_read(struct wire_operation *operation)
{
	struct inode *inode = (struct inode *)operation->object.object.address;
	struct pipe_inode_info *pipe = KREAD(inode, i_pipe);

	if (!pipe || inode_number(inode) != operation->object.object.number)
		return;
	pipe_position(&operation->at_exit, pipe);
	operation->readers = KREAD(pipe, readers);
	operation->writers = KREAD(pipe, writers);
	operation->has |= WIRE_HAS_ENDS;
}

/* The end of a call on a pipe. */
static __always_inline void plain_finish(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;
	bool receives = state->role == ROLE_RECEIVE;

	if (receives && operation->returned > 0) {
		payload_append(state, argument(state, 1), operation->returned);
	} else if (!receives && state->cold) {
		operation->payload_len = 0;
		payload_append(state, argument(state, 1), argument(state, 2));
	}
	pipe_state_read(operation);
	turn_last(state, task);
	operation_send(state, task, WIRE_COMPLETE);
}

#endif
