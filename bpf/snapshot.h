/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was there before tracing began: a walk over all threads (iter/task) that follows the chosen
 * ones, tells of them and their descriptors, and of the calls that they sleep in. The same walk at
 * the end tells once more what everybody holds.
 */
#ifndef BPF_SNAPSHOT_H
#define BPF_SNAPSHOT_H

#include "bpf/call.h"

/*
 * A thread asleep in a system call: its registers still hold the arguments. One that runs, or was
 * interrupted elsewhere, has none that could be trusted. Its memory cannot be read from here, so a
 * call that sends has no payload.
 */
static __always_inline bool sleeping_call_find(struct task_state *state, struct task_struct *task,
					       struct pt_regs *regs)
{
	if (!call_found(state, task, regs))
		return false;
	state->operation.enter_ns = state->operation.exit_ns = bpf_ktime_get_ns();
	state->nr = state->operation.nr;
	return true;
}

/* How often it has left the processor: as long as that stays, it sleeps the same sleep. */
static __always_inline u64 switches_of(struct task_struct *task)
{
	return KREAD(task, nvcsw) + KREAD(task, nivcsw);
}

/*
 * When it last came to a processor, before it fell asleep there: the scheduler's clock counts from
 * another moment than ours, and we ourselves came to ours just now (kernel/sched/stats.h).
 */
static __always_inline u64 last_ran_ns(struct task_struct *task, u64 now)
{
	struct task_struct *current = bpf_get_current_task_btf();
	u64 arrival, ours;

	if (!bpf_core_field_exists(task->sched_info.last_arrival))
		return now;
	arrival = KREAD(task, sched_info.last_arrival);
	ours = KREAD(current, sched_info.last_arrival);
	return arrival && arrival < ours && ours - arrival < now ? now - (ours - arrival) : now;
}

/*
 * From the moment that it is traced, the thread may leave the call and complete the operation by
 * itself; a thread that no longer sleeps then has either done so or left before we could see it.
 */
static __always_inline void sleeping_call_follow(struct task_state *state, struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	bool found = KREAD(task, __state) & TASK_INTERRUPTIBLE &&
		     sleeping_call_find(state, task, regs);

	if (!found) {
		late_follow(state);
		return;
	}
	state->begun = 1;
	state->recording = 1;
	task_follow(state);
	if (KREAD(task, __state) & TASK_INTERRUPTIBLE) {
		state->asleep_since_ns = state->operation.enter_ns;
		if (glance) {
			state->switches = switches_of(task);
			state->operation.enter_ns = last_ran_ns(task, state->operation.enter_ns);
			state->operation.exit_ns = state->operation.enter_ns;
			waits_at_sleep(state, task, row_of(state->nr));
		}
		operation_send(state, task, WIRE_BEGIN);
	}
}

static __always_inline void snapshot_record(struct task_struct *task)
{
	struct wire_process *record = process_reserve(WIRE_SNAPSHOT, task);

	if (record)
		record_submit(record);
}

static __always_inline bool is_leader(struct task_struct *task)
{
	return KREAD(task, pid) == KREAD(task, tgid);
}

/* A thread that does not share the descriptors of its process's first one. */
static __always_inline bool has_own_files(struct task_struct *task)
{
	struct files_struct *others = KREAD(KREAD(task, group_leader), files);

	return others && KREAD(task, files) && KREAD(task, files) != others;
}

static __always_inline bool is_guest(struct task_struct *task)
{
	u32 pid = KREAD(task, tgid);

	return selection.peers && !(KREAD(task, flags) & PF_EXITING) &&
	       bpf_map_lookup_elem(&guests, &pid);
}

/* A peer that joined in a wake-up, where there was no time for this. It may be busy in `extra`. */
static __always_inline void peer_tell(struct task_struct *task, struct task_state *state)
{
	u32 zero = 0;
	struct wire_descriptors *record = bpf_map_lookup_elem(&scratch, &zero);

	__sync_fetch_and_and(&state->flags, ~TASK_UNTOLD);
	if (record && is_leader(task))
		descriptors_walk(task, state, record, WIRE_SNAPSHOT);
}

SEC("iter/task")
int snapshot_begin(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct task_state *state;
	bool guest;

	if (!task)
		return 0;
	guest = is_guest(task);
	if (!guest && !is_chosen(task))
		return 0;
	state = task_state_of(task);
	if (state && state->flags & TASK_UNTOLD)
		peer_tell(task, state);
	if (state && state->flags)
		return 0;
	state = task_state_make(task);
	if (!state)
		return 0;
	if (guest)
		state->flags = TASK_GUEST;
	snapshot_record(task);
	if (is_leader(task) || has_own_files(task))
		descriptors_record(task, state, WIRE_SNAPSHOT);
	sleeping_call_follow(state, task);
	if (KREAD(task, __state) & TASK_DEAD) /* it died meanwhile: no scheduler will tell */
		task_forget(state);
	return 0;
}

#endif
