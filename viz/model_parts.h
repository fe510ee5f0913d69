/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Small parts of the model (model.h), which are values and refer to nothing else of it. */
#ifndef VIZ_MODEL_PARTS_H
#define VIZ_MODEL_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

/* A process outside the trace, met at the other end of a channel. */
struct viz_outsider {
	uint32_t pid;
	struct viz_bytes comm;
	int32_t fd; /* held when tracing ended; -1: met at the other end */
	enum access access;
};

/* How a terminal's line was set: c_iflag, c_oflag, c_lflag of termios(3). */
struct viz_line {
	bool known;
	bool packet; /* the master's reads begin with a byte of their own (TIOCPKT) */
	uint32_t input;
	uint32_t output;
	uint32_t local;
};

/* What sigaction(2) tells of a signal, as far as the trace has it. */
struct viz_siginfo {
	bool known;
	bool has_value;
	int64_t code;
	int64_t value;
	uint32_t pid; /* who sent it, as the taker's pid namespace numbers it; 0: not known */
};

/* Where a stream stood at a moment of a call. */
struct viz_position {
	bool known;
	bool has_bytes;
	bool has_arrived;
	bool semaphore; /* eventfd */
	union {
		struct {
			uint32_t head, tail; /* pipes: slots that were ever filled, emptied */
			uint32_t end;	     /* where the last filled one's bytes end */
			uint32_t start;	     /* where the first filled one's bytes begin */
			uint32_t bytes;	     /* that lie in it, where has_bytes */
		};
		struct {
			uint32_t write_seq, copied_seq; /* TCP, modulo 2^32 */
			uint32_t arrived; /* rcv_nxt: the next to come; where has_arrived */
		};
		struct {
			uint64_t count, at_ns; /* eventfd; not before, or after, then */
		};
	};
};

/* An end that lies in a message of a unix socket which nobody has received (SCM_RIGHTS). */
struct viz_flight {
	struct viz_channel *socket;
	enum access access;
};

/* What a look at the machine as it is (a glance) told of a channel. */
struct viz_glimpse {
	uint64_t *types; /* System V queue: of the messages that lie in it */
	size_t types_count;
	uint64_t *users; /* of what is no descriptor: pids of those who could end a wait there */
	size_t users_count;
	bool users_known;
	bool peer_ended;    /* TCP: the other side sends no more, and this one is not closed */
	uint64_t sent;	    /* TCP: bytes by this socket; 0: not known, or none */
	uint32_t last_user; /* pid of who changed it last; 0: not known */
	struct viz_flight *flights;
	size_t flight_count;
};

struct viz_sockets {
	struct viz_channel **items;
	size_t count;
};

/* What a receive took of one send. */
struct viz_chunk {
	uint64_t operation;	  /* the send's id */
	uint64_t message;	  /* which message of a sendmmsg */
	uint64_t offset;	  /* in that message */
	uint64_t bytes;		  /* 0: the whole message */
	uint64_t at_ns;		  /* UDP, recvmmsg: when it had been taken; 0: not known */
	bool proved;		  /* UDP: nobody else can have taken it */
	struct viz_chunk *others; /* UDP: what the receive may have taken instead */
	size_t other_count;
};

#endif
