/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reports ways to move data without a system call for each transfer, before they can have moved
 * any. For aio the objects are listed, so that pairing on all others stays exact.
 */
#ifndef BPF_CALL_UNSEEN_WAYS_BPF_H
#define BPF_CALL_UNSEEN_WAYS_BPF_H

#include "bpf/call/call_object.bpf.h"

#define AIO_MOST 64	 /* most iocbs of one call that are looked at */
#define AIO_FLAG_RESFD 1 /* IOCB_FLAG_RESFD: completion is signalled on an eventfd */

/* struct iocb, linux/aio_abi.h */
struct user_iocb {
	u64 data;
	u64 key_and_flags;
	u16 opcode;
	s16 priority;
	u32 fd;
	u64 buffer, len;
	s64 offset;
	u64 reserved;
	u32 flags;
	u32 result_fd;
};

/* Keys of the objects that were reported, once per process each. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct outsider_key);
	__type(value, u8);
} used_unseen SEC(".maps");

static __always_inline void unseen_report_object(struct task_struct *task, const struct wire_fd *fd)
{
	struct outsider_key key = {.object = fd->object.address,
				   .number = fd->object.number,
				   .pid = KREAD(task, tgid)};
	struct wire_unseen *record;
	u8 yes = 1;

	if (bpf_map_lookup_elem(&used_unseen, &key))
		return;
	record = record_reserve(struct wire_unseen, WIRE_UNSEEN);
	if (!record)
		return;
	record->at_ns = bpf_ktime_get_ns();
	record->what = WIRE_UNSEEN_AIO;
	record->object = *fd;
	record_submit(record);
	bpf_map_update_elem(&used_unseen, &key, &yes, BPF_ANY);
}

/* Reports the object behind a descriptor that aio uses. Not static for the verifier's sake. */
__noinline int aio_report_fd(struct task_state *state, u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wire_fd *used;

	if (!state)
		return 0;
	used = &state->details.new_fds[0];
	__builtin_memset(used, 0, sizeof(*used));
	object_of_fd(state, used, task, fd);
	if (used->mechanism != MECH_NONE)
		unseen_report_object(task, used);
	__builtin_memset(used, 0, sizeof(*used));
	return 0;
}

struct aio_walk {
	struct task_state *state;
	u64 list;
	bool unread;
};

static long aio_visit(u32 index, void *context)
{
	struct aio_walk *walk = context;
	struct user_iocb iocb;
	u64 at;

	if (bpf_probe_read_user(&at, sizeof(at), (void *)(walk->list + index * sizeof(at))) ||
	    bpf_probe_read_user(&iocb, sizeof(iocb), (void *)at)) {
		walk->unread = true;
		return 1;
	}
	aio_report_fd(walk->state, iocb.fd);
	if (iocb.flags & AIO_FLAG_RESFD)
		aio_report_fd(walk->state, iocb.result_fd);
	return 0;
}

/*
 * io_submit(context, count, list) is entered. If an iocb cannot be read now, it may concern any
 * object.
 */
static __always_inline void aio_report(struct task_state *state, struct task_struct *task,
				       struct pt_regs *regs)
{
	struct aio_walk walk = {.state = state, .list = KREAD(regs, REGISTER_2)};
	s64 count = KREAD(regs, REGISTER_1);

	if (state->reported & WIRE_UNSEEN_AIO || count <= 0)
		return;
	bpf_loop(count < AIO_MOST ? count : AIO_MOST, aio_visit, &walk, 0);
	if (walk.unread || count > AIO_MOST)
		unseen_report(state, task, WIRE_UNSEEN_AIO);
}

/*
 * An io_uring moves data from its creation on, with or without calls. A process that was given a
 * ring by another one has to use it by a call, which is caught here.
 */
static __always_inline void unseen_at_entry(struct task_state *state, struct task_struct *task,
					    struct pt_regs *regs, long nr)
{
	if (nr == __NR_io_uring_enter || nr == __NR_io_uring_register)
		unseen_report(state, task, WIRE_UNSEEN_URING);
	else if (nr == __NR_io_submit)
		aio_report(state, task, regs);
}

/* True if socket(2) was called for a socket that object_of_socket() gives a mechanism. */
static __always_inline bool is_traced_kind(struct pt_regs *regs)
{
	u32 family = KREAD(regs, REGISTER_0), type = KREAD(regs, REGISTER_1) & SOCK_TYPE_MASK;
	u32 protocol = KREAD(regs, REGISTER_2);

	if (family != AF_INET && family != AF_INET6)
		return family == AF_UNIX || family == AF_NETLINK;
	if (type == SOCK_STREAM)
		return !protocol || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
	return type == SOCK_DGRAM && (!protocol || protocol == IPPROTO_UDP);
}

static __always_inline void unseen_at_exit(struct task_state *state, struct task_struct *task,
					   struct pt_regs *regs, long returned)
{
	if (returned < 0)
		return;
	if (state->nr == __NR_io_uring_setup)
		unseen_report(state, task, WIRE_UNSEEN_URING);
	else if (state->nr == __NR_ptrace)
		unseen_report(state, task, WIRE_UNSEEN_PTRACE);
	else if (state->nr == __NR_socket && !is_traced_kind(regs))
		unseen_report(state, task, WIRE_UNSEEN_SOCKET);
}

struct task_struct___uring {
	void *io_uring;
} __attribute__((preserve_access_index));

/* Reports a ring that a thread has, or serves, when it is first traced. */
static __always_inline void unseen_found(struct task_state *state, struct task_struct *task)
{
	struct task_struct___uring *uring = (void *)task;

	if (KREAD_IF(uring, io_uring))
		unseen_report(state, task, WIRE_UNSEEN_URING);
}

#endif
