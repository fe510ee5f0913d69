/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user/ and bpf/ share besides the operation records: which threads are traced, why a record
 * was lost, which outside processes were met, and which threads are asleep. Part of wire.h, which
 * includes it.
 */
#ifndef BPF_WIRE_CONTROL_H
#define BPF_WIRE_CONTROL_H

/*
 * Bits of the first word of a thread's state. user/ sets them to start tracing a thread, and reads
 * them to see whether it is traced.
 */
#define TASK_TRACED 1 /* the thread's calls are recorded */
#define TASK_ARMED 2  /* traced from its next execve on: the command before it starts */
#define TASK_GUEST 16 /* joined by --follow-peers, or its child: its end is not waited for */
#define TASK_UNTOLD 8 /* the next walk over all threads reports its process's descriptors */
#define TASK_ENDING 4 /* its exit record is out; its SIGCHLD may still follow */

/*
 * Which processes are traced besides the command's: set by tracer.c before the programs are loaded.
 */
#define SELECT_COMMS 8

struct wire_selection {
	__u32 self;	/* pid of the tracer, which is never traced */
	__u32 all;	/* trace every process */
	__u32 peers;	/* --follow-peers was given */
	__u32 children; /* also children that wanted processes already have */
	/* Entries of `comms` in use: a process joins when it executes a program of such a name. */
	__u32 comm_count;
	char comms[SELECT_COMMS][WIRE_COMM_LEN];
};

/*
 * Key of the map that remembers the last signal `number` sent to the process `pid`. `sender` is the
 * si_pid of its siginfo, or 0: see signal_reach.bpf.h.
 */
struct wire_reach {
	__u32 pid;
	__u32 number;
	__u32 sender;
};

struct wire_reached {
	__u64 at_ns;
	__u64 traced; /* 1: the sender was traced, and not a peer that joined */
};

/* Why a record or a call was lost; counted per processor. */
enum wire_loss {
	LOSS_RING,    /* the ring buffer was full */
	LOSS_STORAGE, /* no memory for a thread's state: its calls are not recorded */
	LOSS_COMPAT,  /* a call of a 32-bit program, which is not decoded */
	LOSS_SKIPPED, /* a call whose return, or a later entry, may have been missed */
	LOSS_FUTEX,   /* a call at a futex in memory that was not known while it lasted */
	LOSS_COUNT
};

/*
 * The number of a pseudo-terminal: the N of /dev/pts/N in the low bits (WIRE_PTY_INDEX), this bit
 * for its master, and above it a number that differs when N is used again.
 */
#define WIRE_PTY_MASTER (1ULL << 33)
#define WIRE_PTY_INDEX 0xffff

/*
 * A process outside the trace that holds the other end of an object: met during a call (head is of
 * the traced thread that met it), or found when tracing ends.
 */
struct wire_outsider {
	struct wire_head head;
	__u64 at_ns;
	/* The traced process's end of the object. If `held`, fd and access are the outsider's. */
	struct wire_fd object;
	/*
	 * A glance: the unix socket that holds the end in a queued message (SCM_RIGHTS). MECH_NONE:
	 * a process holds the end.
	 */
	struct wire_fd socket;
	__u32 pid;
	__u32 held;
	char comm[WIRE_COMM_LEN];
};

/*
 * Shared memory that a process (head) has mapped when tracing begins. object.fd is -1; address and
 * len (bytes) are of the mapping.
 */
struct wire_mapping {
	struct wire_head head;
	__u64 at_ns;
	struct wire_fd object;
	__u64 address;
	__u64 len;
};

/* What a wire_stock tells; in a glance the bytes of a stream, all or the first of them. */
enum wire_unread { WIRE_STOCK_OF_TRACE, WIRE_UNREAD_ALL, WIRE_UNREAD_LEAST };

/*
 * How many messages lay in a socket, or bytes in an end of a pseudo-terminal, once all processes
 * traced from the beginning had been joined, or in a queue when a traced call first met it. In a
 * glance: how many bytes lie in a stream of a unix socket.
 */
struct wire_stock {
	struct wire_head head;
	__u64 at_ns;
	struct wire_fd object;
	__u32 amount;
	__u32 unread; /* enum wire_unread */
};

/*
 * The slot of a thread asleep in a transfer for which no begin record went out. Most such sleeps
 * end at once, and the record of the whole call then says everything; user/ reads the slots of
 * those that sleep on. The thread whose tid is in `owner` has the slot; `id` is its operation's
 * number, and 0 while the rest of the slot is not filled in.
 */
#define WIRE_SLEEPERS 4096 /* a power of two; a thread whose slot is taken sends a record */

struct wire_sleeper {
	__u32 owner;
	__u32 pad;
	__u64 id;
	struct wire_details details; /* valid if operation.has has WIRE_HAS_DETAILS */
	struct wire_operation operation;
};

#endif
