/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end: what everybody in the trace holds once more, and who outside it holds ends of the same
 * pipes and unix connections. Such a stranger can keep a reader from its end of file.
 */
#ifndef BPF_HOLDERS_H
#define BPF_HOLDERS_H

#include "bpf/buffer.h"
#include "bpf/peers.h"

struct stranger_walk {
	struct task_struct *task;
	struct file **files;
	u32 max;
};

/* The object of the trace that this one is an end of; address 0: of none. */
static __always_inline void traced_end(const struct object *object, struct wire_fd *end)
{
	struct sock *peer;

	end->object = object->ref;
	if (object->mechanism == MECH_PIPE || object->mechanism == MECH_FIFO)
		return;
	end->object.address = 0;
	if (!is_unix(object->mechanism))
		return;
	peer = KREAD((struct unix_sock *)object->ref.address, peer);
	if (!peer)
		return;
	end->object.address = (u64)peer;
	end->object.number = socket_inode_number(peer);
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

/* The thread may be busy in its own `extra` meanwhile. */
SEC("iter/task")
int snapshot_end(struct bpf_iter__task *context)
{
	u32 zero = 0;
	struct task_struct *task = context->task;
	struct wire_descriptors *record = bpf_map_lookup_elem(&scratch, &zero);
	struct task_state *state;

	if (!task || !record || !is_leader(task))
		return 0;
	state = task_state_traced(task);
	if (!state)
		stranger_walk(task);
	else if (!(state->flags & TASK_ENDING))
		descriptors_walk(task, state, record, WIRE_SNAPSHOT);
	return 0;
}

#endif
