/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The language of the trace: mechanisms, roles and policies as numbers, generated from the tables
 * beside this file. It uses no library, so that bpf/ can include it too.
 */
#ifndef VIZ_FORMAT_FORMAT_H
#define VIZ_FORMAT_FORMAT_H

#define IPCLENS_TRACE_FORMAT "ipclens-trace"
#define IPCLENS_TRACE_VERSION 2
#define USUAL_PAGE 4096 /* bytes of a page of memory where a header has no page_size */

/* 0 means "none" in every enum here, so that zeroed memory means "not known". */
enum mechanism {
	MECH_NONE,
#define MECHANISM(id, ...) MECH_##id,
#include "viz/format/mechanisms.def"
#undef MECHANISM
	MECH_COUNT
};

enum addressing { ADDRESSING_DIRECT = 1, ADDRESSING_INDIRECT };
enum form { FORM_STREAM = 1, FORM_MESSAGE, FORM_EVENT, FORM_MEMORY };
enum direction { DIRECTION_ONE_WAY = 1, DIRECTION_TWO_WAY };

/*
 * How sends meet receives:
 *   STREAM    two byte sequences, matched by offset
 *   DATAGRAM  whole messages, first in first out at the receiving socket
 *   QUEUE     whole messages, first in first out among those of one type or priority
 *   SIGNAL    generation, delivery and the handler's return
 *   COUNTER   additions, and the read that takes their sum
 *   ACCESS    one call copies from or to the memory of a process that does nothing
 *   WAKE      a call that wakes a sleeper, and the wait that it ended
 */
enum policy {
	POLICY_NONE,
	POLICY_STREAM,
	POLICY_DATAGRAM,
	POLICY_QUEUE,
	POLICY_SIGNAL,
	POLICY_COUNTER,
	POLICY_ACCESS,
	POLICY_WAKE,
	POLICY_COUNT
};

/*
 * What a system call does to its channel; role_name() gives the words. A transfer takes bytes from
 * one channel and puts them into another, without a copy in the caller's memory.
 */
#define ROLES(X)                                                                                   \
	X(SEND, "send")                                                                            \
	X(RECEIVE, "receive")                                                                      \
	X(TRANSFER, "transfer")                                                                    \
	X(OPEN, "open")                                                                            \
	X(CLOSE, "close")                                                                          \
	X(CONTROL, "control")                                                                      \
	X(WAIT, "wait")                                                                            \
	X(SIGNAL, "signal")                                                                        \
	X(WAKE, "wake")

enum role {
	ROLE_NONE,
#define X(id, name) ROLE_##id,
	ROLES(X)
#undef X
		ROLE_COUNT
};

/* Where the data of a call lies in user memory (see syscalls.def). Numbers are argument indices. */
enum data_kind {
	DATA_NONE,
	DATA_BUF,  /* one buffer */
	DATA_IOV,  /* struct iovec[len] */
	DATA_MSG,  /* struct msghdr */
	DATA_MMSG, /* struct mmsghdr[len] */
	DATA_SYSV, /* long type, then the text of msgsnd/msgrcv */
	DATA_MQ,   /* one buffer; the priority is the argument after its length */
	DATA_PATH, /* NUL-terminated name */
	DATA_FD,   /* no user memory: `buf` is the descriptor that a transfer puts bytes into */
	DATA_ONTO, /* no user memory: `buf` is a descriptor that the call closes, if it is open */
	/* What a call waits for; bpf/call/poll_waits.bpf.h reads these in the kernel. */
	DATA_POLL,	/* struct pollfd[1] in 0 */
	DATA_SELECT,	/* fd_sets in 1, 2 and 3 */
	DATA_EPOLL,	/* the list that the epoll instance keeps */
	DATA_EPOLL_CTL, /* descriptor in 2, struct epoll_event in 3 */
	DATA_SEMS,	/* struct sembuf[len] */
	/* Facts about calls that move no data; see bpf/call/call_facts.bpf.h. */
	DATA_SIGSET,	/* a set of signals in 0 */
	DATA_SIGMASK,	/* a set of signals in 1, and the thread's mask after the call */
	DATA_SIGACTION, /* struct sigaction in 1 */
	DATA_STATUS,	/* a child's status in 1 */
	DATA_SIGINFO,	/* a child's siginfo in 2 */
	DATA_FCNTL,	/* struct flock in 2: the range that it locks */
	DATA_FLOCK,	/* the operation in 1 */
	DATA_LINE,	/* the settings of a terminal's line before and after the call */
	/* Calls that set an option; see bpf/call/socket_options.bpf.h. */
	DATA_SETOPT, /* setsockopt: a value in 3, its length in 4 */
	DATA_GETOPT, /* getsockopt: a value in 3, the address of its length in 4 */
	DATA_NOTIFY, /* struct sigevent in 1 */
};

/* What the return value of a call is (see syscalls.def). */
enum result_kind { RESULT_COUNT, RESULT_FD, RESULT_FDPAIR, RESULT_FCNTL, RESULT_ZERO };

#define ARG_NONE 0xff

#endif
