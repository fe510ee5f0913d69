/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What calls about signals, children and file locks say.
 * Part of wire.h, which includes it.
 */
#ifndef BPF_WIRE_FACTS_H
#define BPF_WIRE_FACTS_H

enum wire_status {
	WIRE_STATUS_NONE,
	WIRE_STATUS_WAIT,   /* as wait(2) gives it */
	WIRE_STATUS_CHILD,  /* code and status are those of a siginfo */
	WIRE_STATUS_SIGNAL, /* the same of a signal that was taken: status is its value */
};

/* The payload of calls about signals, children and file locks. */
struct wire_facts {
	__u64 set;
	__u64 blocked; /* after the call */
	__u64 flags;   /* sa_flags */
	__s64 start;
	__s64 len;
	__u32 child; /* as its parent numbers it; sigtimedwait: who sent the signal, likewise */
	__s32 status;
	__s32 code;
	__s16 lock_type;
	__s16 whence;
	__u8 has_set;
	__u8 has_blocked;
	__u8 has_status; /* enum wire_status */
	__u8 lock;	 /* the lock's fields are valid */
	__u8 action;	 /* 0 default, 1 ignore, 2 handler */
	__u8 pad[3];
};

#endif
