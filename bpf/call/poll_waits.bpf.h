/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records what a call waits for: the descriptors and events of poll, select and epoll, and at its
 * return which of them were ready. They are the payload of the operation's record: an array of
 * struct wire_wait in `extra`.
 *
 * poll and select name their descriptors in the caller's memory, which is read at entry. An epoll
 * instance has them in a tree of its own (fs/eventpoll.c), which is read when a call falls asleep,
 * so that it is current, whichever thread changed it. A call that returns at once lists only the
 * descriptors that are ready.
 */
#ifndef BPF_CALL_POLL_WAITS_BPF_H
#define BPF_CALL_POLL_WAITS_BPF_H

#include <asm/unistd.h>

#include "bpf/core/epoll_tree.bpf.h"
#include "bpf/core/syscall_table.bpf.h"
#include "bpf/object/describe.bpf.h"

#define POLLIN 1 /* asm-generic/poll.h; EPOLLIN and its kin have these values */
#define POLLPRI 2
#define POLLOUT 4
#define EPOLL_CTL_DEL 2
#define SELECT_BITS 256 /* lowest descriptors of select that are looked at */
#define EPOLL_NODES 64	/* most entries of an epoll instance that are looked at */
#define EPOLL_READY 16	/* most events of one epoll_wait that are reported */
#define READY_AT 2048	/* offset in `extra` of what the caller got back, after the array */

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

static __always_inline struct wire_wait *wait_slot(struct task_state *state, u32 at)
{
	return (struct wire_wait *)state->extra + (at & (WIRE_WAITS - 1));
}

/*
 * The task's address as a number, because wait_fill(), a global function, cannot take the pointer.
 */
static __always_inline u64 address_of_task(struct task_struct *task)
{
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &task);
	return address;
}

/* Fills in entry `at` of the array. Not static for the verifier's sake, see file_identify(). */
__noinline int wait_fill(struct task_state *state, u64 task, u32 at, u32 fd, u32 events)
{
	struct wire_wait *wait;

	if (!state)
		return 0;
	wait = wait_slot(state, at);
	__builtin_memset(wait, 0, sizeof(*wait));
	wait->events = events;
	return object_of_fd(state, &wait->object, (struct task_struct *)task, fd);
}

static __always_inline struct waits_walk *walk_begin(struct task_state *state,
						     struct task_struct *task)
{
	state->waits = (struct waits_walk){.task = address_of_task(task)};
	return &state->waits;
}

static __always_inline struct wire_wait *wait_add(struct task_state *state, u32 fd, u32 events)
{
	struct waits_walk *walk = &state->waits;
	struct wire_wait *wait = wait_slot(state, walk->found);

	if (walk->found >= WIRE_WAITS) {
		walk->more = true;
		return 0;
	}
	wait_fill(state, walk->task, walk->found, fd, events);
	walk->found++;
	return wait;
}

static __always_inline void waits_set(struct task_state *state)
{
	state->operation.payload_len = state->waits.found * sizeof(struct wire_wait);
	if (state->waits.more)
		state->operation.has |= WIRE_HAS_MORE_WAITS;
}

/* --- poll, ppoll --- */

static __always_inline bool pollfd_read(struct user_pollfd *pollfd, const struct task_state *state,
					u32 index)
{
	return bpf_probe_read_user(pollfd, sizeof(*pollfd),
				   (void *)(state->details.args[0] + index * sizeof(*pollfd))) == 0;
}

static long poll_visit(u32 index, void *context)
{
	struct task_state *state = *(struct task_state **)context;
	struct user_pollfd pollfd;

	if (!pollfd_read(&pollfd, state, index))
		return 1;
	if (pollfd.fd >= 0) /* poll ignores the others */
		wait_add(state, pollfd.fd, (u16)pollfd.events);
	return 0;
}

static long poll_ready_visit(u32 index, void *context)
{
	struct task_state *state = *(struct task_state **)context;
	struct user_pollfd pollfd;

	if (!pollfd_read(&pollfd, state, index) || state->waits.found >= WIRE_WAITS)
		return 1;
	if (pollfd.fd < 0)
		return 0;
	wait_slot(state, state->waits.found)->ready = (u16)pollfd.revents;
	state->waits.found++;
	return 0;
}

/* --- select, pselect6 --- */

struct user_sets {
	u64 words[3][SELECT_BITS / 64];
};

/* The three sets, in `extra` because the stack has no room for them. */
static __always_inline struct user_sets *sets_of(struct task_state *state)
{
	return (struct user_sets *)(state->extra + READY_AT);
}

/* Reads the caller's sets, each of which has `count` bits in whole words. */
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

/* Without a branch: the verifier would follow each of eight ways. */
static __always_inline u32 sets_events(struct task_state *state, u32 fd)
{
	const struct user_sets *sets = sets_of(state);
	u32 word = (fd / 64) & (SELECT_BITS / 64 - 1), bit = fd & 63;

	return (sets->words[0][word] >> bit & 1) * POLLIN |
	       (sets->words[1][word] >> bit & 1) * POLLOUT |
	       (sets->words[2][word] >> bit & 1) * POLLPRI;
}

static long select_visit(u32 fd, void *context)
{
	struct task_state *state = *(struct task_state **)context;
	u32 events = sets_events(state, fd);

	if (events)
		wait_add(state, fd, events);
	return 0;
}

static long select_ready_visit(u32 index, void *context)
{
	struct task_state *state = *(struct task_state **)context;
	struct wire_wait *wait = wait_slot(state, index);

	if ((u32)wait->object.fd < SELECT_BITS)
		wait->ready = sets_events(state, wait->object.fd);
	return 0;
}

