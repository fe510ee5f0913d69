/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user/ and bpf/ share beside the records: who is traced, why a record could not be kept, who
 * sleeps.
 * Part of wire.h, which includes it.
 */
#ifndef BPF_WIRE_CONTROL_H
#define BPF_WIRE_CONTROL_H

/* The first word of a thread's state, which user/ sets to begin and reads to know who is traced. */
#define TASK_TRACED 1 /* its calls are recorded */
#define TASK_ARMED 2  /* traced from its next execve on: the command before it starts */
#define TASK_GUEST 16 /* a peer that joined, or of its making: its end is not waited for */
#define TASK_UNTOLD 8 /* what its process holds is to be told by the next walk */
#define TASK_ENDING 4 /* has its exit record; signals to its parent may still come */

/* Which processes are traced beside the command's: what tracer.c chooses and the programs obey. */
#define SELECT_COMMS 8

struct wire_selection {
	__u32 self;	  /* pid of the tracer, never traced */
	__u32 all;	  /* every process */
	__u32 peers;	  /* --follow-peers */
	__u32 children;	  /* those that processes wanted have already */
	__u32 comm_count; /* processes that execute a program of one of these names */
	char comms[SELECT_COMMS][WIRE_COMM_LEN];
};

/* Why a record could not be kept; counted for each processor. */
enum wire_loss {
	LOSS_RING,    /* ring buffer full */
	LOSS_STORAGE, /* no memory for a thread's state: its calls are not seen */
	LOSS_COMPAT,  /* call of a 32-bit program, not decoded */
	LOSS_COUNT
};

/*
 * The number of a pseudo-terminal is that of /dev/pts/N, with this bit for its master, and what
 * tells it from another one of that number above.
 */
#define WIRE_PTY_MASTER (1ULL << 33)
#define WIRE_PTY_INDEX 0xffff

/*
 * A process outside the trace that was met at the other end of an object (head is of who met it),
 * or that holds an end of one when tracing ends.
 */
struct wire_outsider {
	struct wire_head head;
	__u64 at_ns;
	struct wire_fd
		object; /* the end that the traced process has; held: fd and access are its own */
	struct wire_fd
		socket; /* it lies in a message there (a glance); MECH_NONE: somebody has it */
	__u32 pid;
	__u32 held;
	char comm[WIRE_COMM_LEN];
};

/* Shared memory that a process (head) has mapped when tracing begins; object.fd is -1. */
struct wire_mapping {
	struct wire_head head;
	__u64 at_ns;
	struct wire_fd object;
	__u64 address;
	__u64 len;
};

/*
 * A thread asleep in a transfer that its thread wrote no begin record for: most wake up in no time,
 * and the record of the whole call tells all. user/ looks at those that sleep on. The slot is the
 * thread's that has put its tid into `owner`; `id` is the operation's, 0 while the rest is not all
 * there.
 */
#define WIRE_SLEEPERS 4096 /* a power of two; a thread whose slot is taken writes a record */

struct wire_sleeper {
	__u32 owner;
	__u32 pad;
	__u64 id;
	struct wire_details details; /* valid where operation.has says so */
	struct wire_operation operation;
};

#endif
