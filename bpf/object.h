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
#include "vmlinux/netlink.h"

/* What a look at an object found; kept on the stack for the length of one call. */
struct object {
	struct wire_ref ref;
	void *detail; /* pipe_inode_info, sock, kern_ipc_perm, dentry; a futex: its memory */
	u64 digest;   /* changes when the description should go out again */
	u16 mechanism;
	u16 memory; /* futex: enum mechanism of the memory, whose number is `digest` */
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

/*
 * The barrier keeps the compiler from sharing this load with that of another kind of object: the
 * verifier wants each load to have one type of pointer.
 */
static __always_inline u64 inode_number(struct inode *inode)
{
	u64 number = KREAD(inode, i_ino);

	barrier_var(number);
	return number;
}

/* fs/pipe.c: an anonymous pipe lies in pipefs, a FIFO in any other file system. */
static __always_inline void pipe_identify(struct object *object, struct file *file,
					  struct inode *inode)
{
	struct pipe_inode_info *pipe = KREAD(inode, i_pipe);

	if (!pipe)
		return;
	object->mechanism = KREAD(KREAD(inode, i_sb), s_magic) == PIPEFS_MAGIC ? MECH_PIPE
									       : MECH_FIFO;
	object->detail = pipe;
	object->ref.address = (u64)inode;
	object->ref.number = inode_number(inode);
	object->digest = KREAD(pipe, ring_size);
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

static __always_inline u64 netlink_digest(struct sock *sk)
{
	struct netlink_sock *netlink = (struct netlink_sock *)sk;

	return KREAD(netlink, portid) | (u64)KREAD(netlink, dst_portid) << 32 |
	       (u64)(KREAD(netlink, subscriptions) & 0xff) << 55;
}

static __always_inline u64 socket_digest(struct sock *sk, u16 family)
{
	if (family == AF_UNIX)
		return unix_digest(sk);
	return family == AF_NETLINK ? netlink_digest(sk) : inet_digest(sk);
}

static __always_inline void sock_identify(struct object *object, struct sock *sk, u64 inode_number)
{
	struct sock_common *common = (struct sock_common *)sk;
	u16 family = KREAD(common, skc_family);

	if (family == AF_UNIX)
		object->mechanism = unix_mechanism(KREAD(sk, sk_type));
	else if (family == AF_INET || family == AF_INET6)
		object->mechanism = inet_mechanism(sk);
	else if (family == AF_NETLINK)
		object->mechanism = MECH_NETLINK;
	if (!object->mechanism)
		return;
	object->detail = sk;
	object->ref.address = (u64)sk;
	object->ref.number = inode_number;
	object->digest = socket_digest(sk, family);
	object->digest ^= (u64)(KREAD(common, skc_state) == TCP_LISTEN) << 63;
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

/* lib/xarray.c: what an array of at most 4 levels holds at `index`; 0: nothing. */
static __always_inline u64 xarray_entry(u64 entry, u32 index)
{
	for (int level = 0; level < 4; level++) {
		struct xa_node *node;

		if ((entry & 3) != 2)
			break;
		node = (struct xa_node *)(entry - 2);
		entry = (u64)kread_pointer((void *)((u64)node +
						    bpf_core_field_offset(struct xa_node, slots) +
						    8 * (index >> KREAD(node, shift) & 63)));
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
 * ipc/util.c: the queue, set or segment with this id in the caller's ipc namespace; each of their
 * structures begins with a kern_ipc_perm.
 */
static __noinline u64 sysv_find(struct task_struct *task, u16 mechanism, u32 id)
{
	struct ipc_namespace *ns = KREAD(KREAD(task, nsproxy), ipc_ns);
	u32 ids = sysv_ids(mechanism) & 3;
	u64 entry =
		(u64)kread_pointer((char *)ns + bpf_core_field_offset(struct ipc_namespace, ids) +
				   ids * bpf_core_type_size(struct ipc_ids) +
				   bpf_core_field_offset(struct ipc_ids, ipcs_idr.idr_rt.xa_head));

	entry = xarray_entry(entry, id & IPC_INDEX_MASK);
	if (!entry || (u32)KREAD((struct kern_ipc_perm *)entry, id) != id)
		return 0;
	return entry;
}

/* A segment is known by the inode of its memory, which its mappings lead to as well. */
static __always_inline void segment_identify(struct object *object, struct shmid_kernel *segment)
{
	object->ref.address = (u64)KREAD(KREAD(segment, shm_file), f_inode);
	object->digest = KREAD(segment, shm_segsz);
}

static __always_inline void sysv_identify(struct object *object, struct task_struct *task,
					  u16 mechanism, u32 id)
{
	u64 found = sysv_find(task, mechanism, id);

	if (!found)
		return;
	object->mechanism = mechanism;
	object->detail = (void *)found;
	object->ref.address = found;
	object->ref.number = WIRE_NUMBERED | id;
	object->access = WIRE_ACCESS_READ | WIRE_ACCESS_WRITE;
	if (mechanism == MECH_SYSV_SHM)
		segment_identify(object, (struct shmid_kernel *)found);
}

/*
 * Objects to which the kernel gives no number: the first look at one gives it the next, and so does
 * the call that makes it, for it may lie where another did.
 */
static __always_inline u64 instance_number(u64 address)
{
	u64 *known = bpf_map_lookup_elem(&instances, &address), number;

	if (known)
		return *known;
	number = WIRE_NUMBERED | (u32)__sync_fetch_and_add(&next_instance, 1);
	bpf_map_update_elem(&instances, &address, &number, BPF_ANY);
	return number;
}

static __always_inline void object_store(struct wire_fd *to, const struct object *object, s32 fd)
{
	to->object = object->ref;
	to->mechanism = object->mechanism;
	to->access = object->access;
	to->fd = fd;
}

#endif
