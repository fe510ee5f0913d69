/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a call waits for: the descriptors and events of poll, select and epoll, and at its return
 * which of them were ready. They are the payload of the operation's record: an array of struct
 * wire_wait in `extra`.
 *
 * poll and select name their descriptors in the caller's memory, which is read at entry. An epoll
 * instance has them in a tree of its own (fs/eventpoll.c), which is read when a call falls asleep,
 * so it is right whoever filled it, and when; a call that returns at once pays only for the
 * descriptors that are ready.
 */
#ifndef BPF_WAITS_H
#define BPF_WAITS_H

#include <asm/unistd.h>

#include "bpf/describe.h"
#include "bpf/table.h"

#define POLLIN 1 /* asm-generic/poll.h; EPOLLIN and its kin are the same */
#define POLLPRI 2
#define POLLOUT 4
#define EPOLL_CTL_DEL 2
#define SELECT_BITS 256 /* descriptors of select that are looked at */
#define EPOLL_NODES 64	/* entries of an epoll instance that are looked at */
#define EPOLL_READY 16	/* events of one epoll_wait that are told */
#define TREE_DEPTH 24	/* of a red-black tree of 4,096 nodes */
#define READY_AT 2048	/* in `extra`, behind the array */

struct user_pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

struct user_epoll_event {
	u32 events;
#if !defined(__TARGET_ARCH_x86)
	u32 pad; /* EPOLL_PACKED is for x86-64 only */
#endif
	u32 data[2];
};

struct waits_walk {
	struct task_state *state;
	struct task_struct *task;
	struct rb_node *node; /* epoll: the next entry */
	u64 from;	      /* poll: the caller's array */
	u32 found;
	u32 ready; /* epoll: how many events were returned */
	bool only_ready;
	bool more;
};

static __always_inline struct wire_wait *wait_slot(struct task_state *state, u32 at)
{
	return (struct wire_wait *)state->extra + (at & (WIRE_WAITS - 1));
}

static __always_inline struct wire_wait *wait_add(struct waits_walk *walk, u32 fd, u32 events)
{
	struct wire_wait *wait = wait_slot(walk->state, walk->found);

	if (walk->found >= WIRE_WAITS) {
		walk->more = true;
		return 0;
	}
	__builtin_memset(wait, 0, sizeof(*wait));
	object_of_fd(walk->state, &wait->object, walk->task, fd);
	wait->events = events;
	walk->found++;
	return wait;
}

static __always_inline void waits_set(struct task_state *state, const struct waits_walk *walk)
{
	state->operation.payload_len = walk->found * sizeof(struct wire_wait);
	if (walk->more)
		state->operation.has |= WIRE_HAS_MORE_WAITS;
}

/* --- poll, ppoll --- */

static __always_inline bool pollfd_read(struct user_pollfd *pollfd, const struct waits_walk *walk,
					u32 index)
{
	return bpf_probe_read_user(pollfd, sizeof(*pollfd),
				   (void *)(walk->from + index * sizeof(*pollfd))) == 0;
}

static long poll_visit(u32 index, void *context)
{
	struct waits_walk *walk = context;
	struct user_pollfd pollfd;

	if (!pollfd_read(&pollfd, walk, index))
		return 1;
	if (pollfd.fd >= 0) /* poll ignores the others */
		wait_add(walk, pollfd.fd, (u16)pollfd.events);
	return 0;
}

static long poll_ready_visit(u32 index, void *context)
{
	struct waits_walk *walk = context;
	struct user_pollfd pollfd;

	if (!pollfd_read(&pollfd, walk, index) || walk->found >= WIRE_WAITS)
		return 1;
	if (pollfd.fd < 0)
		return 0;
	wait_slot(walk->state, walk->found)->ready = (u16)pollfd.revents;
	walk->found++;
	return 0;
}

/* --- select, pselect6 --- */

struct user_sets {
	u64 words[3][SELECT_BITS / 64];
};

/* The stack has no room for them. */
static __always_inline struct user_sets *sets_of(struct task_state *state)
{
	return (struct user_sets *)(state->extra + READY_AT);
}

