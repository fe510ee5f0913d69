/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hooks of processes and threads: which ones are traced, fork, exec, rename and exit, and the
 * descriptors that they hold.
 */
#ifndef BPF_HOOKS_PROCESSES_BPF_H
#define BPF_HOOKS_PROCESSES_BPF_H

#include <asm/unistd.h>

#include "bpf/call/call_record.bpf.h"
#include "bpf/call/futex_owner.bpf.h"
#include "bpf/call/held_locks.bpf.h"
#include "bpf/call/last_ends.bpf.h"
#include "bpf/call/sleeper_slots.bpf.h"
#include "bpf/object/allocator_filter.bpf.h"
#include "bpf/object/pending_signals.bpf.h"

#define FDS_LOOKED_AT (1 << 20) /* most descriptors of one table: sysctl_nr_open in fs/file.c */

static __always_inline void process_fill(struct wire_process *record, u32 event,
					 struct task_struct *task, u32 size)
{
	__builtin_memset(record, 0, sizeof(*record));
	head_fill_of(&record->head, WIRE_PROCESS, size, task);
	record->at_ns = bpf_ktime_get_ns();
	record->event = event;
	record->ppid = KREAD(KREAD_IF(task, real_parent), tgid);
	if (event == WIRE_FORK || event == WIRE_SNAPSHOT || event == WIRE_EXEC)
		record->own_pid = pid_own(task);
	if (event == WIRE_SNAPSHOT)
		record->here = pid_here(task);
	KREAD_TEXT(record->comm, task, comm);
}

static __always_inline struct wire_process *process_reserve(u32 event, struct task_struct *task)
{
	struct wire_process *record = record_reserve(struct wire_process, WIRE_PROCESS);

	if (record)
		process_fill(record, event, task, sizeof(*record));
	return record;
}

/*
 * The kernel keeps one free task_state a processor at hand and gets the next by an interrupt to
 * itself (irq_work_raise in kernel/bpf/memalloc.c), which a hypervisor may deliver late: a
 * creation that fails is tried again for so long. Where there is no memory at all, each fork waits
 * as long, and is counted.
 */
#define CREATION_WAIT_NS 200000
#define CREATION_TRIES 4096

struct creation {
	struct task_struct *task;
	u64 until_ns;
};

