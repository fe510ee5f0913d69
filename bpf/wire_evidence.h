/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records of what a call took from whom, or wrote when: they go out before its own.
 * Part of wire.h, which includes it.
 */
#ifndef BPF_WIRE_EVIDENCE_H
#define BPF_WIRE_EVIDENCE_H

/* What a receive took of one send: goes out before the receive's own record. */
struct wire_chunk {
	struct wire_head head;
	__u64 operation; /* the receive */
	__u64 sender;	 /* the send */
	__u64 at_ns;	 /* recvmmsg on UDP: when it had taken it; else 0 */
	__u32 message;	 /* which message of a sendmmsg */
	__u32 offset;	 /* in that message */
	__u32 len;	 /* bytes copied; 0 = the whole message */
	__u32 kind;	 /* enum wire_chunk_kind */
};

/* UDP: it saw that first; it has taken that for certain; or this instead of the one before. */
enum wire_chunk_kind { WIRE_CHUNK_NAMED, WIRE_CHUNK_PROVED, WIRE_CHUNK_OR };

/*
 * A large write that slept while its pipe was full: it had the pipe alone between the buffers
 * `from` and `to`. One goes out for each such turn, all before the write's own record.
 */
struct wire_turn {
	struct wire_head head;
	__u64 operation;
	__u32 from; /* buffers ever written when the turn began, as at_entry.head counts them */
	__u32 to;   /* and when it was over */
};

#endif