/* The sets are as long as the highest descriptor needs, in whole words. */
static __always_inline void sets_read(struct task_state *state, u64 count)
{
	struct user_sets *sets = sets_of(state);
	u64 len = count < SELECT_BITS ? (count + 63) / 64 * 8 : SELECT_BITS / 8;

	__builtin_memset(sets, 0, sizeof(*sets));
	for (u32 i = 0; i < 3; i++) {
		u64 from = state->details.args[1 + i];

		barrier_var(len);
		if (from && len <= SELECT_BITS / 8)
			bpf_probe_read_user(sets->words[i], len, (void *)from);
	}
}

static __always_inline u32 sets_events(struct task_state *state, u32 fd)
{
	const struct user_sets *sets = sets_of(state);
	u32 word = (fd / 64) & (SELECT_BITS / 64 - 1), events = 0;

	if (sets->words[0][word] >> (fd & 63) & 1)
		events |= POLLIN;
	if (sets->words[1][word] >> (fd & 63) & 1)
		events |= POLLOUT;
	if (sets->words[2][word] >> (fd & 63) & 1)
		events |= POLLPRI;
	return events;
}

static long select_visit(u32 fd, void *context)
{
	struct waits_walk *walk = context;
	u32 events = sets_events(walk->state, fd);

	if (events)
		wait_add(walk, fd, events);
	return 0;
}

static long select_ready_visit(u32 index, void *context)
{
	struct waits_walk *walk = context;
	struct wire_wait *wait = wait_slot(walk->state, index);

	if ((u32)wait->object.fd < SELECT_BITS)
		wait->ready = sets_events(walk->state, wait->object.fd);
	return 0;
}

/* --- epoll --- */

static __always_inline struct rb_node *tree_leftmost(struct rb_node *node)
{
	for (u32 i = 0; i < TREE_DEPTH; i++) {
		struct rb_node *left = KREAD(node, rb_left);

		if (!left)
			break;
		node = left;
	}
	return node;
}

/* lib/rbtree.c: rb_next() */
static __always_inline struct rb_node *tree_next(struct rb_node *node)
{
	struct rb_node *right = KREAD(node, rb_right);

	if (right)
		return tree_leftmost(right);
	for (u32 i = 0; i < TREE_DEPTH; i++) {
		u64 parent_and_colour = KREAD(node, __rb_parent_color);
		struct rb_node *parent = (struct rb_node *)(parent_and_colour & ~3ULL);

		if (!parent || KREAD(parent, rb_right) != node)
			return parent;
		node = parent;
	}
	return 0;
}

static __always_inline u64 epoll_data(const struct user_epoll_event *event)
{
	return event->data[0] | (u64)event->data[1] << 32;
}

/* The events that were returned for the entry with this `data`; 0 where it was not ready. */
static __always_inline u32 epoll_ready(const struct waits_walk *walk, u64 data)
{
	const struct user_epoll_event *events = (void *)(walk->state->extra + READY_AT);

	for (u32 i = 0; i < EPOLL_READY; i++) {
		if (i >= walk->ready)
			break;
		if (epoll_data(&events[i]) == data)
			return events[i].events;
	}
	return 0;
}

static long epoll_visit(u32 index, void *context)
{
	struct waits_walk *walk = context;
	struct wire_wait *wait;
	struct epitem *item;
	u32 ready;

	if (!walk->node)
		return 1;
	item = (void *)walk->node - bpf_core_field_offset(struct epitem, rbn);
	ready = walk->only_ready ? epoll_ready(walk, KREAD(item, event.data)) : 0;
	if (ready || !walk->only_ready) {
		wait = wait_add(walk, KREAD(item, ffd.fd), KREAD(item, event.events));
		if (wait)
			wait->ready = ready;
	}
	walk->node = tree_next(walk->node);
	return 0;
}

static __always_inline struct rb_node *epoll_first(const struct task_state *state)
{
	struct eventpoll *poll = (struct eventpoll *)state->operation.object.object.address;

	return state->operation.object.mechanism == MECH_EPOLL ? KREAD(poll, rbr.rb_leftmost) : 0;
}

static __always_inline void epoll_walk(struct task_state *state, struct waits_walk *walk)
{
	walk->node = epoll_first(state);
	bpf_loop(EPOLL_NODES, epoll_visit, walk, 0);
	walk->more |= walk->node != 0;
	waits_set(state, walk);
}

