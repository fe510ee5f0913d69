/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Evidence for pairing: which sends a receive took its bytes from, and which part of a stream a
 * call had to itself. These records go out before the call's own. Part of wire.h, which includes
 * it.
 */
#ifndef BPF_WIRE_EVIDENCE_H
#define BPF_WIRE_EVIDENCE_H

/* What a receive took of one send. It goes out before the receive's own record. */
struct wire_chunk {
	struct wire_head head;
	__u64 operation; /* the receive */
	__u64 sender;	 /* the send; 0: not known */
	__u64 at_ns;	 /* recvmmsg on UDP: when this message had been taken; else 0 */
	__u32 message;	 /* which message of a sendmmsg */
	__u32 offset;	 /* bytes of that message before the part taken */
	__u32 len;	 /* bytes copied; 0 = the whole message */
	__u32 kind;	 /* enum wire_chunk_kind */
	/* The rest is for streams, where a call's bytes lie in several buffers. */
	__u32 at;	  /* offset in the receive's own bytes */
	__u32 from;	  /* bytes of the send's messages before this one */
	__u32 buffer;	  /* index among that message's buffers */
	__u32 buffer_len; /* bytes of that buffer when it was sent; 0: none of the four is known */
};

/*
 * What a chunk says:
 * - NAMED: the receive took from this send. UDP: this is the first datagram that it may have taken,
 *   and OR records that follow are the alternatives.
 * - PROVED (UDP): the receive took this datagram, exactly.
 * - OR (UDP): the receive took this datagram instead of the one in the record before.
 * - SPLICED: taken from a unix stream without a copy. Exact if the operation has WIRE_HAS_TAKEN,
 *   otherwise the chunk means nothing.
 * - BEFORE: a queue's message that lay there before the trace; its sender is unknown.
 */
enum wire_chunk_kind {
	WIRE_CHUNK_NAMED,
	WIRE_CHUNK_PROVED,
	WIRE_CHUNK_OR,
	WIRE_CHUNK_SPLICED,
	WIRE_CHUNK_BEFORE
};

/*
 * WIRE_LOCK_SEGMENT_PIPE: a lock segment of a large write that slept while its pipe was full. It
 * alone filled the buffers [from, to). WIRE_LOCK_SEGMENT_UNSURE: buffers filled before such a write
 * got the lock for which it waited; some may be its own. WIRE_LOCK_SEGMENT_SENT and
 * WIRE_LOCK_SEGMENT_TAKEN: a call on TCP sent or received the bytes with the sequence numbers
 * [from, to), see tcp_runs.bpf.h. All of these records go out before the call's own.
 */
enum wire_lock_segment_kind {
	WIRE_LOCK_SEGMENT_PIPE,
	WIRE_LOCK_SEGMENT_UNSURE,
	WIRE_LOCK_SEGMENT_SENT,
	WIRE_LOCK_SEGMENT_TAKEN
};

struct wire_lock_segment {
	struct wire_head head;
	__u64 operation;
	__u32 from; /* pipe: buffers ever written when the segment began, as at_entry.head */
	__u32 to;   /* pipe: buffers ever written when the segment ended */
	__u32 kind; /* enum wire_lock_segment_kind */
	__u32 pad;
};

#endif
