/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds ends that no process holds by descriptor: in a message (SCM_RIGHTS), held by the kernel
 * itself, or by a process that cannot be seen. Each file has a count of its references. A glance
 * counts the descriptors that refer to it, and looks into the messages queued in unix sockets; if
 * the file has more references, its end is held out of sight.
 */
#ifndef BPF_HOOKS_GLANCE_FILES_BPF_H
#define BPF_HOOKS_GLANCE_FILES_BPF_H

#include "bpf/hooks/follow_peers.bpf.h"

/* Number of known references, for each open file that is a pipe or a socket. */
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

/*
 * Counts the reference that a call holds while it uses a descriptor of a shared table (fs/file.c:
 * fdget).
 */
static __always_inline void file_refer(struct task_struct *task, u32 fd)
{
	struct files_struct *files = KREAD(task, files);
	struct file *file = files && KREAD(files, count.counter) > 1 ? file_of_fd(task, fd) : 0;

	if (file)
		file_count(file);
}

/* Sets end->object to the object whose other end `object` is; address 0: none. */
static __always_inline void traced_end(const struct object *object, struct wire_fd *end)
{
	struct sock *peer;

	end->object = object->ref;
	if (object->mechanism == MECH_PIPE || object->mechanism == MECH_FIFO ||
	    object->mechanism == MECH_POSIX_MQ)
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

#define POLLERS_MOST 1024 /* most sleepers at one socket that are looked at */

/* The sleepers at a socket that poll(2) or select(2) put there by this open file. */
struct poller_walk {
	u64 file;
	u64 queue;
	u64 next; /* the next sleeper */
	u64 end;  /* end of the list, in the queue itself */
	u64 count;
};

static long poller_visit(u32 index, void *context)
{
	struct poller_walk *walk = context;
	struct poll_table_entry *entry;

	if (!walk->next || walk->next == walk->end)
		return 1;
	entry = (struct poll_table_entry *)KHOLDER(walk->next, struct poll_table_entry, wait.entry);
	if ((u64)KREAD(entry, filp) == walk->file && (u64)KREAD(entry, wait_address) == walk->queue)
		walk->count++;
	walk->next = kread_word((void *)walk->next);
	return 0;
}

/*
 * Number of references to a socket's file that sleepers in poll(2) and select(2) hold (fs/select.c,
 * __pollwait). Other sleepers there have none, and no such pointers around them.
 */
static __always_inline s64 references_of_pollers(u64 file, const struct object *object)
{
	struct poller_walk walk = {.file = file};
	struct socket_wq *queue;

	if ((object->mechanism != MECH_TCP && !is_unix(object->mechanism)) ||
	    !KHAS(struct sock, sk_wq) || !KHAS(struct socket_wq, wait.head) ||
	    !KHAS(struct poll_table_entry, filp) || !KHAS(struct poll_table_entry, wait.entry) ||
	    !KHAS(struct poll_table_entry, wait_address))
		return 0;
	queue = KREAD((struct sock *)object->ref.address, sk_wq);
	if (!queue)
		return 0;
	walk.queue = (u64)KFIELD(queue, struct socket_wq, wait);
	walk.end = (u64)KFIELD(queue, struct socket_wq, wait.head);
	walk.next = kread_word((void *)walk.end);
	bpf_loop(POLLERS_MOST, poller_visit, &walk, 0);
	return walk.count;
}

static long file_check(void *map, u64 *file, u64 *count, void *context)
{
	struct object object = {};
	struct wire_fd end = {.fd = -1};
	s64 references;

	references = file_references_of(*file);
	if (references != REFERENCES_UNKNOWN && references <= (s64)*count)
		return 0;
	file_identify(&object, *file);
	if (object.mechanism == MECH_NONE ||
	    (references != REFERENCES_UNKNOWN &&
	     references - references_of_pollers(*file, &object) <= (s64)*count))
		return 0;
	traced_end(&object, &end);
	if (object.mechanism == MECH_TCP)
		end.object = object.ref;
	end.mechanism = object.mechanism;
	end.access = object.access;
	if (end.object.address && bpf_map_lookup_elem(&known_objects, &end.object))
		outsider_report(&end, 0, 1);
	return 0;
}

/* --- what is in messages of unix sockets: ends of channels, and bytes --- */

#define FLIGHT_MESSAGES 256 /* most messages of one socket that are looked at */
#define FLIGHT_FILES 16	    /* most files of one message; further ones count as held out of sight */

struct flight_walk {
	struct wire_fd socket;
	u64 next;  /* the next message */
	u64 end;   /* end of the list: the queue itself */
	u32 bytes; /* that lie there unread; not counted of messages that are not looked at */
};

/*
 * Reports a file that is in a message of `socket`. If the record is lost, the reference is not
 * counted as known.
 */
static __always_inline void flight_report(const struct wire_fd *socket, struct file *file)
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

static __always_inline u32 unread_of(struct sk_buff *message)
{
	if (!KHAS(struct sk_buff, len) || !KHAS(struct unix_skb_parms, consumed))
		return 0;
	return KREAD(message, len) -
	       KREAD((struct unix_skb_parms *)KFIELD(message, struct sk_buff, cb), consumed);
}

/*
 * net/unix/af_unix.c: the files that unix_attach_fds() put there and unix_detach_fds() has not
 * taken.
 */
static long flight_visit(u32 index, void *context)
{
	struct flight_walk *walk = context;
	struct scm_fp_list *list;
	u64 message = walk->next;
	short count;

	if (!message || message == walk->end)
		return 1;
	walk->next = (u64)KREAD_IF((struct sk_buff *)message, next);
	walk->bytes += unread_of((struct sk_buff *)message);
	list = KREAD((struct unix_skb_parms *)KFIELD(message, struct sk_buff, cb), fp);
	if (!list)
		return 0;
	count = KREAD(list, count);
	for (int i = 0; i < FLIGHT_FILES && i < count; i++) {
		struct file *file = kread_pointer(KFIELD(list, struct scm_fp_list, fp) +
						  (u64)i * sizeof(void *));

		if (file)
			flight_report(&walk->socket, file);
	}
	return 0;
}

/*
 * True if the kernel has all fields that this look needs. Without them, ends in messages count as
 * held out of sight.
 */
static __always_inline bool has_flights(void)
{
	return KHAS(struct sock, sk_receive_queue) && KHAS(struct sk_buff, next) &&
	       KHAS(struct sk_buff, cb) && KHAS(struct unix_skb_parms, fp) &&
	       KHAS(struct scm_fp_list, count) && KHAS(struct scm_fp_list, fp);
}

static long flights_of(void *map, u64 *file, u64 *count, void *context)
{
	struct object object = {};
	struct flight_walk walk = {};

	if (!has_flights())
		return 1;
	file_identify(&object, *file);
	if (!is_unix(object.mechanism))
		return 0;
	object_store(&walk.socket, &object, -1);
	walk.end = (u64)KFIELD(object.ref.address, struct sock, sk_receive_queue);
	walk.next = kread_word((void *)walk.end);
	bpf_loop(FLIGHT_MESSAGES, flight_visit, &walk, 0);
	if (walk.bytes && object.mechanism == MECH_UNIX_STREAM &&
	    bpf_map_lookup_elem(&known_objects, &object.ref))
		stock_send(&object, -1, walk.bytes,
			   walk.next == walk.end ? WIRE_UNREAD_ALL : WIRE_UNREAD_LEAST);
	return 0;
}

static __always_inline bool is_pipe_or_socket(struct file *file)
{
	u32 format = KREAD(KREAD(file, f_inode), i_mode) & S_IFMT;

	return format == S_IFIFO || format == S_IFSOCK;
}

/* The iterator calls this without a file at the end, when all descriptors have been counted. */
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