/* Before a call on an epoll instance sleeps. */
static __noinline int waits_of_epoll(struct task_state *state, struct task_struct *task)
{
	struct waits_walk walk = {.state = state, .task = task};

	epoll_walk(state, &walk);
	return 0;
}

static __noinline int ready_of_epoll(struct task_state *state, struct task_struct *task)
{
	struct waits_walk walk = {.state = state, .task = task, .only_ready = true};
	u64 count = state->operation.returned;

	if (count > EPOLL_READY) {
		count = EPOLL_READY;
		walk.more = true;
	}
	walk.ready = count;
	if (bpf_probe_read_user(state->extra + READY_AT,
				EPOLL_READY * sizeof(struct user_epoll_event),
				(void *)state->details.args[1]) &&
	    bpf_probe_read_user(state->extra + READY_AT, sizeof(struct user_epoll_event),
				(void *)state->details.args[1]))
		return 0;
	epoll_walk(state, &walk);
	return 0;
}

static __noinline int waits_of_epoll_ctl(struct task_state *state, struct task_struct *task)
{
	struct waits_walk walk = {.state = state, .task = task};
	struct user_epoll_event event = {};

	if (state->details.args[1] != EPOLL_CTL_DEL)
		bpf_probe_read_user(&event, sizeof(event), (void *)state->details.args[3]);
	wait_add(&walk, state->details.args[2], event.events);
	waits_set(state, &walk);
	return 0;
}

/* --- all --- */

static __noinline int waits_of_poll(struct task_state *state, struct task_struct *task)
{
	struct waits_walk walk = {.state = state, .task = task, .from = state->details.args[0]};
	u32 count = state->details.args[1];

	/* One more than fits shows that there are more. */
	bpf_loop(count <= WIRE_WAITS ? count : WIRE_WAITS + 1, poll_visit, &walk, 0);
	waits_set(state, &walk);
	return 0;
}

static __noinline int waits_of_select(struct task_state *state, struct task_struct *task)
{
	struct waits_walk walk = {.state = state, .task = task};
	s32 count = state->details.args[0];

	if (count <= 0)
		return 0;
	walk.more = count > SELECT_BITS;
	sets_read(state, count);
	bpf_loop(count <= SELECT_BITS ? count : SELECT_BITS, select_visit, &walk, 0);
	waits_set(state, &walk);
	return 0;
}

static __noinline int ready_of_poll(struct task_state *state, struct task_struct *task)
{
	struct waits_walk walk = {.state = state, .from = state->details.args[0]};
	u32 count = state->details.args[1];

	bpf_loop(count <= WIRE_WAITS ? count : WIRE_WAITS, poll_ready_visit, &walk, 0);
	return 0;
}

static __noinline int ready_of_select(struct task_state *state, struct task_struct *task)
{
	struct waits_walk walk = {.state = state};
	u32 found = state->operation.payload_len / sizeof(struct wire_wait);

	sets_read(state, (u32)state->details.args[0]);
	bpf_loop(found <= WIRE_WAITS ? found : WIRE_WAITS, select_ready_visit, &walk, 0);
	return 0;
}

static __always_inline void waits_at_entry(struct task_state *state, struct task_struct *task,
					   const volatile struct syscall_row *row)
{
	if (row->data == DATA_POLL)
		waits_of_poll(state, task);
	else if (row->data == DATA_SELECT)
		waits_of_select(state, task);
	else if (row->data == DATA_EPOLL_CTL)
		waits_of_epoll_ctl(state, task);
}

static __always_inline void waits_at_sleep(struct task_state *state, struct task_struct *task,
					   const volatile struct syscall_row *row)
{
	if (row->data == DATA_EPOLL)
		waits_of_epoll(state, task);
}

/* A call that failed has written nothing; one that ran out of time has emptied the sets. */
static __always_inline void waits_at_exit(struct task_state *state, struct task_struct *task,
					  const volatile struct syscall_row *row)
{
	bool ready = state->operation.returned > 0;

	if (row->data == DATA_EPOLL)
		state->operation.payload_len = 0;
	if (!ready)
		return;
	if (row->data == DATA_POLL)
		ready_of_poll(state, task);
	else if (row->data == DATA_SELECT)
		ready_of_select(state, task);
	else if (row->data == DATA_EPOLL)
		ready_of_epoll(state, task);
}

#endif
