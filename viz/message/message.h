/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages: which send met which receive. There is one for each pair of a send and a receive that
 * share bytes, one for each signal, and one for each send that was never received. Everything is
 * borrowed from the pairing and its model. `match` is MATCH_EXACT only if the trace allows no other
 * pairing.
 */
#ifndef VIZ_MESSAGE_MESSAGE_H
#define VIZ_MESSAGE_MESSAGE_H

#include "viz/model/model.h"

/* One side of a message. */
struct viz_end {
	const struct viz_process *process; /* NULL: the trace has no process with this pid */
	uint32_t pid;
	uint32_t tid;
	uint32_t message;      /* sendmmsg, recvmmsg: index of the message in the call */
	bool known;	       /* false: a process outside the trace, or there is no such end */
	bool timed;	       /* enter_ns and exit_ns are valid */
	struct viz_bytes comm; /* its name at that time; data may be NULL */
	const struct viz_operation *operation; /* NULL: none (a signal made by the kernel, …) */
	uint64_t enter_ns;
	uint64_t exit_ns;	  /* VIZ_NEVER: unfinished, or the handler never returned */
	uint64_t offset;	  /* where in the operation's bytes this message begins */
	struct viz_bytes payload; /* the bytes that the trace kept on this side; may be cut */
};

/* What a dissector makes of a message's bytes: harmless texts. */
struct viz_words {
	const char *protocol, *summary;
};

struct viz_message {
	uint64_t id; /* from 1, in order of receipt; then unreceived ones in order of sending */
	size_t index;
	enum mechanism mechanism;
	bool copy;  /* one send reached several receivers: another message has these bytes */
	bool typed; /* `type` is valid: type of a System V, priority of a POSIX message */
	/*
	 * The bytes before it in its send were received just before it, in a message that a thinned
	 * model (viz/pair/thinned.h) may lack.
	 */
	bool goes_on;
	/* The receiver's socket if it is known, otherwise the sender's channel. NULL: a signal. */
	const struct viz_channel *channel;
	uint64_t bytes;
	struct viz_end from;
	struct viz_end to;
	enum match match;
	enum fate fate;
	uint64_t cut; /* FATE_TRUNCATED: bytes that were sent but not received */
	int64_t type;
	const struct viz_signal *signal;  /* NULL: it is no signal */
	const struct cork *cork;	  /* used by udp_cork.c until the message is emitted */
	const struct viz_operation *echo; /* the write that a terminal echoes here; NULL: no echo */
	const struct viz_words *said;	  /* viz/dissect: by tshark; NULL: it was not asked */
	const unsigned char *packed; /* packed.c: what it was unpacked from; NULL: it was not */
};

/* A signal from its generation to the return of its handler. */
struct viz_signal {
	size_t index;
	int number;
	struct viz_bytes name;
	const struct viz_signal_event *generate; /* NULL: not in the trace */
	const struct viz_signal_event *deliver;	 /* NULL: never delivered */
	const struct viz_signal_event *end; /* the return of its handler; NULL: not in the trace */
	/* NULL: raised by the kernel, or outside the trace. */
	const struct viz_operation *raised_by;
	/* sigwaitinfo(2) or a read of a signalfd(2); NULL: none. */
	const struct viz_operation *accepted_by;
	const struct viz_operation *interrupted; /* the call that it interrupted; NULL: none */
	bool restarted; /* the interrupted call was restarted, without EINTR */
	bool killed;	/* it ended its target process */
	enum match match;
	enum fate fate;
};

/* A receive that returned 0 on a stream: the end of its data. */
struct viz_eof {
	size_t index;
	const struct viz_operation *receive;
	const struct viz_channel *channel; /* the receiver's */
	/* How the last writing end was closed: by one of these two. Both NULL: not known. */
	const struct viz_operation *closed_by; /* close, shutdown, dup2, … */
	/* The process whose exit or exec (see `cause`) closed it. */
	const struct viz_process *ended;
	/* The process that closed it, in either case; NULL: not known. */
	const struct viz_process *process;
	enum holding_cause cause;
	uint64_t at_ns;	  /* when it was closed; 0: not known */
	enum match match; /* AMBIGUOUS: an outsider may have held a writing end longer */
};

/*
 * A connect() and the accept() that met it. Either may be NULL: it was outside the trace, or the
 * connection was never accepted.
 */
struct viz_connection {
	size_t index;
	const struct viz_operation *connect;
	const struct viz_operation *accept;
	const struct viz_channel *client;
	const struct viz_channel *server;
};

/* The payload of the side that kept more of the bytes; data NULL: neither kept any. */
struct viz_bytes viz_message_payload(const struct viz_message *message);

#endif
