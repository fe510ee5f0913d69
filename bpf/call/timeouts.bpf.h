/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads how long a call waits at most: a call with a timeout is not reported as hanging. Times are
 * in the caller's memory, which is read at entry; poll, epoll_wait and their kin have milliseconds
 * in a register. A socket's SO_RCVTIMEO and SO_SNDTIMEO are read when a call on it falls asleep.
 */
#ifndef BPF_CALL_TIMEOUTS_BPF_H
#define BPF_CALL_TIMEOUTS_BPF_H

#include <asm/unistd.h>

#include "bpf/call/call_object.bpf.h"
#include "bpf/object/describe.bpf.h"

/*
 * What timeout_place() returns: the index of the argument and its kind; 0: the call has no timeout.
 */
#define TIMEOUT_ARGUMENT 7
#define TIMEOUT_MS 8
#define TIMEOUT_SPEC 16	 /* address of a struct timespec */
#define TIMEOUT_VALUE 32 /* address of a struct timeval */
#define TIMEOUT_REAL 64	 /* address of a timespec: a time of CLOCK_REALTIME */

#define TIMER_ABSTIME 1
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define FUTEX_LOCK_PI 6
#define FUTEX_CLOCK_REALTIME 256
#define SECONDS_MAX 9000000000ULL /* longest timeout kept: in ns it fits 64 bits */

#define TICKS_MAX (1ULL << 39) /* from here on: no timeout (MAX_SCHEDULE_TIMEOUT) */

struct user_time {
	u64 seconds;
	u64 fraction; /* ns (timespec) or us (timeval) */
};

static __always_inline u32 timeout_place(u32 nr)
{
	switch (nr) {
#ifdef __NR_poll
	case __NR_poll:
		return TIMEOUT_MS | 2;
	case __NR_epoll_wait:
		return TIMEOUT_MS | 3;
	case __NR_select:
		return TIMEOUT_VALUE | 4;
#endif
	case __NR_epoll_pwait:
		return TIMEOUT_MS | 3;
	case __NR_ppoll:
	case __NR_rt_sigtimedwait:
	case __NR_clock_nanosleep:
		return TIMEOUT_SPEC | 2;
	case __NR_epoll_pwait2:
	case __NR_semtimedop:
	case __NR_futex:
		return TIMEOUT_SPEC | 3;
	case __NR_pselect6:
		return TIMEOUT_SPEC | 4;
	case __NR_nanosleep:
		return TIMEOUT_SPEC;
	case __NR_mq_timedsend:
	case __NR_mq_timedreceive:
		return TIMEOUT_REAL | 4;
	default:
		return 0;
	}
}

/*
 * Meaning of the time: WIRE_VALID_TIMEOUT for a duration, WIRE_VALID_UNTIL or WIRE_VALID_UNTIL_REAL
 * for a moment of that clock, WIRE_VALID_TIMED for one of another clock, 0 if this call ignores it.
 */
static __always_inline u32 timeout_meaning(const struct task_state *state, u32 nr, u32 place)
{
	const u64 *args = state->details.args;
	u32 clock = args[0], command = args[1] & FUTEX_COMMAND;

	if (place & TIMEOUT_REAL)
		return WIRE_VALID_UNTIL_REAL;
	if (nr == __NR_clock_nanosleep && args[1] & TIMER_ABSTIME)
		return clock == CLOCK_REALTIME	  ? WIRE_VALID_UNTIL_REAL
		       : clock == CLOCK_MONOTONIC ? WIRE_VALID_UNTIL
						  : WIRE_VALID_TIMED;
	if (nr != __NR_futex || command == FUTEX_WAIT)
		return WIRE_VALID_TIMEOUT;
	if (command == FUTEX_LOCK_PI)
		return WIRE_VALID_UNTIL_REAL;
	if (command != FUTEX_WAIT_BITSET)
		return 0;
	return args[1] & FUTEX_CLOCK_REALTIME ? WIRE_VALID_UNTIL_REAL : WIRE_VALID_UNTIL;
}

static __always_inline u64 time_ns(const struct user_time *time, u32 place)
{
	u64 scale = place & TIMEOUT_VALUE ? 1000 : 1;
	u64 seconds = time->seconds < SECONDS_MAX ? time->seconds : SECONDS_MAX;

	return seconds * 1000000000ULL + time->fraction * scale;
}

/*
 * Reads the timeout of a call. `own`: the task is the current one, so that its memory can be read.
 * Not static for the verifier's sake, see other_files.bpf.h.
 */
