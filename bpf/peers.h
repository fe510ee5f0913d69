/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who wakes whom, and the strangers that talk with a traced process: with --follow-peers they join,
 * without they get a name. The moment to see them is the wake-up: the
 * sender, in its call, wakes whoever waits at the other end. The task that runs may be woken for
 * many other reasons, so it must hold the other end of just that channel.
 */
#ifndef BPF_PEERS_H
#define BPF_PEERS_H

#include "bpf/snapshot.h"

#define PEER_FDS 4096 /* descriptors looked at in a wake-up, where nothing may take long */
#define LOOPBACK 127

/* The other end of what somebody sends on, as a descriptor of the peer would show it. */
struct far_end {
	struct sock *sk;	     /* unix: the connected socket */
	struct unix_address *listen; /* unix: or the one it was connected to */
	void *inode;		     /* pipe, FIFO */
	struct sock *tcp;	     /* TCP: ours, to compare addresses with */
};

struct far_search {
	struct far_end end;
	struct file **files;
	u32 max;
	bool found;
};

static __always_inline bool is_loopback(struct sock_common *common)
{
	u32 to = KREAD(common, skc_daddr);

	if (KREAD(common, skc_family) != AF_INET)
		return true;
	return (u8)to == LOOPBACK || to == KREAD(common, skc_rcv_saddr);
}

/* false where the channel has no other end that a process of this machine could hold. */
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
			end->listen = KREAD((struct unix_sock *)end->sk, addr);
		return end->sk;
	case MECH_TCP:
		end->tcp = sk;
		return is_loopback((struct sock_common *)sk);
	default:
		return false;
	}
}

/* One that far_end_find() may find. */
static __always_inline bool has_far_end(u32 mechanism)
{
	return mechanism == MECH_PIPE || mechanism == MECH_FIFO || mechanism == MECH_TCP ||
	       (mechanism >= MECH_UNIX_STREAM && mechanism <= MECH_UNIX_SEQPACKET);
}

static __always_inline bool is_opposite(struct sock_common *mine, struct sock_common *other)
{
	u16 port = KREAD(other, skc_num);

	if (__builtin_bswap16(KREAD(mine, skc_dport)) != port ||
	    KREAD(mine, skc_net.net) != KREAD(other, skc_net.net))
		return false;
	if (KREAD(other, skc_state) == TCP_LISTEN)
		return true;
	return __builtin_bswap16(KREAD(other, skc_dport)) == KREAD(mine, skc_num);
}

static __always_inline bool is_far_socket(const struct far_end *end, struct sock *sk)
{
	struct sock_common *common = (struct sock_common *)sk;
	u16 family = KREAD(common, skc_family);

	if (family == AF_UNIX)
		return sk == end->sk || (end->listen && KREAD(common, skc_state) == TCP_LISTEN &&
					 KREAD((struct unix_sock *)sk, addr) == end->listen);
	if (!end->tcp || (family != AF_INET && family != AF_INET6))
		return false;
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
	return search->found;
}

static __always_inline bool holds_far_end(struct task_struct *task, u32 mechanism, u64 address)
{
	struct far_search search = {};
	struct files_struct *files = KREAD(task, files);
	struct fdtable *table = files ? KREAD(files, fdt) : 0;

	if (!table || !far_end_find(&search.end, mechanism, address))
		return false;
	search.max = KREAD(table, max_fds);
	search.files = KREAD(table, fd);
	bpf_loop(PEER_FDS, far_visit, &search, 0);
	return search.found;
}

/*
 * From here on its calls are recorded. What else it holds, and its other threads, the next walk
 * over all threads tells, which user/ starts when it sees the count.
 */
static __always_inline struct task_state *peer_join(struct task_struct *task)
{
	u32 pid = KREAD(task, tgid);
	struct task_state *state = task_state_make(task);
	u8 yes = 1;

	if (!state || state->flags)
		return 0;
	state->flags = TASK_GUEST | TASK_UNTOLD;
	bpf_map_update_elem(&guests, &pid, &yes, BPF_ANY);
	snapshot_record(task);
	__sync_fetch_and_add(&peers_joined, 1);
	return state;
}

