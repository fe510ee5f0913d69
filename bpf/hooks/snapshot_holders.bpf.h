/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk at the end of tracing: reports once more what each traced process holds, and which
 * processes outside the trace hold ends of the same pipes, unix connections and terminals, or UDP
 * sockets that messages went to or came from. Such a process can keep a reader from its end of
 * file.
 */
#ifndef BPF_HOOKS_SNAPSHOT_HOLDERS_BPF_H
#define BPF_HOOKS_SNAPSHOT_HOLDERS_BPF_H

#include "bpf/hooks/glance_files.bpf.h"
#include "bpf/hooks/kernel_buffers.bpf.h"
#include "bpf/hooks/snapshot_states.bpf.h"

struct stranger_walk {
	struct task_struct *task;
	struct file **files;
	u32 max;
};

/*
 * Reports a stranger's UDP socket if traced messages were queued on it, or if traced sockets used
 * its port.
 */
static __always_inline void udp_held(const struct object *object, struct task_struct *task, u32 fd)
{
	struct wire_ref ref = object->ref;
	struct wire_fd end = {};
	u16 port = own_port(ref.address);

	if (!bpf_map_lookup_elem(&known_objects, &ref)) {
		if (!port || !udp_port_is_noted(port))
			return;
		describe_once(0, object, 0);
	}
	object_store(&end, object, fd);
	outsider_report(&end, task, 1);
}

/* Reports a stranger's descriptor that holds a lock on a file that traced processes have locked. */
static __always_inline void lock_held(const struct stranger_walk *walk, u64 file, u32 fd)
{
	struct wire_fd end = {};

	if (!glance)
		lock_held_by(&end, file, fd);
	if (end.mechanism != MECH_NONE)
		outsider_report(&end, walk->task, 1);
}

static long stranger_visit(u32 fd, void *context)
{
	struct stranger_walk *walk = context;
	struct object object = {};
	struct wire_fd end = {};
	u64 file;

	if (fd >= walk->max)
		return 1;
	file = (u64)kread_pointer(walk->files + fd);
	file_identify(&object, file);
	if (object.mechanism == MECH_NONE) {
		lock_held(walk, file, fd);
		return 0;
	}
	end.fd = fd;
	end.mechanism = object.mechanism;
	end.access = object.access;
	if (object.mechanism == MECH_UDP) {
		udp_held(&object, walk->task, fd);
		return 0;
	}
	traced_end(&object, &end);
	if (end.object.address && bpf_map_lookup_elem(&known_objects, &end.object))
		outsider_report(&end, walk->task, 1);
	return 0;
}

static __always_inline void stranger_walk(struct task_struct *task)
{
	struct files_struct *files = KREAD(task, files);
	struct fdtable *table = files ? KREAD(files, fdt) : 0;
	struct stranger_walk walk = {.task = task};

	if (!table || !may_join(task))
		return;
	walk.max = KREAD(table, max_fds);
	walk.files = KREAD(table, fd);
	bpf_loop(PEER_FDS, stranger_visit, &walk, 0);
}

/*
 * True if the thread sleeps again in a wait for events with a time limit, as programs do that look
 * after their own limits: curl(1) asks each second anew. It waits for the same file or array.
 */
static __always_inline bool sleeps_again(struct task_struct *task, struct task_state *state)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	u64 args[6];

	if (!(state->details.valid & WIRE_VALID_ENDS) || !has_waits(row_of(state->nr)) ||
	    (u32)KREAD(regs, REGISTER_CALL) != (u32)state->nr)
		return false;
	syscall_arguments(regs, args);
	return args[0] == state->details.args[0] && args[1] == state->details.args[1];
}

/*
 * A glance has no hook to see a wake-up, so it checks whether the thread is still in the same
 * sleep.
 */
static __always_inline void sleeper_check(struct task_struct *task, struct task_state *state)
{
	const bool asleep = KREAD(task, __state) & TASK_INTERRUPTIBLE;

	if (!state->begun)
		return;
	if (asleep && has_switches() && switches_of(task) == state->switches) {
		if (state->operation.object.mechanism != MECH_NONE)
			file_refer(task, state->operation.object.fd);
	} else if (asleep && sleeps_again(task, state)) {
		state->operation.enter_ns = last_ran_ns(task, bpf_ktime_get_ns());
		state->operation.exit_ns = state->operation.enter_ns;
		operation_send(state, task, WIRE_AGAIN);
	} else {
		operation_send(state, task, WIRE_MOVED);
	}
}

/* The record is built in `scratch`, because the thread may be using its own `extra` meanwhile. */
SEC("iter/task")
int snapshot_end(struct bpf_iter__task *context)
{
	u32 zero = 0;
	struct task_struct *task = context->task;
	struct wire_descriptors *record = bpf_map_lookup_elem(&scratch, &zero);
	struct task_state *state;

	if (!task || !record)
		return 0;
	state = task_state_traced(task);
	if (glance && state)
		sleeper_check(task, state);
	if (state) {
		thread_report(task, state);
		futex_doubt_asleep(state, task);
	}
	if (!is_leader(task))
		return 0;
	if (!state)
		stranger_walk(task);
	else if (!(state->flags & TASK_ENDING))
		descriptors_walk(task, state, record, WIRE_SNAPSHOT);
	return 0;
}

#endif
