/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Identifies the kernel object behind a descriptor or an id: its mechanism, its identity (struct
 * wire_ref), and a digest of its description. Each function follows the kernel source that it
 * names; the results were checked against fstat(2).
 */
#ifndef BPF_OBJECT_OBJECT_BPF_H
#define BPF_OBJECT_OBJECT_BPF_H

#include "bpf/core/machine.bpf.h"
#include "bpf/wire/wire.h"
#include "viz/format/format.h"
#include "vmlinux/netlink.h"

/* What was found out about an object. It lives on the stack for one call. */
struct object {
	struct wire_ref ref;
	void *detail; /* pipe_inode_info, sock, kern_ipc_perm, dentry; futex: its memory's inode */
	u64 digest;   /* changes when the description must be sent again */
	u16 mechanism;
	u16 memory; /* futex: enum mechanism of its memory; `digest` is the memory's number */
	u8 access;
};

/* The open file behind a descriptor of `task`; NULL if the descriptor is not open. */
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

/*
 * The barrier keeps the compiler from merging this load with that of another kind of object: the
 * verifier demands that each load has one type of pointer.
 */
static __always_inline u64 inode_number(struct inode *inode)
{
	u64 number = KREAD(inode, i_ino);

	barrier_var(number);
	return number;
}

/*
 * fs/pipe.c: an anonymous pipe is in pipefs, a FIFO in any other file system. A descriptor opened
 * with O_PATH (fs/open.c, do_dentry_open) has no access mode; it names the FIFO and is no end of
 * it.
 */
static __always_inline void pipe_identify(struct object *object, struct file *file,
					  struct inode *inode)
{
	struct pipe_inode_info *pipe = KREAD_IF(inode, i_pipe);

	if ((!pipe && KHAS(struct inode, i_pipe)) || !object->access)
		return;
	object->mechanism = KREAD(KREAD(inode, i_sb), s_magic) == PIPEFS_MAGIC ? MECH_PIPE
									       : MECH_FIFO;
	object->detail = pipe;
	object->ref.address = (u64)inode;
	object->ref.number = inode_number(inode);
	object->digest = KREAD_IF(pipe, ring_size);
	if (KREAD(file, f_flags) & O_DIRECT)
		object->access |= WIRE_ACCESS_PACKETS;
}

static __always_inline u16 unix_mechanism(u16 type)
{
	return type == SOCK_STREAM  ? MECH_UNIX_STREAM
	       : type == SOCK_DGRAM ? MECH_UNIX_DGRAM
				    : MECH_UNIX_SEQPACKET;
}

static __always_inline bool is_unix(u32 mechanism)
{
	return mechanism >= MECH_UNIX_STREAM && mechanism <= MECH_UNIX_SEQPACKET;
}

static __always_inline u16 inet_mechanism(struct sock *sk)
{
	u16 protocol = KREAD(sk, sk_protocol);

	if (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP)
		return MECH_TCP;
	return protocol == IPPROTO_UDP ? MECH_UDP : MECH_NONE;
}

static __always_inline u64 socket_inode_number(struct sock *sk)
{
	struct socket *socket = KREAD(sk, sk_socket);
	struct file *file;

	if (!socket)
		return 0; /* not yet accepted, or already closed */
	file = KREAD(socket, file);
	return file ? KREAD(KREAD(file, f_inode), i_ino) : 0;
}

static __always_inline u64 unix_digest(struct sock *sk)
{
	struct unix_sock *u = (struct unix_sock *)sk;

	return (KREAD_IF(u, addr) != 0) | (KREAD(u, peer) != 0) << 1;
}

static __always_inline u64 inet_digest(struct sock *sk)
{
	struct sock_common *common = (struct sock_common *)sk;

	return KREAD(common, skc_num) | (u64)KREAD(common, skc_dport) << 16 |
	       (u64)KREAD(common, skc_daddr) << 32;
}

static __always_inline u64 netlink_digest(struct sock *sk)
{
	struct netlink_sock *netlink = (struct netlink_sock *)sk;

	return KREAD_IF(netlink, portid) | (u64)KREAD_IF(netlink, dst_portid) << 32 |
	       (u64)(KREAD_IF(netlink, subscriptions) & 0xff) << 55;
}

static __always_inline u64 socket_digest(struct sock *sk, u16 family)
{
	if (family == AF_UNIX)
		return unix_digest(sk);
	return family == AF_NETLINK ? netlink_digest(sk) : inet_digest(sk);
}

/* A missing field would read as 0, which is the kernel's own netlink number. */
static __always_inline bool has_netlink_numbers(void)
{
	return KHAS(struct netlink_sock, portid) && KHAS(struct netlink_sock, dst_portid);
}