/* --- epoll --- */

static __always_inline u64 epoll_data(const struct user_epoll_event *event)
{
	return event->data[0] | (u64)event->data[1] << 32;
}

/* The events that were returned for the entry with this `data`; 0: it was not ready. */
static __always_inline u32 epoll_ready(const struct task_state *state, u64 data)
{
	const struct user_epoll_event *events = (void *)(state->extra + READY_AT);

	for (u32 i = 0; i < EPOLL_READY; i++) {
		if (i >= state->waits.ready)
			break;
		if (epoll_data(&events[i]) == data)
			return events[i].events;
	}
	return 0;
}

static long epoll_visit(u32 index, void *context)
{
	struct task_state *state = *(struct task_state **)context;
	struct waits_walk *walk = &state->waits;
	struct wire_wait *wait;
	struct epitem *item;
	u32 ready;

	if (!tree_step(&walk->node, &walk->way))
		return !walk->node;
	item = KHOLDER(walk->node, struct epitem, rbn);
	ready = walk->only_ready ? epoll_ready(state, KREAD(item, event.data)) : 0;
	if (ready || !walk->only_ready) {
		wait = wait_add(state, KREAD(item, ffd.fd), KREAD(item, event.events));
		if (wait)
			wait->ready = ready;
	}
	return 0;
}

static __always_inline u64 epoll_first(const struct task_state *state)
{
	struct eventpoll *poll = (struct eventpoll *)state->operation.object.object.address;

	return state->operation.object.mechanism == MECH_EPOLL ? kread_word(&poll->rbr.rb_leftmost)
							       : 0;
}

static __always_inline void epoll_walk(struct task_state *state)
{
	struct waits_walk *walk = &state->waits;

	if (!has_epoll_items()) {
		state->operation.has |= WIRE_HAS_MORE_WAITS;
		return;
	}
	walk->node = epoll_first(state);
	if (walk->node)
		bpf_loop(EPOLL_NODES * TREE_STEPS, epoll_visit, &state, 0);
	walk->more |= walk->node != 0;
	waits_set(state);
}

/* Lists all entries of an epoll instance before a call on it sleeps. */
static __noinline int waits_of_epoll(struct task_state *state, struct task_struct *task)
{
	walk_begin(state, task);
	epoll_walk(state);
	return 0;
}

/* Lists the entries that were ready when a call on an epoll instance returned. */
static __noinline int ready_of_epoll(struct task_state *state, struct task_struct *task)
{
	struct waits_walk *walk = walk_begin(state, task);
	u64 count = state->operation.returned;

	if (count > EPOLL_READY) {
		count = EPOLL_READY;
		walk->more = true;
	}
	walk->only_ready = true;
	walk->ready = count;
	if (bpf_probe_read_user(state->extra + READY_AT,
				EPOLL_READY * sizeof(struct user_epoll_event),
				(void *)state->details.args[1]) &&
	    bpf_probe_read_user(state->extra + READY_AT, sizeof(struct user_epoll_event),
				(void *)state->details.args[1]))
		return 0;
	epoll_walk(state);
	return 0;
}

static __noinline int waits_of_epoll_ctl(struct task_state *state, struct task_struct *task)
{
	struct user_epoll_event event = {};

	walk_begin(state, task);
	if (state->details.args[1] != EPOLL_CTL_DEL)
		bpf_probe_read_user(&event, sizeof(event), (void *)state->details.args[3]);
	wait_add(state, state->details.args[2], event.events);
	waits_set(state);
	return 0;
}

/* --- all --- */

static __noinline int waits_of_poll(struct task_state *state, struct task_struct *task)
{
	u32 count = state->details.args[1];

	walk_begin(state, task);
	/* One more than fits is visited, which sets `more`. */
	bpf_loop(count <= WIRE_WAITS ? count : WIRE_WAITS + 1, poll_visit, &state, 0);
	waits_set(state);
	return 0;
}

/* As core_sys_select() in fs/select.c: no more than the table has room for. */
static __always_inline s32 select_count(const struct task_state *state, struct task_struct *task)
{
	struct files_struct *files = KREAD(task, files);
	s32 count = state->details.args[0], most = files ? KREAD(KREAD(files, fdt), max_fds) : 0;

	return count < most ? count : most;
}

static __noinline int waits_of_select(struct task_state *state, struct task_struct *task)
{
	s32 count = select_count(state, task);

	if (count <= 0)
		return 0;
	walk_begin(state, task)->more = count > SELECT_BITS;
	sets_read(state, count);
	bpf_loop(count <= SELECT_BITS ? count : SELECT_BITS, select_visit, &state, 0);
	waits_set(state);
	return 0;
}

static __noinline int ready_of_poll(struct task_state *state, struct task_struct *task)
{
	u32 count = state->details.args[1];

	walk_begin(state, task);
	bpf_loop(count <= WIRE_WAITS ? count : WIRE_WAITS, poll_ready_visit, &state, 0);
	return 0;
}

static __noinline int ready_of_select(struct task_state *state, struct task_struct *task)
{
	u32 found = state->operation.payload_len / sizeof(struct wire_wait);

	sets_read(state, (u32)state->details.args[0]);
	bpf_loop(found <= WIRE_WAITS ? found : WIRE_WAITS, select_ready_visit, &state, 0);
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

/*
 * Marks what was ready. A call that failed has written nothing; one whose timeout expired has
 * cleared the sets, so nothing was ready.
 */
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
