/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a descriptor to the kernel object behind it: which mechanism, which identity, and a
 * description for the trace the first time it is met. Field by field as in the kernel sources
 * named; measured against fstat(2).
 */
#ifndef BPF_OBJECT_H
#define BPF_OBJECT_H

#include "bpf/state.h"
#include "viz/lang/lang.h"

/* What a look at an object found; kept on the stack for the length of one call. */
struct object {
	struct wire_ref ref;
	void *detail; /* pipe_inode_info, sock, msg_queue or dentry */
	u64 digest;   /* changes when the description should go out again */
	u16 mechanism;
	u8 access;
};

static __always_inline struct file *file_of_fd(struct task_struct *task, u32 fd)
{
	struct files_struct *files = KREAD(task, files);
	struct fdtable *table;

	if (!files)
		return 0;
	table = KREAD(files, fdt);
	if (fd >= KREAD(table, max_fds))
		return 0;
	return kread_pointer(KREAD(table, fd) + fd);
}

/* fs/pipe.c: an anonymous pipe lies in pipefs, a FIFO in any other file system. */
static __always_inline void pipe_identify(struct object *object, struct inode *inode)
{
	struct pipe_inode_info *pipe = KREAD(inode, i_pipe);

	if (!pipe)
		return;
	object->mechanism = KREAD(KREAD(inode, i_sb), s_magic) == PIPEFS_MAGIC ? MECH_PIPE
									       : MECH_FIFO;
	object->detail = pipe;
	object->ref.address = (u64)inode;
	object->ref.number = KREAD(inode, i_ino);
	object->digest = KREAD(pipe, ring_size);
}

static __always_inline u16 unix_mechanism(u16 type)
{
	return type == SOCK_STREAM  ? MECH_UNIX_STREAM
	       : type == SOCK_DGRAM ? MECH_UNIX_DGRAM
				    : MECH_UNIX_SEQPACKET;
}

static __always_inline u16 inet_mechanism(struct sock *sk)
{
	u16 protocol = KREAD(sk, sk_protocol);

	return protocol == IPPROTO_TCP ? MECH_TCP : protocol == IPPROTO_UDP ? MECH_UDP : MECH_NONE;
}

static __always_inline u64 socket_inode_number(struct sock *sk)
{
	struct socket *socket = KREAD(sk, sk_socket);
	struct file *file;

	if (!socket)
		return 0; /* not yet accepted, or closed already */
	file = KREAD(socket, file);
	return file ? KREAD(KREAD(file, f_inode), i_ino) : 0;
}

static __always_inline u64 unix_digest(struct sock *sk)
{
	struct unix_sock *u = (struct unix_sock *)sk;

	return (KREAD(u, addr) != 0) | (KREAD(u, peer) != 0) << 1;
}

static __always_inline u64 inet_digest(struct sock *sk)
{
	struct sock_common *common = (struct sock_common *)sk;

	return KREAD(common, skc_num) | (u64)KREAD(common, skc_dport) << 16 |
	       (u64)KREAD(common, skc_daddr) << 32;
}

static __always_inline void sock_identify(struct object *object, struct sock *sk, u64 inode_number)
{
	struct sock_common *common = (struct sock_common *)sk;
	u16 family = KREAD(common, skc_family);

	if (family == AF_UNIX)
		object->mechanism = unix_mechanism(KREAD(sk, sk_type));
	else if (family == AF_INET || family == AF_INET6)
		object->mechanism = inet_mechanism(sk);
	if (!object->mechanism)
		return;
	object->detail = sk;
	object->ref.address = (u64)sk;
	object->ref.number = inode_number;
	object->digest = family == AF_UNIX ? unix_digest(sk) : inet_digest(sk);
	object->digest ^= (u64)(KREAD(common, skc_state) == TCP_LISTEN) << 63;
	object->access = WIRE_ACCESS_READ | WIRE_ACCESS_WRITE;
}

static __always_inline void socket_identify(struct object *object, struct file *file,
					    struct inode *inode)
{
	struct socket *socket = KREAD(file, private_data);
	struct sock *sk = socket ? KREAD(socket, sk) : 0;

	if (sk)
		sock_identify(object, sk, KREAD(inode, i_ino));
}

/*
 * fs/anon_inodes.c: eventfds, timerfds and their kin share one inode; only the name that the kernel
 * gave the file says which kind it is.
 */
static __always_inline u64 anonymous_kind(struct file *file)
{
	struct dentry *dentry = KREAD(file, f_path.dentry);
	u64 name = 0;

	bpf_probe_read_kernel(&name, sizeof(name), KREAD(dentry, d_name.name));
	return name;
}

/* The first 8 bytes of a name, as anonymous_kind() gives them. */
#define KIND_OF(a, b, c, d, e, f, g, h) (*(const u64 *)(const char[8]){a, b, c, d, e, f, g, h})