/* Leaves object->mechanism MECH_NONE if the socket's protocol is not recorded. */
static __always_inline void sock_identify(struct object *object, struct sock *sk, u64 inode_number)
{
	struct sock_common *common = (struct sock_common *)sk;
	u16 family = KREAD(common, skc_family);

	if (family == AF_UNIX)
		object->mechanism = unix_mechanism(KREAD(sk, sk_type));
	else if (family == AF_INET || family == AF_INET6)
		object->mechanism = inet_mechanism(sk);
	else if (family == AF_NETLINK && has_netlink_numbers())
		object->mechanism = MECH_NETLINK;
	if (!object->mechanism)
		return;
	object->detail = sk;
	object->ref.address = (u64)sk;
	object->ref.number = inode_number;
	object->digest = socket_digest(sk, family);
	object->digest ^= (u64)(KREAD_IF(common, skc_state) == TCP_LISTEN) << 63;
	object->access = WIRE_ACCESS_READ | WIRE_ACCESS_WRITE;
}

static __always_inline void socket_identify(struct object *object, struct file *file,
					    struct inode *inode)
{
	struct socket *socket = KREAD(file, private_data);
	struct sock *sk = socket ? KREAD(socket, sk) : 0;

	if (sk)
		sock_identify(object, sk, inode_number(inode));
}

static __always_inline void mq_identify(struct object *object, struct inode *inode)
{
	object->mechanism = MECH_POSIX_MQ;
	object->detail = inode;
	object->ref.address = (u64)inode;
	object->ref.number = inode_number(inode);
}

/* lib/xarray.c: the entry at `index` of an array of at most 4 levels; 0: none. */
static __always_inline u64 xarray_entry(u64 entry, u32 index)
{
	for (int level = 0; level < 4; level++) {
		struct xa_node *node;

		if ((entry & 3) != 2)
			break;
		node = (struct xa_node *)(entry - 2);
		entry = (u64)kread_pointer(KFIELD(node, struct xa_node, slots) +
					   8 * (index >> KREAD_IF(node, shift) & 63));
	}
	return entry & 3 ? 0 : entry;
}

static __always_inline u32 sysv_ids(u16 mechanism)
{
	return mechanism == MECH_SYSV_MSG   ? IPC_MSG_IDS
	       : mechanism == MECH_SYSV_SEM ? IPC_SEM_IDS
					    : IPC_SHM_IDS;
}

/*
 * ipc/util.c: the address of the queue, set or segment with this id in the task's IPC namespace,
 * each of which begins with a kern_ipc_perm; 0: none.
 */
static __noinline u64 sysv_find(struct task_struct *task, u16 mechanism, u32 id)
{
	struct ipc_namespace *ns = KREAD_IF(KREAD_IF(task, nsproxy), ipc_ns);
	u64 first = (u64)KFIELD(ns, struct ipc_namespace, ids), entry;
	u32 ids = sysv_ids(mechanism) & 3;

	if (!ns || !first || !KHAS(struct ipc_ids, ipcs_idr.idr_rt.xa_head) ||
	    !KHAS(struct kern_ipc_perm, id))
		return 0;
	entry = (u64)kread_pointer(KFIELD(first + ids * KSIZE(struct ipc_ids), struct ipc_ids,
					  ipcs_idr.idr_rt.xa_head));
	entry = xarray_entry(entry, id & IPC_INDEX_MASK);
	if (!entry || (u32)KREAD((struct kern_ipc_perm *)entry, id) != id)
		return 0;
	return entry;
}

/*
 * A segment is identified by the inode of its memory, because its mappings lead to that inode too.
 */
static __always_inline void segment_identify(struct object *object, struct shmid_kernel *segment)
{
	object->ref.address = (u64)KREAD(KREAD_IF(segment, shm_file), f_inode);
	object->digest = KREAD_IF(segment, shm_segsz);
}

static __always_inline void sysv_identify(struct object *object, struct task_struct *task,
					  u16 mechanism, u32 id)
{
	u64 found = sysv_find(task, mechanism, id);

	if (!found)
		return;
	if (mechanism == MECH_SYSV_SHM && !KHAS(struct shmid_kernel, shm_file))
		return;
	object->mechanism = mechanism;
	object->detail = (void *)found;
	object->ref.address = found;
	object->ref.number = WIRE_NUMBERED | id;
	object->access = WIRE_ACCESS_READ | WIRE_ACCESS_WRITE;
	if (mechanism == MECH_SYSV_SHM)
		segment_identify(object, (struct shmid_kernel *)found);
	if (mechanism == MECH_SYSV_MSG)
		object->digest = KREAD_IF((struct msg_queue *)found, q_qbytes);
}

/* Fills in *to; `fd` is -1 where no descriptor names the object. */
static __always_inline void object_store(struct wire_fd *to, const struct object *object, s32 fd)
{
	to->object = object->ref;
	to->mechanism = object->mechanism;
	to->access = object->access;
	to->opens = 0; /* only fifo_count() sets it, in the call that opened the FIFO */
	to->fd = fd;
}

/* Identifies a pipe or a socket. Returns the file's format (S_IF*), which tells if it is one. */
static __always_inline u32 stream_identify(struct object *object, struct file *file,
					   struct inode *inode)
{
	u32 format = KREAD(inode, i_mode) & S_IFMT;

	object->access = KREAD(file, f_mode) & (FMODE_READ | FMODE_WRITE);
	if (format == S_IFIFO)
		pipe_identify(object, file, inode);
	else if (format == S_IFSOCK)
		socket_identify(object, file, inode);
	return format;
}

#endif
