// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What threads did when tracing ended, where no pending operation tells. */
#include "viz/model/builder.h"

/*
 * The kernel wakes an open(2) to read that waits for a lease at each tick (fs/locks.c,
 * __break_lease(): it sleeps until fl_break_time, which only those who write set).
 */
void build_note_lease_wait(struct viz_operation *op)
{
	if (op->state == STATE_PENDING && op->extra->lease &&
	    op->thread->state == TARGET_STATE_RUNNING)
		op->thread->state = TARGET_STATE_NONE;
}

static void note_watched(struct model_builder *b, struct viz_thread *thread)
{
	size_t counts = 0;

	thread->calls = build_list(b, FIELD_state_calls, &thread->calls_count);
	thread->counts = build_uints(b, FIELD_state_counts, &counts);
	if (counts < thread->calls_count)
		thread->calls_count = counts;
}

void build_thread_line(struct model_builder *b)
{
	const uint64_t at_ns = build_time(b, FIELD_state_at_ns);
	struct viz_process *process = build_process(b, build_u32(b, FIELD_state_pid), at_ns);
	struct viz_thread *thread = build_thread(b, process, build_u32(b, FIELD_state_tid), at_ns);
	const enum target_state state = (enum target_state)VALUE(state, state)->number;
	const bool watched = VALUE(state, watched_ns)->present;

	if (watched)
		note_watched(b, thread);
	if (watched && state != TARGET_STATE_RUNNING) { /* what it waits for, its call tells */
		thread->naps_ns = VALUE(state, watched_ns)->number;
		return;
	}
	thread->state = state;
	thread->looked_ns = at_ns;
	if (VALUE(state, since_ns)->present)
		thread->since_ns = build_time(b, FIELD_state_since_ns);
	if (VALUE(state, signal)->present)
		thread->stop_signal = signal_by_name(build_string(b, FIELD_state_signal).data);
	thread->call = build_string(b, FIELD_state_syscall);
	thread->fault = VALUE(state, fault)->flag;
	thread->uninterruptible = VALUE(state, uninterruptible)->flag;
	thread->own = VALUE(state, own)->flag && !VALUE(state, timed)->flag;
	if (thread->own) {
		thread->shared = VALUE(state, shared)->flag;
		thread->blocks = VALUE(state, blocks)->number;
		thread->lock = VALUE(state, lock)->number;
		thread->owner = build_u32(b, FIELD_state_owner);
		thread->joins = build_u32(b, FIELD_state_joins);
	}
	if (watched)
		thread->watched_ns = VALUE(state, watched_ns)->number;
}