/* eventfd_ctx.id tells eventfds apart (fs/eventfd.c, 5.2 and later). */
static __always_inline void eventfd_identify(struct object *object, struct file *file)
{
	struct eventfd_ctx *context = KREAD(file, private_data);

	object->mechanism = MECH_EVENTFD;
	object->detail = context;
	object->ref.address = (u64)context;
	object->ref.number = WIRE_NUMBERED | (u32)KREAD(context, id);
}

/*
 * An epoll instance has no number of its own: the first look at one gives it the next, and so does
 * the call that makes it, for it may lie where another did.
 */
static __always_inline void epoll_identify(struct object *object, struct file *file)
{
	u64 address = (u64)KREAD(file, private_data), number;
	u64 *known = bpf_map_lookup_elem(&instances, &address);

	if (known) {
		number = *known;
	} else {
		number = WIRE_NUMBERED | (u32)__sync_fetch_and_add(&next_instance, 1);
		bpf_map_update_elem(&instances, &address, &number, BPF_ANY);
	}
	object->mechanism = MECH_EPOLL;
	object->detail = (void *)address;
	object->ref.address = address;
	object->ref.number = number;
}

static __always_inline void instance_forget(struct file *file)
{
	u64 address = (u64)KREAD(file, private_data);

	bpf_map_delete_elem(&instances, &address);
}

static __always_inline void anonymous_identify(struct object *object, struct file *file)
{
	u64 kind = anonymous_kind(file);

	if (kind == KIND_OF('[', 'e', 'v', 'e', 'n', 't', 'f', 'd'))
		eventfd_identify(object, file);
	else if (kind == KIND_OF('[', 'e', 'v', 'e', 'n', 't', 'p', 'o'))
		epoll_identify(object, file);
}

static __always_inline void mq_identify(struct object *object, struct inode *inode)
{
	object->mechanism = MECH_POSIX_MQ;
	object->detail = inode;
	object->ref.address = (u64)inode;
	object->ref.number = KREAD(inode, i_ino);
}

static __always_inline void special_identify(struct object *object, struct file *file,
					     struct inode *inode, u64 magic)
{
	if (magic == ANON_INODE_MAGIC)
		anonymous_identify(object, file);
	else if (magic == MQUEUE_MAGIC)
		mq_identify(object, inode);
}

/* MECH_NONE in object->mechanism: not IPC. */
static __always_inline void file_identify(struct object *object, struct file *file)
{
	struct inode *inode = KREAD(file, f_inode);
	u32 format = KREAD(inode, i_mode) & S_IFMT;
	u32 mode = KREAD(file, f_mode);

	object->access = mode & (FMODE_READ | FMODE_WRITE);
	if (format == S_IFIFO)
		pipe_identify(object, inode);
	else if (format == S_IFSOCK)
		socket_identify(object, file, inode);
	else
		special_identify(object, file, inode, KREAD(KREAD(inode, i_sb), s_magic));
}

/*
 * ipc/msg.c: the queue with this id in the caller's ipc namespace (lib/xarray.c: at most 3 levels).
 */
static __always_inline struct msg_queue *msg_queue_find(struct task_struct *task, u32 msqid)
{
	struct ipc_namespace *ns = KREAD(KREAD(task, nsproxy), ipc_ns);
	u64 entry = (u64)KREAD(ns, ids[IPC_MSG_IDS].ipcs_idr.idr_rt.xa_head);
	u32 index = msqid & IPC_INDEX_MASK;

	for (int level = 0; level < 4; level++) {
		struct xa_node *node;

		if ((entry & 3) != 2)
			break;
		node = (struct xa_node *)(entry - 2);
		entry = (u64)kread_pointer((void *)((u64)node +
						    bpf_core_field_offset(struct xa_node, slots) +
						    8 * (index >> KREAD(node, shift) & 63)));
	}
	if (!entry || entry & 3 || (u32)KREAD((struct msg_queue *)entry, q_perm.id) != msqid)
		return 0;
	return (struct msg_queue *)entry;
}

static __always_inline void sysv_identify(struct object *object, struct task_struct *task,
					  u32 msqid)
{
	struct msg_queue *queue = msg_queue_find(task, msqid);

	if (!queue)
		return;
	object->mechanism = MECH_SYSV_MSG;
	object->detail = queue;
	object->ref.address = (u64)queue;
	object->ref.number = WIRE_NUMBERED | msqid;
	object->access = WIRE_ACCESS_READ | WIRE_ACCESS_WRITE;
}

static __always_inline void object_store(struct wire_fd *to, const struct object *object, s32 fd)
{
	to->object = object->ref;
	to->mechanism = object->mechanism;
	to->access = object->access;
	to->fd = fd;
}

#endif
