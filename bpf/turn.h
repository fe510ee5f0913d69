/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Turns of a large write. One that finds the pipe full gives its lock up and sleeps with a part of
 * its bytes written, and others come between; while it has the lock, nobody does (fs/pipe.c,
 * pipe_write). A turn is what it wrote under the lock: from where the pipe stood when the thread
 * ran again, or got the lock after waiting for it, to where it stood when the thread fell asleep.
 * Sleeps that no signal ends, for memory or for the lock, are within a turn. Two turns without a
 * sleep between them, since a reader on another processor was quick, are told as one; had it to
 * wait for the lock between them, the second one alone is told. A later turn (the first may begin
 * within a buffer) in which the thread lost its processor is cut in two, if the pipe has moved
 * meanwhile: then others had the lock.
 */
#ifndef BPF_TURN_H
#define BPF_TURN_H

#include "bpf/position.h"
#include "bpf/target.h"

static __always_inline u32 turn_cursor(const struct task_state *state)
{
	struct inode *inode = (struct inode *)state->operation.object.object.address;
	struct pipe_inode_info *pipe = KREAD(inode, i_pipe);

	return pipe ? KREAD(pipe, head) : 0;
}

/* At entry, when it is known how much is to be written and where the pipe stands. */
static __always_inline void turn_first(struct task_state *state)
{
	const struct wire_operation *operation = &state->operation;

	state->between = 0;
	state->later = 0;
	state->large = state->role == ROLE_SEND && operation->requested > PAGE_SIZE_LEN &&
		       (operation->object.mechanism == MECH_PIPE ||
			operation->object.mechanism == MECH_FIFO);
	state->turn_from = operation->at_entry.pipe.head;
}

static __always_inline void turn_tell(struct task_state *state, struct task_struct *task, u32 to)
{
	struct wire_turn *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		loss_count(LOSS_RING);
		return;
	}
	head_fill_of(&record->head, WIRE_TURN, sizeof(*record), task);
	record->operation = state->operation.id;
	record->from = state->turn_from;
	record->to = to;
	record_submit(record);
}

static __always_inline void turn_over(struct task_state *state, struct task_struct *task)
{
	u32 to = turn_cursor(state);

	turn_tell(state, task, to);
	state->turn_from = to; /* unless we see where it stands when the thread runs again */
	state->between = 1;
	state->later = 1;
}

static __always_inline void turn_cut(struct task_state *state)
{
	state->cut = 1;
	state->cut_at = turn_cursor(state);
}

static __always_inline void turn_resume(struct task_state *state, struct task_struct *task)
{
	u32 now = turn_cursor(state);

	state->cut = 0;
	if (now == state->cut_at)
		return;
	if (state->cut_at != state->turn_from)
		turn_tell(state, task, state->cut_at);
	state->turn_from = now;
}

/* Woken from between two: whatever it writes is behind that, should nobody see it run again. */
static __always_inline void turn_woken(struct task_state *state)
{
	if (state->between)
		state->turn_from = turn_cursor(state);
}

static __always_inline void turn_next(struct task_state *state)
{
	state->between = 0;
	state->turn_from = turn_cursor(state);
}

/*
 * It has waited for the lock. false: that was not before the first turn that is told, in which it
 * may fill up a buffer that it found, so that at_lock has to say how full that was.
 */
static __always_inline bool turn_locked(struct task_state *state)
{
	if (state->large)
		state->turn_from = turn_cursor(state);
	return !state->large || !state->later;
}

/* At exit: the last one, where there were others, or others may have had the lock meanwhile. */
static __always_inline void turn_last(struct task_state *state, struct task_struct *task)
{
	if (state->large && (state->operation.off_cpu_ns || state->between))
		turn_tell(state, task, state->operation.at_exit.pipe.head);
	state->large = 0;
}

#endif
