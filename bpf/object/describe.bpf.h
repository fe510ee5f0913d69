/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sends the description of an object (struct wire_object): once when it is first met, and again
 * when its digest has changed. The hooks use object_of_fd(), object_of_sysv() and object_of_sock()
 * to identify and describe an object in one step.
 */
#ifndef BPF_OBJECT_DESCRIBE_BPF_H
#define BPF_OBJECT_DESCRIBE_BPF_H

#include <stddef.h>

#include "bpf/object/names.bpf.h"
#include "bpf/object/other_files.bpf.h"
#include "bpf/object/queue_before.bpf.h"
#include "bpf/object/udp_ports.bpf.h"

static __always_inline void describe_inet(struct wire_object *record, struct sock *sk)
{
	describe_addresses(record, sk);
	describe_interface(record, sk);
	if (record->mechanism == MECH_UDP && record->peer_port)
		udp_port_note(record->peer_port);
}

/*
 * Bytes that have come and were not read; the end of the other side counts as one more in rcv_nxt
 * (net/ipv4/tcp_input.c, tcp_fin).
 */
static __always_inline u64 tcp_unread(const struct wire_object *record, struct tcp_sock *tcp,
				      u8 state)
{
	u32 bytes;

	if (!KHAS(struct tcp_sock, rcv_nxt) || !KHAS(struct tcp_sock, copied_seq) ||
	    (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT))
		return 0;
	bytes = KREAD(tcp, rcv_nxt) - KREAD(tcp, copied_seq);
	return bytes && record->peer_ended ? bytes - 1 : bytes;
}

/* The time in jiffies is of tcp_jiffies32 (include/net/tcp.h). */
static __always_inline u64 time_of_jiffies(u64 now_ns, u32 then)
{
	return now_ns - ((u32)bpf_jiffies64() - then) * tick_ns;
}

/* When data was last sent and received. The kernel sets both times when it connects, too. */
static __always_inline void describe_last_data(struct wire_object *record, struct tcp_sock *tcp)
{
	struct inet_connection_sock *connection = (struct inet_connection_sock *)tcp;

	if (!tick_ns || !KHAS(struct tcp_sock, lsndtime) ||
	    !KHAS(struct inet_connection_sock, icsk_ack.lrcvtime))
		return;
	if (record->sent)
		record->sent_ns = time_of_jiffies(record->at_ns, KREAD(tcp, lsndtime));
	if (KREAD_IF(tcp, bytes_received))
		record->received_ns = time_of_jiffies(record->at_ns,
						      KREAD(connection, icsk_ack.lrcvtime));
}

/* How a connection stands. */
static __always_inline void describe_traffic(struct wire_object *record, struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	u8 state = KREAD_IF((struct sock_common *)sk, skc_state);

	record->peer_ended = state == TCP_CLOSE_WAIT;
	if (KREAD(sk, sk_protocol) != IPPROTO_TCP)
		return;
	record->sent = KREAD_IF(tcp, bytes_sent);
	record->unread = tcp_unread(record, tcp, state);
	record->packet_ns = KREAD_IF(tcp, tcp_mstamp) * 1000;
	describe_last_data(record, tcp);
}

/* How a connection stands is filled in for a glance only. */
static __always_inline void describe_tcp(struct wire_object *record, struct sock *sk)
{
	describe_inet(record, sk);
	if (record->listening && KHAS(struct sock, sk_ack_backlog))
		record->backlog = 1 + KREAD(sk, sk_ack_backlog);
	if (glance && !record->listening)
		describe_traffic(record, sk);
}

/* net/netlink/af_netlink.c. Only the first 32 groups are read, as a struct sockaddr_nl holds. */
static __always_inline void describe_netlink(struct wire_object *record, struct sock *sk)
{
	struct netlink_sock *netlink = (struct netlink_sock *)sk;
	struct net *net = KREAD_IF((struct sock_common *)sk, skc_net.net);
	void *groups = KREAD_IF(netlink, groups);

	record->family = AF_NETLINK;
	record->network = KREAD_IF(net, ns.inum);
	record->netlink.protocol = KREAD(sk, sk_protocol);
	record->netlink.portid = KREAD_IF(netlink, portid);
	record->netlink.peer_portid = KREAD_IF(netlink, dst_portid);
	if (groups)
		bpf_probe_read_kernel(&record->netlink.groups, sizeof(record->netlink.groups),
				      groups);
}

static __always_inline void describe_socket(struct wire_object *record, const struct object *object)
{
	struct sock *sk = object->detail;

	record->listening = KREAD_IF((struct sock_common *)sk, skc_state) == TCP_LISTEN;
	if (object->mechanism == MECH_TCP)
		describe_tcp(record, sk);
	else if (object->mechanism == MECH_UDP)
		describe_inet(record, sk);
	else if (object->mechanism == MECH_NETLINK)
		describe_netlink(record, sk);
	else {
		describe_unix(record, sk);
		record->removed = is_removed(KREAD_IF((struct unix_sock *)sk, path.dentry));
	}
}

