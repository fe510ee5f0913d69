/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The language of the trace: mechanisms, roles and policies as numbers, made from the tables
 * beside this file. Plain C without library calls, so that bpf/ can include it too.
 */
#ifndef VIZ_LANG_LANG_H
#define VIZ_LANG_LANG_H

#define IPCLENS_TRACE_FORMAT "ipclens-trace"
#define IPCLENS_TRACE_VERSION 1

/* 0 is "none" in every enum here, so that zeroed memory means "not known". */
enum mechanism {
	MECH_NONE,
#define MECHANISM(id, ...) MECH_##id,
#include "mechanisms.def"
#undef MECHANISM
	MECH_COUNT
};

enum addressing { ADDRESSING_DIRECT = 1, ADDRESSING_INDIRECT };
enum form { FORM_STREAM = 1, FORM_MESSAGE, FORM_EVENT, FORM_MEMORY };
enum direction { DIRECTION_ONE_WAY = 1, DIRECTION_TWO_WAY };

/*
 * How sends meet receives:
 *   STREAM    two byte sequences joined by offset
 *   DATAGRAM  whole messages, first in first out at the receiving socket
 *   QUEUE     whole messages, first in first out among those of one type or priority
 *   SIGNAL    generation, delivery and the handler's return
 *   COUNTER   additions and the read that takes their sum
 *   ACCESS    one call copies from or to the memory of a process that does nothing
 *   WAKE      a call that lets a sleeper go on, and the wait that it ended
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
 * What a system call does to its channel. The rows name role_name()'s words. A transfer takes bytes
 * from one channel and puts them into another, with no copy in the caller's memory between.
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

/* Where a call's data lies in user memory (see syscalls.def). */
enum data_kind {
	DATA_NONE,
	DATA_BUF,  /* one buffer */
	DATA_IOV,  /* struct iovec[len] */
	DATA_MSG,  /* struct msghdr */
	DATA_MMSG, /* struct mmsghdr[len] */
	DATA_SYSV, /* long type, then the text of msgsnd/msgrcv */
	DATA_MQ,   /* one buffer, the priority is the argument after its length */
	DATA_PATH, /* NUL-terminated name */
	DATA_FD,   /* in no user memory: `buf` is the descriptor that a transfer puts bytes into */
	/* What a call waits for; the kernel's view of these is in bpf/waits.h. */
	DATA_POLL,	/* struct pollfd[1] in 0 */
	DATA_SELECT,	/* fd_sets in 1, 2 and 3 */
	DATA_EPOLL,	/* the instance's own list */
	DATA_EPOLL_CTL, /* descriptor in 2, struct epoll_event in 3 */
	DATA_SEMS,	/* struct sembuf[len] */
	/* What else calls of no data say; see bpf/facts.h. */
	DATA_SIGSET,	/* a set of signals in 0 */
	DATA_SIGMASK,	/* a set of signals in 1; the thread's mask after the call */
	DATA_SIGACTION, /* struct sigaction in 1 */
	DATA_STATUS,	/* a child's status in 1 */
	DATA_SIGINFO,	/* a child's siginfo in 2 */
	DATA_FCNTL,	/* where it locks: struct flock in 2 */
	DATA_FLOCK,	/* the operation in 1 */
	DATA_LINE,	/* of a terminal: how it is set before and after the call */
	/* Calls that set something; see bpf/control.h. */
	DATA_SETOPT, /* setsockopt: a value in 3, its length in 4 */
	DATA_GETOPT, /* getsockopt: the same, the length by address */
	DATA_NOTIFY, /* struct sigevent in 1 */
};

/* What a call's return value is (see syscalls.def). */
enum result_kind { RESULT_COUNT, RESULT_FD, RESULT_FDPAIR, RESULT_FCNTL, RESULT_ZERO };

#define ARG_NONE 0xff

#endif
