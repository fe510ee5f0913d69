/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Small value types of the model (model.h). */
#ifndef VIZ_MODEL_VALUES_H
#define VIZ_MODEL_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "viz/base/bytes.h"

/* A process outside the trace that was met at the other end of a channel, or holds an end of it. */
struct viz_outsider {
	uint32_t pid;
	struct viz_bytes comm;
	int32_t fd; /* the descriptor held when tracing ended; -1: met at the other end */
	enum access access;
};

/* The settings of a terminal's line: c_iflag, c_oflag and c_lflag of termios(3). */
struct viz_line {
	bool known;
	bool packet; /* TIOCPKT: each read of the master begins with a control byte */
	uint32_t input;
	uint32_t output;
	uint32_t local;
};

/* The part of a signal's siginfo (sigaction(2)) that the trace has. */
struct viz_siginfo {
	bool known;
	bool has_value;
	int64_t code;
	int64_t value;
	uint32_t pid; /* si_pid, in the pid namespace of the thread that took it; 0: not known */
};

/* What a wait at a futex is for, as the memory there told. */
struct viz_owner {
	struct viz_bytes kind; /* "mutex", "robust-mutex", "semaphore"; data NULL: not known */
	uint32_t tid;	       /* the thread that had the mutex; 0: not known */
	bool ended;	       /* in a glance: that thread has ended */
};

/* The position of a stream (pipe, TCP connection, eventfd) at one moment of a call. */
struct viz_position {
	union {
		struct {
			/* Pipe: slots filled and emptied so far, modulo 2^32. */
			uint32_t head, tail;
			uint32_t end;	/* where the bytes of the last filled slot end */
			uint32_t start; /* where the bytes of the first filled slot begin */
		};
		struct {
			uint32_t write_seq, copied_seq; /* TCP sequence numbers, modulo 2^32 */
			uint32_t arrived; /* rcv_nxt, the next to arrive; valid if has_arrived */
		};
		struct {
			/*
			 * Eventfd. at_ns: at_entry was read no earlier, at_exit no later than this.
			 */
			uint64_t count, at_ns;
		};
	};
	uint32_t bytes; /* bytes that lie in the pipe; valid if has_bytes */
	bool known;
	bool has_bytes;
	bool has_arrived;
	bool semaphore; /* eventfd: EFD_SEMAPHORE is set */
};

/* Positions of the pipe that a transfer filled; at_lock of its operation is of this pipe, too. */
struct viz_stood {
	struct viz_position entry, exit;
};

/* One change that semop(2) asks for. */
struct viz_sem {
	uint64_t number; /* of the semaphore in its set */
	int64_t change;
	uint64_t flags; /* IPC_NOWAIT, SEM_UNDO */
};

enum lock_kind { LOCK_KIND_FLOCK, LOCK_KIND_POSIX, LOCK_KIND_OFD };
enum lock_mode { LOCK_MODE_NONE, LOCK_MODE_SHARED, LOCK_MODE_EXCLUSIVE, LOCK_MODE_UNLOCK };

/* What flock(2) or fcntl(2) asks for; `mode` LOCK_MODE_NONE: the call is about no lock. */
struct viz_lock {
	enum lock_kind kind;
	enum lock_mode mode;
	bool placed;	   /* the range counts from the beginning of the file */
	uint64_t from, to; /* the bytes, without `to`; of flock(2), and if not `placed`, all */
};

/* An end of a channel in a message of a unix socket that was not received yet (SCM_RIGHTS). */
struct viz_flight {
	struct viz_channel *socket;
	enum access access;
};

/* The state of a channel as a glance saw it, a snapshot of the whole machine. */
struct viz_glimpse {
	bool none;	 /* it is the one of all channels that no glance saw */
	uint64_t *types; /* System V queue: types of the messages that lie in it, oldest first */
	size_t types_count;
	/* Pids of the processes that could end a wait here; for objects that are no descriptors. */
	uint64_t *users;
	size_t users_count;
	bool users_known;
	bool peer_ended; /* TCP: the peer sends no more, and this side is not closed (CLOSE_WAIT) */
	uint64_t sent;	 /* TCP: bytes that this socket sent; 0: none, or not known */
	uint64_t unread; /* TCP, unix stream: bytes that lie there; 0: none, or not known */
	bool unread_more;   /* `unread` is less than lies there */
	uint64_t packet_ns; /* TCP: when its last packet came or went; 0: not known */
	/* TCP: when it last sent, and received, data, to a tick; 0: never, or not known. */
	uint64_t sent_ns, received_ns;
	/* System V semaphore: pid of the process that last changed it; 0: not known. */
	uint32_t last_user;
	bool value_known;
	uint64_t value; /* System V semaphore: the one that is waited for; valid if value_known */
	uint64_t *zero_waiters; /* pids of those that wait until it is 0 */
	size_t zero_waiter_count;
	bool disarmed; /* timerfd: it never expires */
	struct viz_flight *flights;
	size_t flight_count;
};

struct viz_unseen;

struct viz_sockets {
	struct viz_channel **items;
	size_t count;
};

/* The cached result of unseen_channel_ns(); valid while `state` is unchanged. */
struct viz_unseen_state {
	size_t state;
	uint64_t since_ns;
	const struct viz_unseen *own; /* the earliest line that names the channel; NULL: none */
};

/* The part of one send that a receive took. */
struct viz_chunk {
	uint64_t operation; /* id of the send */
	uint64_t message;   /* index of the message in a sendmmsg */
	uint64_t offset;    /* in that message, bytes */
	uint64_t bytes;	    /* 0: the whole message */
	/* Stream: length of the buffer that `offset` counts in; 0: not in the trace. */
	uint64_t buffer_bytes;
	uint64_t buffer; /* stream: index of that buffer in the message */
	uint64_t from;	 /* stream: bytes that the send's earlier messages had */
	uint64_t at;	 /* stream: offset in the receive's own bytes */
	uint64_t at_ns;	 /* UDP, recvmmsg: when it was taken; 0: not known */
	bool before;	 /* queue: it lay there before the trace, so no send of the trace made it */
	bool proved;	 /* UDP: the kernel says that this receive took it */
	struct viz_chunk *others; /* UDP: alternatives that the receive may have taken instead */
	size_t other_count;
};

#endif