/* Of a FIFO or a queue, whose file has the name that it was opened by. */
static __always_inline void describe_named(struct wire_object *record, struct file *file)
{
	name_from_dentry(record, file);
	record->removed = is_removed(KREAD_IF(file, f_path.dentry));
}

static __always_inline void describe_memory(struct wire_object *record, const struct object *object,
					    struct file *file)
{
	struct inode *inode = (struct inode *)object->ref.address;
	struct dentry *dentry = object->detail;
	long len = bpf_probe_read_kernel_str(record->name, sizeof(record->name),
					     KREAD_IF(dentry, d_name.name));

	record->name_len = len > 0 ? len - 1 : 0;
	record->capacity = KREAD_IF(inode, i_size);
	record->device = KREAD_IF(KREAD(inode, i_sb), s_dev);
	if (file)
		record->in_shm = is_in_shm(file);
}

static __always_inline void describe_futex(struct wire_object *record, const struct object *object)
{
	record->peer.address = (u64)object->detail;
	record->peer.number = object->digest;
	record->memory = object->memory;
}

/*
 * ipc/shm.c, ipc/msg.c: the bytes of a segment, and those that a queue may hold (msg_qbytes). A
 * segment's key is known only if it was looked up by its id, not by its inode.
 */
static __always_inline void describe_sysv(struct wire_object *record, const struct object *object)
{
	if (object->mechanism == MECH_SYSV_SHM || object->mechanism == MECH_SYSV_MSG)
		record->capacity = object->digest;
	if (object->mechanism == MECH_SYSV_SEM)
		record->capacity = KREAD_IF((struct sem_array *)object->detail, sem_nsems);
	if (!object->detail)
		return;
	record->key = KREAD_IF((struct kern_ipc_perm *)object->detail, key);
	record->has_key = KHAS(struct kern_ipc_perm, key);
}

static __always_inline void describe(struct wire_object *record, const struct object *object,
				     struct file *file)
{
	switch (object->mechanism) {
	case MECH_PIPE:
	case MECH_FIFO:
		record->capacity = KREAD_IF((struct pipe_inode_info *)object->detail, ring_size) *
				   (u64)page_len;
		if (object->mechanism == MECH_FIFO && file)
			describe_named(record, file);
		break;
	case MECH_POSIX_MQ:
	case MECH_FILE_LOCK:
		if (file)
			describe_named(record, file);
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
		return -1; /* not counted as lost: the next operation tries again */
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

/* Makes the object's description go out again when the object is next met. */
static __always_inline void object_forget(struct task_state *state, const struct wire_ref *object)
{
	struct wire_ref ref = *object;

	known_slot(state, ref.number)->ref.address = 0;
	bpf_map_delete_elem(&known_objects, &ref);
}

static __always_inline void digest_keep(const struct object *object)
{
	struct wire_ref ref = object->ref;
	u64 digest = object->digest;

	bpf_map_update_elem(&known_objects, &ref, &digest, BPF_ANY);
}

enum known { KNOWN_NOT, KNOWN_OTHERWISE, KNOWN_SO };

static __always_inline enum known known_as(const struct object *object)
{
	struct wire_ref ref = object->ref;
	u64 *known = bpf_map_lookup_elem(&known_objects, &ref);

	if (!known)
		return KNOWN_NOT;
	return *known == object->digest ? KNOWN_SO : KNOWN_OTHERWISE;
}

/*
 * Sends the description unless it went out with the same digest. False if it could not be sent: the
 * next operation tries again. `state` is what a walk through a queue's messages is kept in; it may
 * be NULL for what is no queue.
 */
static __always_inline bool describe_once(struct task_state *state, const struct object *object,
					  struct file *file)
{
	enum known known = known_as(object);

	if (known == KNOWN_SO)
		return true;
	if (describe_and_send(object, file))
		return false;
	if (state && known == KNOWN_NOT && is_queue(object->mechanism))
		queue_met(state, object);
	digest_keep(object);
	return true;
}

/*
 * Sends the object's description unless it is already known; `file_address` may be 0. Not static
 * for the verifier's sake, see file_identify().
 */
__noinline int object_announce(struct task_state *state, const struct object *object,
			       u64 file_address)
{
	if (!state || !object)
		return 0;
	if (!known_lately(state, object) &&
	    describe_once(state, object, (struct file *)file_address))
		remember_lately(state, object);
	return 0;
}

/*
 * Identifies what is behind a descriptor of `task`, stores it in `to` and sends the object's
 * description unless it is already known. to->mechanism is left as it was (MECH_NONE in a cleared
 * one) if the descriptor is no IPC object.
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

/* As object_of_fd(), for a System V queue, semaphore set or memory segment. to->fd becomes -1. */
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

/* As object_of_fd(), for a socket that some descriptor, perhaps of another process, refers to. */
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