__noinline int timeout_report(struct task_state *state, u32 nr, u32 own)
{
	u32 place = timeout_place(nr), meaning;
	struct user_time time = {};
	u64 from;

	if (!state || !place)
		return 0;
	from = argument(state, place & TIMEOUT_ARGUMENT);
	if (place & TIMEOUT_MS) {
		meaning = (s32)from >= 0 ? WIRE_VALID_TIMEOUT : 0;
		state->details.timeout_ns = from * 1000000;
	} else {
		meaning = from ? timeout_meaning(state, nr, place) : 0;
		if (meaning && (!own || bpf_probe_read_user(&time, sizeof(time), (void *)from)))
			meaning = WIRE_VALID_TIMED;
		state->details.timeout_ns = time_ns(&time, place);
	}
	state->details.valid |= meaning;
	if (meaning)
		state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

static __always_inline bool is_patient(u32 mechanism)
{
	return mechanism == MECH_TCP || mechanism == MECH_UDP || mechanism == MECH_NETLINK ||
	       is_unix(mechanism);
}

/* Number of buffers that a pipe holds; `none` if the object is no pipe. */
static __always_inline u32 pipe_buffers(const struct wire_fd *object, u32 none)
{
	struct pipe_inode_info *pipe;

	if (object->mechanism != MECH_PIPE && object->mechanism != MECH_FIFO)
		return none;
	pipe = KREAD_IF((struct inode *)object->object.address, i_pipe);
	return pipe ? KREAD_IF(pipe, head) - KREAD_IF(pipe, tail) : none;
}

/*
 * Timeout of splice and sendfile in jiffies; 0: none. They may wait at either end, and only a
 * socket has a timeout. They wait first for the pipe at the other end: for room in it (fs/splice.c,
 * splice_file_to_pipe), or for data in it.
 */
static __always_inline u64 transfer_ticks(const struct task_state *state)
{
	const struct wire_fd *source = &state->operation.object, *sink = &state->details.new_fds[0];

	if (is_patient(source->mechanism) && pipe_buffers(sink, 0) < WIRE_PIPE_BUFFERS)
		return KREAD_IF((struct sock *)source->object.address, sk_rcvtimeo);
	if (is_patient(sink->mechanism) && pipe_buffers(source, 1))
		return KREAD_IF((struct sock *)sink->object.address, sk_sndtimeo);
	return 0;
}

/*
 * Timeout of a call on a socket in jiffies; 0: none. Which one applies follows from the callers of
 * sock_rcvtimeo() and sock_sndtimeo() (net/core/sock.c).
 */
static __always_inline u64 socket_ticks(const struct task_state *state)
{
	struct sock *sk = (struct sock *)state->operation.object.object.address;
	u32 nr = state->operation.nr;

	if (state->role == ROLE_TRANSFER)
		return transfer_ticks(state);
	if (state->role == ROLE_RECEIVE || nr == __NR_accept || nr == __NR_accept4)
		return KREAD_IF(sk, sk_rcvtimeo);
	if (state->role == ROLE_SEND || nr == __NR_connect)
		return KREAD_IF(sk, sk_sndtimeo);
	return 0;
}

/*
 * Reads the timeout of a sleeping call on a socket. In a large send it starts anew with each wait;
 * in a receive that waits for all bytes it is for the whole call.
 */
__noinline int socket_timeout_report(struct task_state *state)
{
	u64 ticks;

	if (!state)
		return 0;
	if (!KHAS(struct sock, sk_rcvtimeo) || !KHAS(struct sock, sk_sndtimeo)) {
		state->details.valid |=
			WIRE_VALID_TIMED; /* it is unknown whether there is a timeout */
		state->operation.has |= WIRE_HAS_DETAILS;
		return 0;
	}
	ticks = socket_ticks(state);
	if (!ticks || ticks >= TICKS_MAX)
		return 0;
	state->details.timeout_ns = ticks * tick_ns;
	state->details.valid |= tick_ns ? WIRE_VALID_TIMEOUT : WIRE_VALID_TIMED;
	state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

static __always_inline void socket_timeout_look(struct task_state *state)
{
	if (is_patient(state->operation.object.mechanism) || state->role == ROLE_TRANSFER)
		socket_timeout_report(state);
}

static __always_inline void timeout_look(struct task_state *state,
					 const volatile struct syscall_row *row, u32 own)
{
	if (row->role == ROLE_WAIT || row->data == DATA_MQ)
		timeout_report(state, state->operation.nr, own);
	else if (!own) /* the call was found asleep */
		socket_timeout_look(state);
}

#endif
