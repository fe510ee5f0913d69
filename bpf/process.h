/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes and threads: who is traced, fork, exec, rename and exit, and their descriptors. */
#ifndef BPF_PROCESS_H
#define BPF_PROCESS_H

#include <asm/unistd.h>

#include "bpf/operation.h"
#include "bpf/sleeper.h"

#define FDS_LOOKED_AT (1 << 20) /* descriptors of one table: fs/file.c's sysctl_nr_open default */

static __always_inline void process_fill(struct wire_process *record, u32 event,
					 struct task_struct *task, u32 size)
{
	__builtin_memset(record, 0, sizeof(*record));
	head_fill_of(&record->head, WIRE_PROCESS, size, task);
	record->at_ns = bpf_ktime_get_ns();
	record->event = event;
	record->ppid = KREAD(KREAD(task, real_parent), tgid);
	bpf_core_read_str(record->comm, sizeof(record->comm), &task->comm);
}

static __always_inline struct wire_process *process_reserve(u32 event, struct task_struct *task)
{
	struct wire_process *record = record_reserve(struct wire_process, WIRE_PROCESS);

	if (record)
		process_fill(record, event, task, sizeof(*record));
	return record;
}

/* The task's state, made where it has none; its flags are for the caller to set. */
static __always_inline struct task_state *task_state_make(struct task_struct *task)
{
	struct task_state *state = bpf_task_storage_get(&task_states, task, 0,
							BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (state)
		state->nr = NO_CALL;
	else
		loss_count(LOSS_STORAGE);
	return state;
}

static __always_inline void task_follow(struct task_state *state)
{
	state->flags |= TASK_TRACED;
	if (!(state->flags & TASK_GUEST))
		__sync_fetch_and_add(&live_tasks, 1);
}

/* A thread found while it runs: it may be anywhere in a call. */
static __always_inline void late_follow(struct task_state *state)
{
	state->late = 1;
	state->late_ns = bpf_ktime_get_ns();
	task_follow(state);
}

/* Whoever finds it dead first, the scheduler or a walk that came too late. */
static __always_inline void task_forget(struct task_state *state)
{
	u32 flags = __sync_lock_test_and_set(&state->flags, 0);

	if (flags & TASK_TRACED && !(flags & TASK_GUEST))
		__sync_fetch_and_add(&live_tasks, -1);
}

/* --children: who was just forked by a process that is wanted. Children have higher numbers. */
static __always_inline bool is_wanted_child(struct task_struct *task, u32 pid)
{
	u32 parent = KREAD(KREAD(task, real_parent), tgid);
	u8 yes = 1;

	if (!selection.children || !bpf_map_lookup_elem(&wanted, &parent))
		return false;
	bpf_map_update_elem(&wanted, &pid, &yes, BPF_ANY);
	return true;
}

static __always_inline bool is_chosen(struct task_struct *task)
{
	u32 pid = KREAD(task, tgid);

	if (pid == selection.self || KREAD(task, flags) & (PF_KTHREAD | PF_EXITING))
		return false;
	return selection.all || bpf_map_lookup_elem(&wanted, &pid) || is_wanted_child(task, pid);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct wire_process *record;
	struct task_state *state;
	bool shares_fds = child->files == parent->files;
	struct task_state *maker = task_state_traced(parent);

	if (!maker && !(selection.all && is_chosen(child)))
		return 0;
	state = task_state_make(child);
	if (!state)
		return 0;
	if (maker)
		state->flags = maker->flags & TASK_GUEST;
	task_follow(state);
	record = process_reserve(WIRE_FORK, child);
	if (!record)
		return 0;
	record->shares_fds = shares_fds;
	record->maker_tid = parent->pid;
	record_submit(record);
	return 0;
}

/*
 * A walk over a table of descriptors. The record is built in the task's own `extra`, which no
 * operation uses meanwhile: the descriptions of objects met on the way then go out before it.
 */
struct fd_walk {
	struct wire_descriptors *record;
	struct task_struct *task;
	struct task_state *state;
	struct file **files;
	u32 max;
};

static __always_inline void descriptors_send(struct wire_descriptors *record, u8 more)
{
	record->more = more;
	if (bpf_ringbuf_output(&records, record, sizeof(*record), record_flags()))
		loss_count(LOSS_RING);
	record->count = 0;
}

/* Nobody may hold it: then it was never accepted, and its name is the listener's. */
static __always_inline void unix_peer_tell(struct task_state *state, struct sock *sk)
{
	struct sock *peer = KREAD((struct unix_sock *)sk, peer);
	struct wire_ref ref;

	if (peer)
		object_of_sock(state, &ref, peer);
}

static long fd_visit(u32 fd, void *context)
{
	struct fd_walk *walk = context;
	struct wire_descriptors *record = walk->record;
	u32 at;

	if (fd >= walk->max)
		return 1;
	if (!kread_pointer(walk->files + fd))
		return 0;
	if (record->count >= WIRE_FDS)
		descriptors_send(record, 1);
	at = record->count & (WIRE_FDS - 1);
	record->fds[at].mechanism = MECH_NONE;
	object_of_fd(walk->state, &record->fds[at], walk->task, fd);
	if (record->fds[at].mechanism == MECH_NONE)
		return 0;
	record->count = at + 1;
	if (glance && is_unix(record->fds[at].mechanism))
		unix_peer_tell(walk->state, (struct sock *)record->fds[at].object.address);
	return 0;
}

/* All IPC descriptors that a process has: those it keeps at exec, loses at exit, or simply has. */
static __always_inline void descriptors_walk(struct task_struct *task, struct task_state *state,
					     struct wire_descriptors *record, u32 event)
{
	struct files_struct *files = KREAD(task, files);
	struct fdtable *table = files ? KREAD(files, fdt) : 0;
	struct fd_walk walk = {.record = record, .task = task, .state = state};

	if (!table)
		return;
	walk.max = KREAD(table, max_fds);
	walk.files = KREAD(table, fd);
	head_fill_of(&walk.record->head, WIRE_DESCRIPTORS, sizeof(*walk.record), task);
	walk.record->at_ns = bpf_ktime_get_ns();
	walk.record->event = event;
	walk.record->table = event == WIRE_SNAPSHOT ? instance_number((u64)files) : 0;
	walk.record->count = 0;
	walk.record->cut = walk.max > FDS_LOOKED_AT;
	bpf_loop(FDS_LOOKED_AT, fd_visit, &walk, 0);
	descriptors_send(walk.record, 0);
}

static __always_inline void descriptors_record(struct task_struct *task, struct task_state *state,
					       u32 event)
{
	descriptors_walk(task, state, (struct wire_descriptors *)state->extra, event);
}

static __always_inline void exec_text(struct wire_process *record, struct task_struct *task,
				      struct linux_binprm *program)
{
	struct mm_struct *mm = KREAD(task, mm);
	u64 start = KREAD(mm, arg_start), len = KREAD(mm, arg_end) - start;
	long path_len = bpf_probe_read_kernel_str(record->text, WIRE_NAME_LEN,
						  KREAD(program, filename));

	record->path_len = path_len > 0 ? path_len - 1 : 0;
	record->args_cut = len > WIRE_ARGS_LEN;
	if (len > WIRE_ARGS_LEN)
		len = WIRE_ARGS_LEN;
	barrier_var(len);
	if (len <= WIRE_ARGS_LEN &&
	    !bpf_probe_read_user(record->text + WIRE_NAME_LEN, len, (void *)start))
		record->args_len = len;
	else
		record->args_cut = 1;
}

static __always_inline void exec_record(struct task_struct *task, struct task_state *state,
					struct linux_binprm *program)
{
	struct wire_process *record = (struct wire_process *)state->extra;
	u32 size = sizeof(*record) + WIRE_NAME_LEN + WIRE_ARGS_LEN;

	process_fill(record, WIRE_EXEC, task, size);
	exec_text(record, task, program);
	if (bpf_ringbuf_output(&records, record, size, record_flags()))
		loss_count(LOSS_RING);
}

/* --comm: a program of this name joins when it is executed. */
static __always_inline bool is_named(struct task_struct *task)
{
	char comm[WIRE_COMM_LEN] = {};

	bpf_core_read_str(comm, sizeof(comm), &task->comm);
	for (u32 i = 0; i < SELECT_COMMS; i++) {
		bool same = i < selection.comm_count;

		for (u32 j = 0; same && j < WIRE_COMM_LEN; j++)
			same = comm[j] == selection.comms[i][j];
		if (same)
			return true;
	}
	return false;
}

static __always_inline struct task_state *exec_state(struct task_struct *task)
{
	struct task_state *state = task_state_of(task);

	if (state && state->flags & TASK_TRACED)
		return state;
	if (state && state->flags & TASK_ARMED) {
		state->flags = 0;
		task_follow(state);
		return state;
	}
	if (!selection.comm_count || !is_named(task))
		return 0;
	state = task_state_make(task);
	if (state)
		task_follow(state);
	return state;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, pid_t old_tid, struct linux_binprm *program)
{
	struct task_state *state = exec_state(task);

	if (!state)
		return 0;
	exec_record(task, state, program);
	descriptors_record(task, state, WIRE_EXEC);
	return 0;
}

/* exec renames too, and has its own record. */
SEC("tp_btf/task_rename")
int BPF_PROG(process_rename, struct task_struct *task, const char *comm)
{
	struct task_state *state = task_state_traced(task);
	struct task_state *own = task_state_traced(bpf_get_current_task_btf());
	struct wire_process *record;

	if (!state || (own && (own->nr == __NR_execve || own->nr == __NR_execveat)))
		return 0;
	record = process_reserve(WIRE_NAME, task);
	if (!record)
		return 0;
	bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), comm);
	record_submit(record);
	return 0;
}

