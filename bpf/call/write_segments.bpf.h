/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lock segments of a large write. A write that finds the pipe full releases the pipe's lock
 * and sleeps with a part of its bytes written, and other writers may write meanwhile; while it has
 * the lock, no other writer can (fs/pipe.c, pipe_write). A lock segment is what it wrote under the
 * lock, as a range of pipe head values: from the head when the thread ran again, or got the lock
 * after waiting for it, to the head when it fell asleep.
 *
 * Sleeps that no signal ends, for memory or for the lock, are within a segment. If a reader on
 * another processor is so quick that the write does not sleep between two segments, they are
 * reported as one. If it had to wait for the lock between them, it cannot be told which of the
 * buffers before the second one were the first, so these are reported as unsure. A later
 * segment (the first may begin within a buffer) in which the thread left its processor awake is
 * split in two if the pipe's head has moved meanwhile, because another writer then had the lock. It
 * leaves it awake if it is preempted, or if it was woken just before it would have fallen asleep.
 */
#ifndef BPF_CALL_WRITE_SEGMENTS_BPF_H
#define BPF_CALL_WRITE_SEGMENTS_BPF_H

#include "bpf/call/call_object.bpf.h"
#include "bpf/call/stream_position.bpf.h"

/* Head of the pipe that the call acts on; 0: not known. */
static __always_inline u32 lock_segment_cursor(const struct task_state *state)
{
	struct inode *inode = (struct inode *)state->operation.object.object.address;
	struct pipe_inode_info *pipe = KREAD_IF(inode, i_pipe);

	return pipe ? KREAD_IF(pipe, head) : 0;
}

/* Starts the first segment at entry. The requested length and at_entry must be known. */
static __always_inline void lock_segment_first(struct task_state *state)
{
	const struct wire_operation *operation = &state->operation;

	state->between = 0;
	state->later = 0;
	state->large = state->role == ROLE_SEND && operation->requested > page_len &&
		       has_pipe_positions() &&
		       (operation->object.mechanism == MECH_PIPE ||
			operation->object.mechanism == MECH_FIFO);
	state->lock_segment_from = operation->at_entry.pipe.head;
}

static __always_inline void lock_segment_report(struct task_state *state, struct task_struct *task,
						u32 to, enum wire_lock_segment_kind kind)
{
	struct wire_lock_segment *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		loss_count(LOSS_RING);
		return;
	}
	head_fill_of(&record->head, WIRE_LOCK_SEGMENT, sizeof(*record), task);
	record->operation = state->operation.id;
	record->from = state->lock_segment_from;
	record->to = to;
	record->kind = kind;
	record->pad = 0;
	record_submit(record);
}

/* The write falls asleep: its segment ends. */
static __always_inline void lock_segment_over(struct task_state *state, struct task_struct *task)
{
	u32 to = lock_segment_cursor(state);

	lock_segment_report(state, task, to, WIRE_LOCK_SEGMENT_PIPE);
	state->lock_segment_from = to; /* in case the head is not read when the thread runs again */
	state->between = 1;
	state->later = 1;
}

/* The thread leaves its processor in a segment, awake. */
static __always_inline void lock_segment_cut(struct task_state *state)
{
	state->cut = 1;
	state->cut_at = lock_segment_cursor(state);
}

/* The thread runs again after lock_segment_cut(): splits the segment if the head has moved. */
static __always_inline void lock_segment_resume(struct task_state *state, struct task_struct *task)
{
	u32 now = lock_segment_cursor(state);

	state->cut = 0;
	if (now == state->cut_at)
		return;
	if (state->cut_at != state->lock_segment_from)
		lock_segment_report(state, task, state->cut_at, WIRE_LOCK_SEGMENT_PIPE);
	state->lock_segment_from = now;
}

/*
 * The write is woken between two segments. What it writes next begins at this head or later, which
 * holds even if its return to a processor is not seen.
 */
static __always_inline void lock_segment_woken(struct task_state *state)
{
	if (state->between)
		state->lock_segment_from = lock_segment_cursor(state);
}

/* The write runs again after a sleep: its next segment begins. */
static __always_inline void lock_segment_next(struct task_state *state)
{
	state->between = 0;
	state->lock_segment_from = lock_segment_cursor(state);
}

/*
 * True if the write may already have filled buffers before it waited for the lock at this head. In
 * its first segment that needs a pipe that was full since its entry.
 */
static __always_inline bool lock_segment_may_precede(const struct task_state *state,
						     struct pipe_inode_info *pipe, u32 head)
{
	if (head == state->lock_segment_from)
		return false;
	return state->later || !KHAS(struct pipe_inode_info, max_usage) ||
	       head - state->operation.at_entry.pipe.tail >= KREAD_IF(pipe, max_usage);
}

/*
 * The write got the lock after waiting for it. True if at_lock must be recorded: only in its first
 * segment may it append to a buffer that it found, so only there at_lock must say how full that
 * buffer was.
 */
static __always_inline bool lock_segment_locked(struct task_state *state, struct task_struct *task,
						struct pipe_inode_info *pipe)
{
	u32 head;

	if (!state->large)
		return true;
	head = KREAD(pipe, head);
	if (lock_segment_may_precede(state, pipe, head))
		lock_segment_report(state, task, head, WIRE_LOCK_SEGMENT_UNSURE);
	state->lock_segment_from = head;
	return !state->later;
}

/*
 * Reports the last segment at exit, if there were others or if another writer may have had the lock
 * meanwhile.
 */
static __always_inline void lock_segment_last(struct task_state *state, struct task_struct *task)
{
	if (state->large && (state->operation.off_cpu_ns || state->between))
		lock_segment_report(state, task, state->operation.at_exit.pipe.head,
				    WIRE_LOCK_SEGMENT_PIPE);
	state->large = 0;
}

#endif
