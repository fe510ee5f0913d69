/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds outsiders (strangers): processes outside the trace that communicate with a traced process.
 * They are seen in wake-ups: a sender, in its call, wakes the thread that waits at the other end.
 * The current task may wake a thread for many other reasons, so the process must hold the other end
 * of that very channel.
 */
#ifndef BPF_CALL_OUTSIDERS_BPF_H
#define BPF_CALL_OUTSIDERS_BPF_H

#include "bpf/call/call_object.bpf.h"
#include "bpf/call/payload.bpf.h"
#include "bpf/call/wakers.bpf.h"

#define PEER_FDS 4096 /* most descriptors looked at in a wake-up, which must not take long */
#define LOOPBACK 127

/* The far end of a channel, as what to look for among a process's descriptors. */
struct far_end {
	struct sock *sk;	     /* unix: the connected socket */
	struct unix_address *listen; /* unix: or the address of its listener */
	void *inode;		     /* pipe, FIFO: their inode */
	struct sock *tcp;	     /* TCP: the near socket, whose addresses are compared */
	struct sock *udp;	     /* UDP: the far socket itself, if known */
	u16 port;		     /* UDP: or any socket at this port */
	struct net *net;	     /* of this network namespace */
};

struct far_search {
	struct far_end end;
	struct file **files;
	u32 max;
	bool found;
	u32 fd;
	u64 file;
};

static __always_inline bool is_loopback(struct sock_common *common)
{
	u32 to = KREAD(common, skc_daddr);

	if (KREAD(common, skc_family) != AF_INET)
		return true;
	return (u8)to == LOOPBACK || to == KREAD(common, skc_rcv_saddr);
}

/*
 * Fills in `end`. False if the channel has no other end that a process of this machine could hold.
 */
static __always_inline bool far_end_find(struct far_end *end, u32 mechanism, u64 address)
{
	struct sock *sk = (struct sock *)address;

	switch (mechanism) {
	case MECH_PIPE:
	case MECH_FIFO:
		end->inode = (void *)address;
		return true;
	case MECH_UNIX_STREAM:
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
		end->sk = KREAD((struct unix_sock *)sk, peer);
		if (end->sk)
			end->listen = KREAD_IF((struct unix_sock *)end->sk, addr);
		return end->sk;
	case MECH_TCP:
		end->tcp = sk;
		return is_loopback((struct sock_common *)sk);
	default:
		return false;
	}
}

/* True for mechanisms that far_end_find() knows. */
static __always_inline bool has_far_end(u32 mechanism)
{
	return mechanism == MECH_PIPE || mechanism == MECH_FIFO || mechanism == MECH_TCP ||
	       (mechanism >= MECH_UNIX_STREAM && mechanism <= MECH_UNIX_SEQPACKET);
}

static __always_inline bool is_opposite(struct sock_common *mine, struct sock_common *other)
{
	u16 port = KREAD(other, skc_num);

	if (__builtin_bswap16(KREAD(mine, skc_dport)) != port ||
	    KREAD_IF(mine, skc_net.net) != KREAD_IF(other, skc_net.net))
		return false;
	if (KREAD_IF(other, skc_state) == TCP_LISTEN)
		return true;
	return __builtin_bswap16(KREAD(other, skc_dport)) == KREAD(mine, skc_num);
}

static __always_inline bool is_far_udp(const struct far_end *end, struct sock *sk)
{
	struct sock_common *common = (struct sock_common *)sk;

	if (end->udp)
		return sk == end->udp;
	return KREAD(common, skc_num) == end->port && KREAD_IF(common, skc_net.net) == end->net &&
	       inet_mechanism(sk) == MECH_UDP;
}

static __always_inline bool is_far_socket(const struct far_end *end, struct sock *sk)
{
	struct sock_common *common = (struct sock_common *)sk;
	u16 family = KREAD(common, skc_family);

	if (family == AF_UNIX)
		return sk == end->sk || (end->listen && KREAD_IF(common, skc_state) == TCP_LISTEN &&
					 KREAD_IF((struct unix_sock *)sk, addr) == end->listen);
	if (family != AF_INET && family != AF_INET6)
		return false;
	if (!end->tcp)
		return is_far_udp(end, sk);
	return inet_mechanism(sk) == MECH_TCP &&
	       is_opposite((struct sock_common *)end->tcp, common);
}

