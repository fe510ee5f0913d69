/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sending the description of an object: once when it is first met, again when it has changed. The
 * functions here are what the hooks use to name what a descriptor, an id or a socket stands for.
 */
#ifndef BPF_DESCRIBE_H
#define BPF_DESCRIBE_H

#include <stddef.h>

#include "bpf/ports.h"
#include "bpf/special.h"

/* sizeof(((struct sockaddr_un *)0)->sun_family): the name begins behind it (net/unix/af_unix.c). */
#define SUN_FAMILY_LEN 2

static __always_inline void name_from_dentry(struct wire_object *record, struct file *file)
{
	struct dentry *dentry = KREAD(file, f_path.dentry);
	long len = bpf_probe_read_kernel_str(record->name, sizeof(record->name),
					     KREAD(dentry, d_name.name));

	record->name_len = len > 0 ? len - 1 : 0;
}

static __always_inline void name_from_unix(struct wire_object *record, struct sock *sk)
{
	struct unix_address *address = KREAD((struct unix_sock *)sk, addr);
	u64 len;

	if (!address)
		return;
	len = KREAD(address, len);
	if (len <= SUN_FAMILY_LEN)
		return;
	len -= SUN_FAMILY_LEN;
	barrier_var(len);
	if (len > 108)
		return;
	if (bpf_probe_read_kernel(record->name, len,
				  (char *)address +
					  bpf_core_field_offset(struct unix_address, name) +
					  SUN_FAMILY_LEN))
		return;
	record->name_len = len;
}

static __always_inline void describe_unix(struct wire_object *record, struct sock *sk)
{
	struct sock *peer = KREAD((struct unix_sock *)sk, peer);

	name_from_unix(record, sk);
	if (!peer)
		return;
	record->peer.address = (u64)peer;
	record->peer.number = socket_inode_number(peer);
}

static __always_inline void describe_inet(struct wire_object *record, struct sock *sk)
{
	struct sock_common *common = (struct sock_common *)sk;
	struct net *net = KREAD(common, skc_net.net);

	record->family = KREAD(common, skc_family);
	record->local_port = KREAD(common, skc_num);
	record->peer_port = __builtin_bswap16(KREAD(common, skc_dport));
	record->network = KREAD(net, ns.inum);
	if (record->mechanism == MECH_UDP && record->peer_port)
		udp_port_note(record->peer_port);
	if (record->family == AF_INET) {
		*(u32 *)record->local_address = KREAD(common, skc_rcv_saddr);
		*(u32 *)record->peer_address = KREAD(common, skc_daddr);
	} else {
		KREAD_INTO((struct in6_addr *)record->local_address, common, skc_v6_rcv_saddr);
		KREAD_INTO((struct in6_addr *)record->peer_address, common, skc_v6_daddr);
	}
}

/* What a connection has come to: only a look at the machine as it is has a use for that. */
static __always_inline void describe_tcp(struct wire_object *record, struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	describe_inet(record, sk);
	if (!glance || record->listening)
		return;
	record->peer_ended = KREAD((struct sock_common *)sk, skc_state) == TCP_CLOSE_WAIT;
	if (KREAD(sk, sk_protocol) == IPPROTO_TCP && bpf_core_field_exists(tcp->bytes_sent))
		record->sent = KREAD(tcp, bytes_sent);
}

/* net/netlink/af_netlink.c; the first 32 groups, as in an address. */
static __always_inline void describe_netlink(struct wire_object *record, struct sock *sk)
{
	struct netlink_sock *netlink = (struct netlink_sock *)sk;
	struct net *net = KREAD((struct sock_common *)sk, skc_net.net);
	void *groups = KREAD(netlink, groups);

	record->family = AF_NETLINK;
	record->network = KREAD(net, ns.inum);
	record->netlink.protocol = KREAD(sk, sk_protocol);
	record->netlink.portid = KREAD(netlink, portid);
	record->netlink.peer_portid = KREAD(netlink, dst_portid);
	if (groups)
		bpf_probe_read_kernel(&record->netlink.groups, sizeof(record->netlink.groups),
				      groups);
}

static __always_inline void describe_socket(struct wire_object *record, const struct object *object)
{
	struct sock *sk = object->detail;

	record->listening = KREAD((struct sock_common *)sk, skc_state) == TCP_LISTEN;
	if (object->mechanism == MECH_TCP)
		describe_tcp(record, sk);
	else if (object->mechanism == MECH_UDP)
		describe_inet(record, sk);
	else if (object->mechanism == MECH_NETLINK)
		describe_netlink(record, sk);
	else
		describe_unix(record, sk);
}

static __always_inline void describe_memory(struct wire_object *record, const struct object *object,
					    struct file *file)
{
	struct inode *inode = (struct inode *)object->ref.address;
	struct dentry *dentry = object->detail;
	long len = bpf_probe_read_kernel_str(record->name, sizeof(record->name),
					     KREAD(dentry, d_name.name));

	record->name_len = len > 0 ? len - 1 : 0;
	record->capacity = KREAD(inode, i_size);
	record->device = KREAD(KREAD(inode, i_sb), s_dev);
	if (file)
		record->in_shm = is_in_shm(file);
}

static __always_inline void describe_futex(struct wire_object *record, const struct object *object)
{
	record->peer.address = (u64)object->detail;
	record->peer.number = object->digest;
	record->memory = object->memory;
}

