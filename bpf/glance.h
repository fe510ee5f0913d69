/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ends that no process holds: on their way in a message (SCM_RIGHTS), held by the kernel itself, or
 * by somebody whom we cannot see. A file counts who refers to it; a glance at the machine counts
 * the descriptors that stand for it, and looks into the messages that lie in unix sockets. What the
 * first count has more is held out of our sight.
 */
#ifndef BPF_GLANCE_H
#define BPF_GLANCE_H

#include "bpf/peers.h"

/* Of each file that is a pipe or a socket: the references that we know of. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u64);
} file_references SEC(".maps");

static __always_inline void file_count(struct file *file)
{
	u64 key = (u64)file, one = 1, *count;

	count = bpf_map_lookup_elem(&file_references, &key);
	if (count)
		(*count)++;
	else
		bpf_map_update_elem(&file_references, &key, &one, BPF_ANY);
}

/* A call on a descriptor whose table several threads share has a reference (fs/file.c: fdget). */
static __always_inline void file_refer(struct task_struct *task, u32 fd)
{
	struct files_struct *files = KREAD(task, files);
	struct file *file = files && KREAD(files, count.counter) > 1 ? file_of_fd(task, fd) : 0;

	if (file)
		file_count(file);
}

/* include/linux/file_ref.h: the newer count begins at 0. */
static __always_inline u64 file_references_of(u64 address)
{
	struct file___ref *newer = (void *)address;
	struct file___count *older = (void *)address;

	if (bpf_core_field_exists(newer->f_ref))
		return BPF_CORE_READ(newer, f_ref.refcnt.counter) + 1;
	return BPF_CORE_READ(older, f_count.counter);
}

/* The object of the trace that this one is an end of; address 0: of none. */
static __always_inline void traced_end(const struct object *object, struct wire_fd *end)
{
	struct sock *peer;

	end->object = object->ref;
	if (object->mechanism == MECH_PIPE || object->mechanism == MECH_FIFO)
		return;
	end->object.address = 0;
	if (object->mechanism == MECH_PTY) {
		end->object.address = terminal_link(object->ref.address);
		end->object.number = object->ref.number ^ WIRE_PTY_MASTER;
	}
	if (!is_unix(object->mechanism))
		return;
	peer = KREAD((struct unix_sock *)object->ref.address, peer);
	if (!peer)
		return;
	end->object.address = (u64)peer;
	end->object.number = socket_inode_number(peer);
}

static long file_check(void *map, u64 *file, u64 *count, void *context)
{
	struct object object = {};
	struct wire_fd end = {.fd = -1};

	if (file_references_of(*file) <= *count)
		return 0;
	file_identify(&object, *file);
	if (object.mechanism == MECH_NONE)
		return 0;
	traced_end(&object, &end);
	if (object.mechanism == MECH_TCP)
		end.object = object.ref;
	end.mechanism = object.mechanism;
	end.access = object.access;
	if (end.object.address && bpf_map_lookup_elem(&known_objects, &end.object))
		outsider_tell(&end, 0, 1);
	return 0;
}

/* --- ends that lie in messages of unix sockets --- */

#define FLIGHT_MESSAGES 256 /* of a socket that are looked at */
#define FLIGHT_FILES 16	    /* of a message; more: somebody out of our sight holds them */

struct flight_walk {
	struct wire_fd socket;
	u64 next; /* message */
	u64 end;  /* the queue itself */
};

/* What cannot be told does not count as seen. */
static __always_inline void flight_tell(const struct wire_fd *socket, struct file *file)
{
	struct object object = {};
	struct wire_outsider *record;

	file_identify(&object, (u64)file);
	if (object.mechanism == MECH_NONE)
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		loss_count(LOSS_RING);
		return;
	}
	file_count(file);
	__builtin_memset(record, 0, sizeof(*record));
	head_fill(&record->head, WIRE_OUTSIDER, sizeof(*record));
	record->at_ns = bpf_ktime_get_ns();
	object_store(&record->object, &object, -1);
	record->socket = *socket;
	record_submit(record);
}

/* net/unix/af_unix.c: what unix_attach_fds() put there, and no unix_detach_fds() took. */
static long flight_visit(u32 index, void *context)
{
	struct flight_walk *walk = context;
	struct scm_fp_list *list;
	u64 message = walk->next;
	short count;

	if (!message || message == walk->end)
		return 1;
	walk->next = kread_word((void *)(message + bpf_core_field_offset(struct sk_buff, next)));
	list = kread_pointer((void *)(message + bpf_core_field_offset(struct sk_buff, cb) +
				      bpf_core_field_offset(struct unix_skb_parms, fp)));
	if (!list)
		return 0;
	count = KREAD(list, count);
	for (int i = 0; i < FLIGHT_FILES && i < count; i++) {
		struct file *file = kread_pointer(
			(void *)((u64)list + bpf_core_field_offset(struct scm_fp_list, fp) +
				 (u64)i * sizeof(void *)));

		if (file)
			flight_tell(&walk->socket, file);
	}
	return 0;
}

static long flights_of(void *map, u64 *file, u64 *count, void *context)
{
	struct object object = {};
	struct flight_walk walk = {};

	file_identify(&object, *file);
	if (!is_unix(object.mechanism))
		return 0;
	object_store(&walk.socket, &object, -1);
	walk.end = object.ref.address + bpf_core_field_offset(struct sock, sk_receive_queue);
	walk.next = kread_word((void *)walk.end);
	bpf_loop(FLIGHT_MESSAGES, flight_visit, &walk, 0);
	return 0;
}

static __always_inline bool is_pipe_or_socket(struct file *file)
{
	u32 format = KREAD(KREAD(file, f_inode), i_mode) & S_IFMT;

	return format == S_IFIFO || format == S_IFSOCK;
}

/* The last time it is called without a file. */
SEC("iter/task_file")
int files_glance(struct bpf_iter__task_file *context)
{
	struct file *file = context->file;

	if (!file) {
		bpf_for_each_map_elem(&file_references, flights_of, 0, 0);
		bpf_for_each_map_elem(&file_references, file_check, 0, 0);
	} else if (is_pipe_or_socket(file)) {
		file_count(file);
	}
	return 0;
}

#endif