static long creation_try(u32 index, void *context)
{
	struct creation *creation = context;

	if (bpf_task_storage_get(&task_states, creation->task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return 1;
	return bpf_ktime_get_ns() > creation->until_ns;
}

static __always_inline struct task_state *task_state_retried(struct task_struct *task)
{
	struct creation creation = {task, bpf_ktime_get_ns() + CREATION_WAIT_NS};

	bpf_loop(CREATION_TRIES, creation_try, &creation, 0);
	return task_state_of(task);
}

/*
 * The task's state, created if it has none; NULL, counted as lost, if there is no memory. The
 * caller sets its flags.
 */
static __always_inline struct task_state *task_state_make(struct task_struct *task)
{
	struct task_state *state = bpf_task_storage_get(&task_states, task, 0,
							BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		state = task_state_retried(task);
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

/* Starts to trace a thread that was found running: it may be anywhere in a call. */
static __always_inline void late_follow(struct task_state *state)
{
	state->late = 1;
	state->late_ns = bpf_ktime_get_ns();
	task_follow(state);
}

/*
 * Stops tracing a dead thread. Both the scheduler's hook and a walk that came too late may call
 * this; only the first call counts.
 */
static __always_inline void task_forget(struct task_state *state)
{
	u32 flags = __sync_lock_test_and_set(&state->flags, 0);

	if (flags & TASK_TRACED && !(flags & TASK_GUEST))
		__sync_fetch_and_add(&live_tasks, -1);
	futex_doubt_end(state);
}

/*
 * --children: true for a child of a wanted process. The walk meets children after their parents,
 * because they have higher numbers.
 */
static __always_inline bool is_wanted_child(struct task_struct *task, u32 pid)
{
	u32 parent = KREAD(KREAD_IF(task, real_parent), tgid);
	u8 yes = 1;

	if (!selection.children || !bpf_map_lookup_elem(&wanted, &parent))
		return false;
	bpf_map_update_elem(&wanted, &pid, &yes, BPF_ANY);
	return true;
}

/* True if the options select the task's process for tracing. */
static __always_inline bool is_chosen(struct task_struct *task)
{
	u32 pid = KREAD(task, tgid);

	if (pid == selection.self || KREAD(task, flags) & (PF_KTHREAD | PF_EXITING))
		return false;
	return selection.all || bpf_map_lookup_elem(&wanted, &pid) || is_wanted_child(task, pid);
}

static __always_inline int process_forked(struct task_struct *parent, struct task_struct *child)
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

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	return process_forked(parent, child);
}

/*
 * State of a walk over a table of descriptors. The record is built in the task's own `extra`, which
 * no operation uses meanwhile, so that descriptions of objects met on the way go out before it.
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

/*
 * Describes the peer of a unix socket. If no process holds the peer, it was never accepted; its
 * name is then the listener's.
 */
static __always_inline void unix_peer_report(struct task_state *state, struct sock *sk)
{
	struct sock *peer = KREAD((struct unix_sock *)sk, peer);
	struct wire_ref ref;

	if (peer)
		object_of_sock(state, &ref, peer);
}

/* Describes a TCP listener again, as it was when its backlog was another one. */
static __always_inline void backlog_report(struct task_state *state, struct wire_fd *socket,
					   struct task_struct *task, u32 fd)
{
	struct sock_common *sk = (struct sock_common *)socket->object.address;

	if (socket->mechanism != MECH_TCP || KREAD_IF(sk, skc_state) != TCP_LISTEN)
		return;
	object_forget(state, &socket->object);
	object_of_fd(state, socket, task, fd);
}

static long fd_visit(u32 fd, void *context)
{
	struct fd_walk *walk = context;
	struct wire_descriptors *record = walk->record;
	struct file *file;
	u32 at;

	if (fd >= walk->max)
		return 1;
	file = kread_pointer(walk->files + fd);
	if (!file)
		return 0;
	if (record->count >= WIRE_FDS)
		descriptors_send(record, 1);
	at = record->count & (WIRE_FDS - 1);
	record->fds[at].mechanism = MECH_NONE;
	object_of_fd(walk->state, &record->fds[at], walk->task, fd);
	if (!glance && record->event == WIRE_SNAPSHOT && record->fds[at].mechanism == MECH_NONE)
		lock_held_by(&record->fds[at], (u64)file, fd);
	if (record->fds[at].mechanism == MECH_NONE)
		return 0;
	if (record->event == WIRE_EXIT && is_last_end(walk->task, &record->fds[at]))
		record->fds[at].access |= WIRE_ACCESS_LAST;
	if (!glance && record->event == WIRE_SNAPSHOT)
		backlog_report(walk->state, &record->fds[at], walk->task, fd);
	record->count = at + 1;
	if (glance && is_unix(record->fds[at].mechanism))
		unix_peer_report(walk->state, (struct sock *)record->fds[at].object.address);
	return 0;
}

/*
 * Sends all IPC descriptors of a process: those it keeps at exec, those it loses by exit, or those
 * it has now, depending on `event`.
 */
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
	walk.record->began_ns = event == WIRE_EXEC ? state->exec_ns : 0;
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
	struct mm_struct *mm = KREAD_IF(task, mm);
	u64 start = KREAD_IF(mm, arg_start), len = KREAD_IF(mm, arg_end) - start;
	long path_len = bpf_probe_read_kernel_str(record->text, WIRE_NAME_LEN,
						  KREAD_IF(program, filename));

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

/* Called when execve(2) is entered. */
static __always_inline void exec_begin(struct task_state *state)
{
	state->exec_ns = bpf_ktime_get_ns();
	state->execed = 0;
}

/* --comm: true if the program being executed has one of the names given. */
static __always_inline bool is_named(struct task_struct *task)
{
	char comm[WIRE_COMM_LEN] = {};

	KREAD_TEXT(comm, task, comm);
	for (u32 i = 0; i < SELECT_COMMS; i++) {
		bool same = i < selection.comm_count;

		for (u32 j = 0; same && j < WIRE_COMM_LEN; j++)
			same = comm[j] == selection.comms[i][j];
		if (same)
			return true;
	}
	return false;
}

/*
 * State of a task that has executed a program, if it is traced now or joins by doing so; otherwise
 * NULL.
 */
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

static __always_inline int process_execed(struct task_struct *task, struct linux_binprm *program)
{
	bool joins = selection.comm_count && !task_state_traced(task);
	struct task_state *state = exec_state(task);

	if (!state)
		return 0;
	state->execed = 1;
	exec_record(task, state, program);
	descriptors_record(task, state, WIRE_EXEC);
	if (joins)
		waiting_report(task);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, pid_t old_tid, struct linux_binprm *program)
{
	return process_execed(task, program);
}

/* exec renames the task too; it has its own record, so that is not reported here. */
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

/*
 * kernel/exit.c: the status of a process killed by a signal is in its signal_struct, not in the
 * thread.
 */
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

static __always_inline int process_exited(struct task_struct *task, struct task_state *state)
{
	struct files_struct *files = KREAD(task, files);

	sleeper_leave(state, task);
	if (state->recording) {
		state->operation.exit_ns = bpf_ktime_get_ns();
		operation_send(state, task, WIRE_PENDING);
		following_end(state);
		state->recording = 0;
	}
	if (files && KREAD(files, count.counter) == 1)
		descriptors_record(task, state, WIRE_EXIT);
	exit_record(task);
	state->flags |= TASK_ENDING;
	return 0;
}

/*
 * Fires before the descriptors are closed (exit_files comes later in do_exit). A call in progress
 * will never return: what is known of it goes out as pending.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	struct task_state *state = task_state_traced(task);

	return state ? process_exited(task, state) : 0;
}

#endif
