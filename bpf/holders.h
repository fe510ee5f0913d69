/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end: what everybody in the trace holds once more, and who outside it holds ends of the same
 * pipes, unix connections and terminals, or UDP sockets that messages went to or came from. Such a
 * stranger can keep a reader from its end of file.
 */
#ifndef BPF_HOLDERS_H
#define BPF_HOLDERS_H

#include "bpf/buffer.h"
#include "bpf/glance.h"

struct stranger_walk {
	struct task_struct *task;
	struct file **files;
	u32 max;
};

/* A socket of a stranger is in the trace where messages were queued on it. */
static __always_inline void udp_held(const struct object *object, struct task_struct *task, u32 fd)
{
	struct wire_ref ref = object->ref;
	struct wire_fd end = {};
	u16 port = own_port(ref.address);

	if (!bpf_map_lookup_elem(&known_objects, &ref)) {
		if (!port || !udp_port_is_noted(port))
			return;
		describe_once(object, 0);
	}
	object_store(&end, object, fd);
	outsider_tell(&end, task, 1);
}

static long stranger_visit(u32 fd, void *context)
{
	struct stranger_walk *walk = context;
	struct object object = {};
	struct wire_fd end = {};
	struct file *file;

	if (fd >= walk->max)
		return 1;
	file = kread_pointer(walk->files + fd);
	if (!file)
		return 0;
	file_identify(&object, (u64)file);
	if (object.mechanism == MECH_NONE)
		return 0;
	end.fd = fd;
	end.mechanism = object.mechanism;
	end.access = object.access;
	if (object.mechanism == MECH_UDP) {
		udp_held(&object, walk->task, fd);
		return 0;
	}
	traced_end(&object, &end);
	if (end.object.address && bpf_map_lookup_elem(&known_objects, &end.object))
		outsider_tell(&end, walk->task, 1);
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

/* A glance sees no wake-up: it finds out whether there was one. */
static __always_inline void sleeper_check(struct task_struct *task, struct task_state *state)
{
	if (!state->begun)
		return;
	if (!(KREAD(task, __state) & TASK_INTERRUPTIBLE) || switches_of(task) != state->switches)
		operation_send(state, task, WIRE_MOVED);
	else if (state->operation.object.mechanism != MECH_NONE)
		file_refer(task, state->operation.object.fd);
}

/* The thread may be busy in its own `extra` meanwhile. */
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
	if (!is_leader(task))
		return 0;
	if (!state)
		stranger_walk(task);
	else if (!(state->flags & TASK_ENDING))
		descriptors_walk(task, state, record, WIRE_SNAPSHOT);
	return 0;
}

#endif