static __always_inline bool may_join(struct task_struct *task)
{
	return !(KREAD(task, flags) & (PF_KTHREAD | PF_EXITING)) &&
	       (u32)KREAD(task, tgid) != selection.self;
}

/* true the first time that this process is met at this object. */
static __always_inline bool outsider_is_new(const struct wire_fd *object, struct task_struct *task)
{
	struct outsider_key key = {.object = object->object.address,
				   .number = object->object.number,
				   .pid = KREAD(task, tgid)};
	u8 yes = 1;

	if (bpf_map_lookup_elem(&outsiders, &key))
		return false;
	bpf_map_update_elem(&outsiders, &key, &yes, BPF_ANY);
	return true;
}

static __always_inline void outsider_tell(const struct wire_fd *object, struct task_struct *task,
					  u32 held)
{
	struct wire_outsider *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record)
		return; /* a name the less, no record of what happened */
	head_fill(&record->head, WIRE_OUTSIDER, sizeof(*record));
	record->at_ns = bpf_ktime_get_ns();
	record->object = *object;
	record->pid = 0;
	record->held = held;
	record->comm[0] = 0;
	if (task) {
		record->pid = KREAD(task, tgid);
		bpf_core_read_str(record->comm, sizeof(record->comm), &task->comm);
	}
	record_submit(record);
}

/* The traced one, in its call, has to do with this stranger: who is it? */
static __always_inline void outsider_meet(const struct wire_fd *object,
					  struct task_struct *stranger)
{
	if (may_join(stranger) && outsider_is_new(object, stranger) &&
	    holds_far_end(stranger, object->mechanism, object->object.address))
		outsider_tell(object, stranger, 0);
}

/* A traced process sends or connects, and wakes a stranger. */
static __always_inline void stranger_woken(struct task_state *sender, struct task_struct *woken)
{
	const struct wire_operation *operation = &sender->operation;
	struct task_state *state;

	if (!sender->recording || row_of(operation->nr)->role == ROLE_RECEIVE || !may_join(woken) ||
	    !holds_far_end(woken, operation->object.mechanism, operation->object.object.address))
		return;
	state = peer_join(woken);
	if (state)
		sleeping_call_follow(state, woken);
}

/* A stranger sends, and wakes a traced process: its call is recorded when it returns. */
static __always_inline void stranger_wakes(struct task_struct *stranger, struct task_struct *woken)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(stranger);
	struct object object = {};
	struct task_state *state;
	struct file *file;
	u32 nr = KREAD(regs, orig_ax);
	const volatile struct syscall_row *row = row_of(nr);

	if (nr >= SYSCALL_ROWS || row->role != ROLE_SEND || row->fd != 0 || !may_join(stranger))
		return;
	file = file_of_fd(stranger, KREAD(regs, di));
	if (!file)
		return;
	file_identify(&object, (u64)file);
	if (!object.mechanism || !holds_far_end(woken, object.mechanism, object.ref.address))
		return;
	state = peer_join(stranger);
	if (state)
		late_follow(state);
}

static __always_inline void outsider_note(struct task_state *traced, struct task_struct *stranger,
					  u32 process)
{
	if (traced->recording && (u32)KREAD(stranger, tgid) != process &&
	    has_far_end(traced->operation.object.mechanism))
		outsider_meet(&traced->operation.object, stranger);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(call_waking, struct task_struct *woken)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct task_state *waker = task_state_traced(current), *state = task_state_traced(woken);
	u32 sleep = woken->__state;

	/* Without --follow-peers strangers stay outside, but get a name. */
	if (waker && !state && !selection.peers)
		outsider_note(waker, woken, current->tgid);
	if (!state)
		return 0;
	if (!waker && !selection.peers)
		outsider_note(state, current, woken->tgid);
	if (sleep)
		wake(waker, state, woken, current, sleep);
	return 0;
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(peer_woken, struct task_struct *woken)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct task_state *sender = task_state_traced(current);
	struct task_state *target = task_state_traced(woken);

	if (sender) {
		if (!target && woken->tgid != current->tgid)
			stranger_woken(sender, woken);
	} else if (target && woken->tgid != current->tgid) {
		stranger_wakes(current, woken);
	}
	return 0;
}

#endif
