/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages: which send met which receive. One for each pair of a send and a receive that share
 * bytes, one for each signal, one for what was sent and never received. Everything is borrowed
 * from the pairing and its model. The rule of the house: `match` is MATCH_EXACT only where the
 * trace allows no other pairing.
 */
#ifndef VIZ_PAIR_H
#define VIZ_PAIR_H

#include "model.h"

/* One side of a message. */
struct viz_end {
	bool known;			   /* false: outside the trace, or nobody */
	const struct viz_process *process; /* NULL: a pid that the trace does not know */
	uint32_t pid;
	uint32_t tid;
	struct viz_bytes comm;		       /* at that time; data may be NULL */
	const struct viz_operation *operation; /* NULL: none (a signal that the kernel made, …) */
	bool timed; /* enter_ns holds: `sent` or `received` is not null */
	uint64_t enter_ns;
	uint64_t exit_ns;	  /* VIZ_NEVER: unfinished, or a handler that never returned */
	uint64_t offset;	  /* where in the operation's own bytes this message begins */
	uint32_t message;	  /* sendmmsg, recvmmsg: which of its messages, from 0 */
	struct viz_bytes payload; /* what the trace kept of these bytes on this side; may be cut */
};

struct viz_message {
	uint64_t id; /* from 1, in order of receipt; unreceived ones follow, in order of sending */
	size_t index;
	enum mechanism mechanism;
	/* Of sockets the one where the data was queued, else the sender's. NULL: a signal. */
	const struct viz_channel *channel;
	uint64_t bytes;
	struct viz_end from;
	struct viz_end to;
	enum match match;
	enum fate fate;
	uint64_t cut; /* FATE_TRUNCATED: bytes that were sent and not received */
	bool copy;    /* of a send to many: another message is of the same bytes */
	bool typed;   /* `type` holds: message type of SysV, priority of POSIX */
	int64_t type;
	const struct viz_signal *signal;  /* NULL: it is none */
	const struct viz_operation *echo; /* a terminal's echo of this write; NULL: it is none */
};

/* A signal from its generation to its handler's return. */
struct viz_signal {
	size_t index;
	int number;
	struct viz_bytes name;
	const struct viz_signal_event *generate; /* NULL: not in the trace */
	const struct viz_signal_event *deliver;	 /* NULL: never delivered */
	const struct viz_signal_event *end;	 /* the handler's return; NULL: none */
	const struct viz_operation *raised_by;	 /* NULL: the kernel by itself, or outside */
	const struct viz_operation *accepted_by; /* sigwaitinfo(2), signalfd(2); NULL: none */
	const struct viz_operation *interrupted; /* the operation it interrupted; NULL: none */
	bool restarted;				 /* and that one then ran again: no EINTR */
	bool killed;				 /* it ended its process */
	enum match match;
	enum fate fate;
};

/* A receive that returned 0 on a stream: the end of the data. */
struct viz_eof {
	size_t index;
	const struct viz_operation *receive;
	const struct viz_channel *channel; /* the receiver's */
	/* What took the last writing end away: one of these two; neither: not known. */
	const struct viz_operation *closed_by; /* close, shutdown, dup2, … */
	const struct viz_process *ended;       /* its exit or exec (cause) closed it */
	const struct viz_process *process;     /* who closed, either way; NULL: not known */
	enum holding_cause cause;
	uint64_t at_ns;	  /* when that was; 0: not known */
	enum match match; /* AMBIGUOUS: somebody outside the trace may have held one longer */
};

/* connect and the accept that met it; either may be NULL: outside the trace, or never accepted. */
struct viz_connection {
	size_t index;
	const struct viz_operation *connect;
	const struct viz_operation *accept;
	const struct viz_channel *client;
	const struct viz_channel *server;
};

struct viz_pairing {
	struct viz_message **messages;
	size_t message_count;
	struct viz_eof **eofs;
	size_t eof_count;
	struct viz_connection **connections;
	size_t connection_count;
	struct viz_signal **signals;
	size_t signal_count;
	size_t ambiguous; /* messages whose match is not exact */
	size_t unread;	  /* messages that nobody received */
	size_t foreign;	  /* messages from outside the trace */
	struct arena *arena;
};

/* 0 or -errno. The model must outlive the pairing. */
int viz_pair(const struct viz_model *model, struct viz_pairing **pairing);
void viz_pairing_free(struct viz_pairing *pairing); /* NULL is fine */

#endif