/* ipc/shm.c: the key is known where the segment was looked up by its id. */
static __always_inline void describe_sysv(struct wire_object *record, const struct object *object)
{
	if (object->mechanism == MECH_SYSV_SHM)
		record->capacity = object->digest;
	if (object->mechanism == MECH_SYSV_SEM)
		record->capacity = KREAD((struct sem_array *)object->detail, sem_nsems);
	if (!object->detail)
		return;
	record->key = KREAD((struct kern_ipc_perm *)object->detail, key);
	record->has_key = 1;
}

static __always_inline void describe(struct wire_object *record, const struct object *object,
				     struct file *file)
{
	switch (object->mechanism) {
	case MECH_PIPE:
	case MECH_FIFO:
		record->capacity = KREAD((struct pipe_inode_info *)object->detail, ring_size) *
				   (u64)PAGE_SIZE_LEN;
		if (object->mechanism == MECH_FIFO && file)
			name_from_dentry(record, file);
		break;
	case MECH_POSIX_MQ:
	case MECH_FILE_LOCK:
		if (file)
			name_from_dentry(record, file);
		break;
	case MECH_SYSV_MSG:
	case MECH_SYSV_SHM:
	case MECH_SYSV_SEM:
		describe_sysv(record, object);
		break;
	case MECH_SHARED_MMAP:
	case MECH_POSIX_SEM:
		describe_memory(record, object, file);
		break;
	case MECH_FUTEX:
		describe_futex(record, object);
		break;
	case MECH_PTY:
		describe_terminal(record, object);
		break;
	case MECH_EVENTFD:
	case MECH_EPOLL:
	case MECH_SIGNALFD:
	case MECH_TIMERFD:
	case MECH_INOTIFY:
	case MECH_PIDFD:
	case MECH_PROCESS_VM:
		break;
	default:
		describe_socket(record, object);
	}
}

static __noinline int describe_and_send(const struct object *object, struct file *file)
{
	struct wire_object *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record)
		return -1; /* not a loss: the next operation tries again */
	head_fill(&record->head, WIRE_OBJECT, sizeof(*record));
	__builtin_memset((char *)record + sizeof(record->head), 0,
			 offsetof(struct wire_object, name) - sizeof(record->head));
	record->at_ns = bpf_ktime_get_ns();
	record->ref = object->ref;
	record->mechanism = object->mechanism;
	describe(record, object, file);
	record_submit(record);
	return 0;
}

static __always_inline struct known_object *known_slot(struct task_state *state, u64 number)
{
	return &state->known[number & (KNOWN_LATELY - 1)];
}

static __always_inline bool known_lately(struct task_state *state, const struct object *object)
{
	struct known_object *known = known_slot(state, object->ref.number);

	return known->ref.address == object->ref.address &&
	       known->ref.number == object->ref.number && known->digest == object->digest;
}

static __always_inline void remember_lately(struct task_state *state, const struct object *object)
{
	struct known_object *known = known_slot(state, object->ref.number);

	known->ref = object->ref;
	known->digest = object->digest;
}

/* Its description goes out again when it is met again. */
static __always_inline void object_forget(struct task_state *state, const struct wire_ref *object)
{
	struct wire_ref ref = *object;

	known_slot(state, ref.number)->ref.address = 0;
	bpf_map_delete_elem(&known_objects, &ref);
}

/* false where it should have gone out and could not: the next operation tries again. */
static __always_inline bool describe_once(const struct object *object, struct file *file)
{
	struct wire_ref ref = object->ref;
	u64 digest = object->digest, *known = bpf_map_lookup_elem(&known_objects, &ref);

	if (known && *known == digest)
		return true;
	if (describe_and_send(object, file))
		return false;
	bpf_map_update_elem(&known_objects, &ref, &digest, BPF_ANY);
	return true;
}

/* Not static for the verifier's sake, as file_identify(). */
__noinline int object_announce(struct task_state *state, const struct object *object,
			       u64 file_address)
{
	if (!state || !object)
		return 0;
	if (!known_lately(state, object) && describe_once(object, (struct file *)file_address))
		remember_lately(state, object);
	return 0;
}

/*
 * Looks at a descriptor of `task`, tells what is behind it in `to` (MECH_NONE: not IPC) and sends
 * the object's description unless it is known already.
 */
static __noinline int object_of_fd(struct task_state *state, struct wire_fd *to,
				   struct task_struct *task, u32 fd)
{
	struct object object = {};
	struct file *file = file_of_fd(task, fd);

	to->fd = fd;
	if (!file)
		return 0;
	file_identify(&object, (u64)file);
	if (object.mechanism == MECH_NONE)
		return 0;
	object_store(to, &object, fd);
	return object_announce(state, &object, (u64)file);
}

/* The same for a System V queue, semaphore set or memory segment; to->fd becomes -1. */
static __noinline int object_of_sysv(struct task_state *state, struct wire_fd *to,
				     struct task_struct *task, u16 mechanism, u32 id)
{
	struct object object = {};

	sysv_identify(&object, task, mechanism, id);
	if (object.mechanism == MECH_NONE)
		return 0;
	object_store(to, &object, -1);
	return object_announce(state, &object, 0);
}

/* The same for a socket that some descriptor, perhaps of another process, stands for. */
static __noinline int object_of_sock(struct task_state *state, struct wire_ref *to, struct sock *sk)
{
	struct object object = {};

	sock_identify(&object, sk, socket_inode_number(sk));
	if (object.mechanism == MECH_NONE)
		return 0;
	*to = object.ref;
	return object_announce(state, &object, 0);
}

#endif
