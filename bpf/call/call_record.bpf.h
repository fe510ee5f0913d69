/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Completes the operation that a thread's state holds with the state of its object, and sends it.
 */
#ifndef BPF_CALL_CALL_RECORD_BPF_H
#define BPF_CALL_CALL_RECORD_BPF_H

#include "bpf/object/describe.bpf.h"

static __always_inline void pipe_ends_read(struct wire_operation *operation,
					   struct pipe_inode_info *pipe)
{
	if (!KHAS(struct pipe_inode_info, readers) || !KHAS(struct pipe_inode_info, writers))
		return;
	operation->readers = KREAD_IF(pipe, readers);
	operation->writers = KREAD_IF(pipe, writers);
	operation->has |= WIRE_HAS_ENDS;
}

static __always_inline void ends_read(struct wire_operation *operation, struct file *file)
{
	struct inode *inode = KREAD(file, f_inode);
	struct pipe_inode_info *pipe = KREAD_IF(inode, i_pipe);

	/*
	 * Another thread may have closed the descriptor meanwhile, and it may now refer to another
	 * file.
	 */
	if ((u64)inode != operation->object.object.address || !pipe)
		return;
	pipe_ends_read(operation, pipe);
}

static __always_inline void mq_depth_read(struct wire_operation *operation, struct file *file)
{
	struct inode *inode = KREAD(file, f_inode);
	struct mqueue_inode_info *info;

	info = KHOLDER(inode, struct mqueue_inode_info, vfs_inode);
	if ((u64)inode != operation->object.object.address || !info ||
	    !KHAS(struct mqueue_inode_info, attr.mq_curmsgs))
		return;
	operation->queued = KREAD(info, attr.mq_curmsgs);
	operation->has |= WIRE_HAS_QUEUED;
}

static __always_inline void sysv_depth_read(struct wire_operation *operation,
					    struct task_struct *task)
{
	struct msg_queue *queue = (struct msg_queue *)sysv_find(task, MECH_SYSV_MSG,
								operation->object.object.number);

	if (!queue || !KHAS(struct msg_queue, q_qnum))
		return;
	operation->queued = KREAD_IF(queue, q_qnum);
	operation->has |= WIRE_HAS_QUEUED;
}

/* Reads the state of the object after the call: the ends of a pipe, the depth of a queue. */
static __always_inline void object_state_read(struct wire_operation *operation,
					      struct task_struct *task)
{
	u32 mechanism = operation->object.mechanism;
	struct file *file;

	if (mechanism == MECH_SYSV_MSG) {
		sysv_depth_read(operation, task);
		return;
	}
	if (mechanism != MECH_PIPE && mechanism != MECH_FIFO && mechanism != MECH_POSIX_MQ)
		return;
	file = file_of_fd(task, operation->object.fd);
	if (!file)
		return;
	if (mechanism == MECH_POSIX_MQ)
		mq_depth_read(operation, file);
	else
		ends_read(operation, file);
}

/*
 * Asking how full the ring is has its cost, so only every 16th operation of a thread asks; the ring
 * holds thousands of records.
 */
#define RECORDS_UNASKED 16 /* a power of two */

static __always_inline u64 operation_flags(struct task_state *state)
{
	return state->sent++ & (RECORDS_UNASKED - 1) ? BPF_RB_NO_WAKEUP : record_flags();
}

/*
 * Most records are short, and a copy of fixed size costs less than bpf_ringbuf_output() with a
 * variable length. Valid bytes end with the payload, as payload_len says; the rest is undefined.
 */
#define SHORT_EXTRA 8

struct short_operation {
	struct wire_operation operation;
	u8 extra[SHORT_EXTRA];
};

static __always_inline long short_send(struct task_state *state)
{
	struct short_operation *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record)
		return -1;
	__builtin_memcpy(record, &state->operation, sizeof(*record));
	bpf_ringbuf_submit(record, operation_flags(state));
	return 0;
}

/*
 * Sends the operation, with its details before it and block and payload behind it, as one record.
 * Counts it as lost if the ring is full.
 */
static __always_inline void operation_send(struct task_state *state, struct task_struct *task,
					   u32 operation_state)
{
	struct wire_operation *operation = &state->operation;
	u64 len = operation->block_len ? WIRE_ADDRESS_LEN : 0;
	long failed;

	len += operation->payload_len;
	barrier_var(len);
	if (len > WIRE_ADDRESS_LEN + WIRE_PAYLOAD_MAX)
		return;
	len += sizeof(*operation);
	operation->state = operation_state;
	head_fill_of(&operation->head, WIRE_OPERATION, len, task);
	if (operation->has & WIRE_HAS_DETAILS) {
		len += sizeof(state->details);
		head_fill_of(&state->details.head, WIRE_DETAILED, len, task);
		failed = bpf_ringbuf_output(&records, &state->details, len, operation_flags(state));
	} else if (len <= sizeof(struct short_operation)) {
		failed = short_send(state);
	} else {
		failed = bpf_ringbuf_output(&records, operation, len, operation_flags(state));
	}
	if (failed)
		loss_count(LOSS_RING);
}

#endif
