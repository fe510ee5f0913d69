/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One item of a flow, and the parts of it that belong to one stage or one policy alone. A part is
 * zero where its owner has not filled it in. Private to viz/pair.
 *
 * Four coordinate systems are in use, each with fields of its own:
 * - offsets in the operation's own bytes: local, and all in hint;
 * - offsets in the flow, in its units: join.start. In pairing by position they are the stream
 *   offsets of viz/pair/position/placing.h, and place.offsets is in them, too;
 * - places, which the kernel reports (viz/pair/position/interleave.h): place.window, from, to,
 *   behind;
 * - times (ns): all names in _ns.
 */
#ifndef VIZ_PAIR_CORE_FLOW_ITEM_H
#define VIZ_PAIR_CORE_FLOW_ITEM_H

#include "viz/message/message.h"

/* What a terminal made of the bytes that a call wrote: viz/pair/policy/line_discipline.h. */
struct line_text {
	bool known;   /* false: other settings matter, too, or a byte is not in the trace */
	bool changed; /* false: the bytes pass unchanged, and only `len` is set */
	uint64_t len; /* bytes that come out */
	struct viz_bytes bytes; /* what comes out, as far as it is known */
	uint32_t *origin; /* for each of `bytes`, the offset of the byte that it was made of */
};

/* True if both are known and the same comes out. */
bool line_text_equal(const struct line_text *a, const struct line_text *b);

struct range {
	uint64_t from, to;
};

/* One of the kernel's buffers in which a send's bytes lie; see stream_sends.c. */
struct source_buffer {
	uint64_t message_at; /* offset of its message in the call's own bytes */
	uint64_t index;	     /* number of the buffer in its message, from 0 */
	uint64_t bytes;	     /* its length */
	uint64_t at;	     /* its offset in the call's own bytes, where `known` */
	bool known;
};

/*
 * Unix streams: what earlier rounds found out about the kernel's buffers in which a send's bytes
 * lie. Offsets are in the call's own bytes. Owner: viz/pair/buffer/stream_sends.c.
 */
struct source_hint {
	struct source_buffer buffer; /* the last known one that begins before the item's bytes */
	uint64_t inferred_at; /* traces whose chunks do not name the buffer: where it begins */
	bool inferred_skips;  /* bytes before were taken by a receive that is unknown */
};

/* Eventfds. Owner: viz/pair/policy/eventfd.c. */
struct counter_item {
	bool added; /* an earlier round has added the number to the count; it waits for its read */
};

/* Between these, in places or in stream offsets, a call's bytes lie. */
struct window {
	uint64_t lo, hi;
};

/* Pipes and TCP: where a call's bytes lie. Owner: viz/pair/position. */
struct stream_place {
	struct window window;  /* in places */
	struct window offsets; /* receives: the same window in stream offsets */
	uint64_t from, to; /* sends that are placed: places of its first byte and behind its last */
	uint64_t split;	   /* sends that are placed: bytes in the first buffer; 0: all in a row */
	uint64_t behind;   /* sends: a place that it lies behind; window_sleep.c */
	uint64_t begin_ns; /* it moved nothing before this time; window_sleep.c */
	uint32_t part;	   /* 0: the whole call; n: its n-th part (write_segments.h, tcp_runs.h) */
	bool given;	   /* `window` is known from elsewhere than the call's entry and exit */
	bool placed; /* sends: `from` and `to` hold; receives, in their round: joined.start does */
	bool held;   /* pipes: no other write can have come between its bytes */
	bool packet; /* packet_pipe.c: a read of a part of it discards the rest */
	bool ragged; /* sends, spliced.h: how its bytes lie in [from, to) is not known */
	/* receives: the stream offset of window.hi is not known; offsets.hi is the highest */
	bool loose;
};

/* How much of an item has met the other side, and where; in the flow's units. */
struct joined {
	uint64_t start; /* offset of its first unit in the flow */
	uint64_t used;	/* units from there on that are paired, in this round */
};

/* Queues: messages of one class are first in, first out. Owner: viz/pair/policy/queue.c. */
struct queue_class {
	int64_t type; /* System V: the message type; POSIX: the priority */
	bool known;   /* receives: it is from the trace, not inferred */
};

/* Pseudo-terminals: what became of a write. Owner: viz/pair/policy/terminal.c. */
struct terminal_text {
	const struct line_text *line; /* what comes out; NULL: the bytes as written */
	bool echo;		      /* what comes out is the echo of what `op` wrote */
};

/* Datagrams: how a message came, or comes, to its receiver. Owner: viz/pair/policy/datagram.c. */
struct datagram_way {
	const struct viz_channel *source; /* the sending socket; NULL: outside */
	const struct cork *cork; /* UDP: the datagram of several sends; NULL: the call's alone */
	bool many;		 /* UDP: sent to a group or broadcast; others may get it too */
	bool copy;		 /* another socket got the first copy */
};

/* UDP: what is known of the receives that compete for a send. Owner: viz/pair/buffer. */
struct udp_rival {
	uint64_t seen_ns;    /* sends: the latest time after which it was seen in the queue */
	uint32_t not_taken;  /* receives: how many of the sends that it names others have taken */
	bool contested;	     /* receives: another one may have taken the send that it names */
	bool contested_ever; /* receives: it stays contested, because a rival has been settled */
};

/* One operation, or one message or a part of it, on one side of a flow. */
struct flow_item {
	const struct viz_operation *op; /* NULL: it was paired and leaves the flow */
	uint32_t message;		/* sendmmsg, recvmmsg: the number of its message */
	bool open;			/* unfinished send: its amount is not known */
	bool ambiguous;			/* its offset in the flow is not certain */
	bool urgent;			/* sent with MSG_OOB: the last byte is urgent */
	uint64_t local;			/* offset of its first byte in the operation's own bytes */
	uint64_t bytes;
	uint64_t amount; /* in the flow's units */
	uint64_t enter_ns;
	uint64_t exit_ns;
	struct queue_class class;
	struct datagram_way datagram;
	struct udp_rival rival;
	struct terminal_text terminal;
	struct joined join;
	/* Which of these an item has is decided by the mechanism of its channel. */
	union {
		struct stream_place place;   /* pipes, FIFOs and TCP */
		struct source_hint hint;     /* unix streams */
		struct counter_item counter; /* eventfds */
	};
};

#endif