/* kernel/exit.c: the status of a process that a signal ends is its group's, not the thread's. */
static __always_inline int exit_status(struct task_struct *task, struct signal_struct *signal)
{
	return KREAD(signal, flags) & SIGNAL_GROUP_EXIT ? KREAD(signal, group_exit_code)
							: KREAD(task, exit_code);
}

static __always_inline void exit_record(struct task_struct *task)
{
	struct signal_struct *signal = KREAD(task, signal);
	bool last = KREAD(signal, live.counter) == 0;
	int status = exit_status(task, signal);
	struct wire_process *record = process_reserve(WIRE_EXIT, task);

	if (!record)
		return;
	record->last = last;
	record->status = status;
	record_submit(record);
}

/*
 * Fires before the descriptors are closed (exit_files comes later in do_exit). A call that was in
 * progress gets no exit any more: what is known of it goes out as pending.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	struct task_state *state = task_state_traced(task);
	struct files_struct *files = KREAD(task, files);

	if (!state)
		return 0;
	sleeper_leave(state, task);
	if (state->recording) {
		state->operation.exit_ns = bpf_ktime_get_ns();
		operation_send(state, task, WIRE_PENDING);
		state->recording = 0;
	}
	if (files && KREAD(files, count.counter) == 1)
		descriptors_record(task, state, WIRE_EXIT);
	exit_record(task);
	state->flags |= TASK_ENDING;
	return 0;
}

#endif
