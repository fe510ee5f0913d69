/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tells whether a buffer that the kernel allocates or frees on this processor now may be a message
 * of a traced call. The allocator's hooks run for every process of the machine, so they ask this
 * first: for a thread in no such call it costs two loads and a comparison.
 */
#ifndef BPF_OBJECT_ALLOCATOR_FILTER_BPF_H
#define BPF_OBJECT_ALLOCATOR_FILTER_BPF_H

#include <asm/unistd.h>

#include "bpf/object/object.bpf.h"

#define FOLLOWS_BIRTHS 1   /* in a send: an allocated buffer may be a message */
#define FOLLOWS_DEATHS 2   /* in a receive: a freed buffer may be a message */
#define FOLLOWS_STRANGER 4 /* in a queue receive of a thread that is not traced */

#define FOLLOWING_CPUS 1024 /* a power of two; on larger machines is_followed() is always true */

#define FOLLOWING_STEP 8 /* one cache line per processor */

/*
 * The thread that is believed to run on a processor. sched_switch does not fire for every switch on
 * every machine (in a guest whose supervisor runs as process 1, the switch away from that thread
 * was seen by no tracer), so the belief is checked before it is used.
 */
struct runner {
	u32 tid;
	u32 follows; /* FOLLOWS_* bits of its call */
};

static struct runner runners[FOLLOWING_CPUS * FOLLOWING_STEP];

struct buffer_origin {
	u64 operation; /* operation that allocated it; 0: a message sent before the trace */
	u64 object;    /* the object it was sent on (UDP: the sender's port) */
	u32 message;   /* index of the message in its sendmmsg */
	u32 from;      /* bytes of the call's messages before this one */
	u32 buffer;    /* index among the message's buffers */
	/*
	 * Not 0: this entry is a datagram's data, sent from this port; `object` is then its
	 * sk_buff.
	 */
	u16 port;
	u16 fate; /* UDP: enum fate */
};

/*
 * What is known of a datagram: it waits, a receive is likely to have taken it, or it exactly has.
 */
enum fate { FATE_WAITS, FATE_NAMED, FATE_PROVED };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct buffer_origin);
} buffers SEC(".maps");

/* 1: the allocator's hooks are attached (set by user/); before, no look-up is needed. */
__u32 buffers_followed = 0;
__u32 messages_followed = 0; /* the hooks that follow messages of queues are attached */
__u32 queues_met = 0;	     /* a traced call has met a queue */

static __always_inline bool is_queue(u32 mechanism)
{
	return mechanism == MECH_POSIX_MQ || mechanism == MECH_SYSV_MSG;
}

static __always_inline bool has_buffers(u32 mechanism)
{
	return is_unix(mechanism) || mechanism == MECH_UDP || is_queue(mechanism);
}

/* The descriptor that the current call sends on; NULL: it sends nothing. */
static __always_inline const struct wire_fd *sink_of(const struct task_state *state)
{
	if (!state || !state->recording)
		return 0;
	if (state->role == ROLE_SEND)
		return &state->operation.object;
	return state->role == ROLE_TRANSFER ? &state->details.new_fds[0] : 0;
}

/*
 * FOLLOWS_* bits of the current call. A receive from a unix socket has none, because
 * skb_copy_datagram_iovec shows which buffers it takes.
 */
static __always_inline u32 follows_of(const struct task_state *state)
{
	const struct wire_fd *sink = sink_of(state);
	u32 mechanism = state->operation.object.mechanism;

	if (sink)
		return has_buffers(sink->mechanism) ? FOLLOWS_BIRTHS : 0;
	return state->role == ROLE_RECEIVE && (mechanism == MECH_UDP || is_queue(mechanism))
		       ? FOLLOWS_DEATHS
		       : 0;
}

static __always_inline struct runner *runner_here(void)
{
	return &runners[(bpf_get_smp_processor_id() & (FOLLOWING_CPUS - 1)) * FOLLOWING_STEP];
}

static __always_inline u32 current_tid(void)
{
	return (u32)bpf_get_current_pid_tgid();
}

static __always_inline void runner_set(u32 tid, u32 follows)
{
	struct runner *runner = runner_here();

	runner->tid = tid;
	runner->follows = follows;
}

/*
 * state->follows is written first: if the thread is preempted between the two writes, call_switch()
 * restores the processor's bits from it.
 */
static __always_inline void following_begin(struct task_state *state)
{
	state->follows = follows_of(state);
	if (state->follows)
		runner_set(current_tid(), state->follows);
}

static __always_inline void following_end(struct task_state *state)
{
	if (!state->follows)
		return;
	state->follows = 0;
	runner_here()->follows = 0;
}

/*
 * Once the trace has a queue, receives from queues by threads that are not traced are watched too:
 * a message that such a thread took must not be found again under its old address.
 */
static __always_inline u32 stranger_follows(long nr)
{
	return nr == __NR_msgrcv || nr == __NR_mq_timedreceive ? FOLLOWS_STRANGER : 0;
}

static __always_inline void stranger_enters(long nr)
{
	if (stranger_follows(nr))
		runner_set(current_tid(), FOLLOWS_STRANGER);
}

static __always_inline void stranger_leaves(void)
{
	if (runner_here()->follows == FOLLOWS_STRANGER)
		runner_here()->follows = 0;
}

/* A thread that is not traced may have slept in its receive since before the queue was met. */
static __always_inline u32 stranger_resumes(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	return KREAD(task, flags) & PF_KTHREAD ? 0 : stranger_follows(KREAD(regs, REGISTER_CALL));
}

/* Called when a thread begins to run; `state` is NULL if it is not traced. */
static __always_inline void runner_switch(const struct task_state *state, struct task_struct *next)
{
	u32 stranger = !state && queues_met ? stranger_resumes(next) : 0;

	runner_set(KREAD(next, pid), state ? state->follows : stranger);
}

/*
 * For a thread whose switch to this processor was not seen. Whatever a thread that is not traced
 * frees is no message any more.
 */
static __always_inline bool is_followed_unseen(u32 what)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());

	return state ? state->follows & what : queues_met && what & FOLLOWS_STRANGER;
}

static __always_inline bool is_followed(u32 what)
{
	const struct runner *runner = runner_here();

	if (cpu_count > FOLLOWING_CPUS)
		return true;
	return runner->tid == current_tid() ? runner->follows & what : is_followed_unseen(what);
}

#endif