static long far_visit(u32 fd, void *context)
{
	struct far_search *search = context;
	struct file *file;
	struct inode *inode;
	struct socket *socket;
	struct sock *sk;

	if (fd >= search->max)
		return 1;
	file = kread_pointer(search->files + fd);
	if (!file)
		return 0;
	inode = KREAD(file, f_inode);
	if (search->end.inode) {
		search->found = inode == search->end.inode;
		return search->found;
	}
	if ((KREAD(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = KREAD(file, private_data);
	sk = socket ? KREAD(socket, sk) : 0;
	search->found = sk && is_far_socket(&search->end, sk);
	search->file = (u64)file;
	search->fd = fd;
	return search->found;
}

static __always_inline bool far_end_search(struct far_search *search, struct task_struct *task)
{
	struct files_struct *files = KREAD(task, files);
	struct fdtable *table = files ? KREAD(files, fdt) : 0;

	if (!table)
		return false;
	search->max = KREAD(table, max_fds);
	search->files = KREAD(table, fd);
	bpf_loop(PEER_FDS, far_visit, search, 0);
	return search->found;
}

/* True if `task` has a descriptor of the far end of the object at `address`. */
static __always_inline bool holds_far_end(struct task_struct *task, u32 mechanism, u64 address)
{
	struct far_search search = {};

	return far_end_find(&search.end, mechanism, address) && far_end_search(&search, task);
}

/* False for kernel threads, ending tasks and the tracer itself. */
static __always_inline bool may_join(struct task_struct *task)
{
	return !(KREAD(task, flags) & (PF_KTHREAD | PF_EXITING)) &&
	       (u32)KREAD(task, tgid) != selection.self;
}

/*
 * True the first time that this process is met at this object (UDP: for each `port` it sends to).
 */
static __always_inline bool outsider_is_new(const struct wire_fd *object, struct task_struct *task,
					    u16 port)
{
	struct outsider_key key = {.object = object->object.address,
				   .number = object->object.number ^ (u64)port << 40,
				   .pid = KREAD(task, tgid)};
	u8 yes = 1;

	if (bpf_map_lookup_elem(&outsiders, &key))
		return false;
	bpf_map_update_elem(&outsiders, &key, &yes, BPF_ANY);
	return true;
}

/*
 * Reports an outsider. `task` is NULL if the holder of the end is not known. `held`: it holds the
 * end now, so fd and access in `object` are its own.
 */
static __always_inline void outsider_report(const struct wire_fd *object, struct task_struct *task,
					    u32 held)
{
	struct wire_outsider *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record &&
	    held) /* a holder can end a wait, so its loss counts; else only a name is missing */
		loss_count(LOSS_RING);
	if (!record)
		return;
	head_fill(&record->head, WIRE_OUTSIDER, sizeof(*record));
	record->at_ns = bpf_ktime_get_ns();
	record->object = *object;
	record->socket = (struct wire_fd){};
	record->pid = 0;
	record->held = held;
	record->comm[0] = 0;
	if (task) {
		record->pid = KREAD(task, tgid);
		KREAD_TEXT(record->comm, task, comm);
	}
	record_submit(record);
}

/*
 * The traced process, in its call, may communicate with this stranger: reports it if it holds the
 * far end.
 */
static __always_inline void outsider_meet(const struct wire_fd *object,
					  struct task_struct *stranger)
{
	if (may_join(stranger) && outsider_is_new(object, stranger, 0) &&
	    holds_far_end(stranger, object->mechanism, object->object.address))
		outsider_report(object, stranger, 0);
}

/* --- UDP: only an address tells where the other end is --- */

#define SENDTO_PEER 4 /* index of the address among sendto's arguments */

static __always_inline u16 own_port(u64 sk)
{
	return KREAD((struct sock_common *)sk, skc_num);
}

static __always_inline u16 connected_port(u64 sk)
{
	return __builtin_bswap16(KREAD((struct sock_common *)sk, skc_dport));
}

/*
 * Fills in `end` with the socket that the kernel queued the datagram on, if that is the one
 * addressed, otherwise with the port addressed. Returns the port; 0: not known.
 */
static __always_inline u16 udp_far_end(struct far_end *end, const struct task_state *sender)
{
	u64 own = sender->operation.object.object.address, to = sender->details.to.address;
	u16 port = sender->operation.has & WIRE_HAS_ADDRESS
			   ? __builtin_bswap16(*(u16 *)(sender->extra + PORT_AT))
			   : connected_port(own);

	if (to && (!port || port == own_port(to))) {
		end->udp = (struct sock *)to;
		return own_port(to);
	}
	end->port = port;
	end->net = KREAD_IF((struct sock_common *)own, skc_net.net);
	return port;
}

static __always_inline void udp_holder_report(struct task_state *state, const struct object *object,
					      u32 fd, struct task_struct *task)
{
	struct wire_fd end = {};

	object_announce(state, object, 0);
	object_store(&end, object, fd);
	if (outsider_is_new(&end, task, 0))
		outsider_report(&end, task, 1);
}

/* A traced process sends and wakes this stranger: reports it if it holds the socket addressed. */
static __noinline int udp_receiver_meet(struct task_state *sender, struct task_struct *stranger)
{
	struct far_search search = {};
	struct object object = {};
	u16 port;

	port = udp_far_end(&search.end, sender);
	if (!port || !may_join(stranger) ||
	    !outsider_is_new(&sender->operation.object, stranger, port) ||
	    !far_end_search(&search, stranger))
		return 0;
	file_identify(&object, search.file);
	if (object.mechanism == MECH_UDP)
		udp_holder_report(sender, &object, search.fd, stranger);
	return 0;
}

/*
 * The port that a stranger sends to, in a call with these arguments on this socket; 0: not known.
 */
static __always_inline u16 udp_sent_to(const volatile struct syscall_row *row, const u64 args[6],
				       u64 sk)
{
	struct user_msghdr header = {};
	u16 port = connected_port(sk);

	if (port)
		return port;
	if (row->data == DATA_MSG)
		bpf_probe_read_user(&header, sizeof(header), (void *)args[1]);
	else if (row->peer == SENDTO_PEER)
		header.name = args[SENDTO_PEER];
	if (header.name)
		bpf_probe_read_user(&port, sizeof(port), (void *)(header.name + PORT_AT));
	return __builtin_bswap16(port);
}

static __always_inline u32 waits_count(const struct task_state *state)
{
	u32 count = state->operation.payload_len / sizeof(struct wire_wait);

	return count <= WIRE_WAITS ? count : WIRE_WAITS;
}

struct udp_waits {
	struct task_state *sleeper;
	struct net *net;
	u16 port;
	u32 index;
	bool found;
};

static __always_inline bool is_udp_at(const struct wire_fd *object, u16 port, const struct net *net)
{
	return object->mechanism == MECH_UDP && own_port(object->object.address) == port &&
	       KREAD_IF((struct sock_common *)object->object.address, skc_net.net) == net;
}

static long udp_wait_visit(u32 index, void *context)
{
	struct udp_waits *waits = context;

	waits->index = index;
	waits->found = is_udp_at(&wait_slot(waits->sleeper, index)->object, waits->port,
				 waits->net);
	return waits->found;
}

static __always_inline void udp_meet_at(struct task_state *sleeper, const struct wire_fd *object,
					const struct object *own, u32 fd,
					struct task_struct *stranger)
{
	if (!outsider_is_new(object, stranger, 0))
		return;
	outsider_report(object, stranger, 0);
	udp_holder_report(sleeper, own, fd, stranger);
}

/*
 * A stranger sends and wakes a traced thread that receives or waits: reports the stranger if it
 * sends to a socket of that thread. Not static, see other_files.bpf.h.
 */
__noinline int udp_sender_meet(struct task_state *sleeper)
{
	struct task_struct *stranger = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(stranger);
	u32 nr = KREAD(regs, REGISTER_CALL);
	const volatile struct syscall_row *row = row_of(nr);
	struct udp_waits waits = {.sleeper = sleeper};
	struct object own = {};
	struct file *file;
	u64 args[6];

	if (!sleeper || nr >= SYSCALL_ROWS || row->role != ROLE_SEND || row->fd != 0 ||
	    !may_join(stranger))
		return 0;
	syscall_arguments(regs, args);
	file = file_of_fd(stranger, args[0]);
	if (!file)
		return 0;
	file_identify(&own, (u64)file);
	if (own.mechanism != MECH_UDP)
		return 0;
	waits.net = KREAD_IF((struct sock_common *)own.ref.address, skc_net.net);
	waits.port = udp_sent_to(row, args, own.ref.address);
	if (is_udp_at(&sleeper->operation.object, waits.port, waits.net)) {
		udp_meet_at(sleeper, &sleeper->operation.object, &own, args[0], stranger);
	} else if (has_waits(row_of(sleeper->operation.nr))) {
		bpf_loop(waits_count(sleeper), udp_wait_visit, &waits, 0);
		if (waits.found)
			udp_meet_at(sleeper, &wait_slot(sleeper, waits.index)->object, &own,
				    args[0], stranger);
	}
	return 0;
}

#endif
