/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Payload of the records of calls on signals, children and file locks (bpf/call/call_facts.bpf.h).
 * Part of wire.h, which includes it.
 */
#ifndef BPF_WIRE_CALL_FACTS_H
#define BPF_WIRE_CALL_FACTS_H

enum wire_status {
	WIRE_STATUS_NONE,
	WIRE_STATUS_WAIT,   /* status is as wait(2) returns it */
	WIRE_STATUS_CHILD,  /* code and status are a child's, from a siginfo */
	WIRE_STATUS_SIGNAL, /* code is a taken signal's, status its value */
};

/* The payload of one such call; has_… and `lock` tell which of the other fields are valid. */
struct wire_call_facts {
	__u64 set;
	__u64 blocked; /* signals the thread blocks after the call */
	__u64 flags;   /* sa_flags of an action */
	__s64 start;
	__s64 len;
	/* The child, or for rt_sigtimedwait the signal's sender: pid as the caller numbers it. */
	__u32 child;
	__s32 status;
	__s32 code;
	__s16 lock_type;
	__s16 whence;
	__u8 has_set;
	__u8 has_blocked;
	__u8 has_status; /* enum wire_status */
	__u8 lock;	 /* lock_type, whence, start and len are valid */
	__u8 action;	 /* 0 default, 1 ignore, 2 handler */
	__u8 pad[3];
};

#endif
