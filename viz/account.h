/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What IPC costs, added up from a stream of operations and messages: who talks to whom, crossings
 * of the user/kernel border, copies, latency, waiting, what became of each byte. Memory grows with
 * the number of processes, channels and who talks to whom, not with the length of the trace.
 *
 * A crossing is one system call: two mode switches, into the kernel and back. Times are
 * nanoseconds. Processes and channels are borrowed and must outlive the account; all else is the
 * account's own. Rows are in order of appearance, `index` is the place therein.
 */
#ifndef VIZ_ACCOUNT_H
#define VIZ_ACCOUNT_H

#include "filter.h"
#include "histogram.h"
#include "stream.h"

/*
 * What a call turned out to be, by what it did. Rows: id, name (a key of the JSON output), help.
 * Those up to LOOK moved bytes.
 */
#define CALL_KINDS(X)                                                                              \
	X(SEND, "send", "put data into a channel")                                                 \
	X(RECEIVE, "receive", "took data out of a channel")                                        \
	X(TRANSFER, "transfer", "moved data from one kernel object to another (splice, sendfile)") \
	X(LOOK, "look", "looked at data and left it where it was (MSG_PEEK)")                      \
	X(EMPTY, "empty",                                                                          \
	  "came back with empty hands: an error as EAGAIN, or the end of the data")                \
	X(WAIT, "wait", "waited, or asked whether it had to (poll, semop, futex)")                 \
	X(WAKE, "wake", "let others go on, with no data (semop, futex, kill)")                     \
	X(OTHER, "other", "opened, closed, arranged")                                              \
	X(UNFINISHED, "unfinished", "had not returned when the trace ended")

enum call_kind {
#define X(id, name, help) CALL_##id,
	CALL_KINDS(X)
#undef X
		CALL_KIND_COUNT
};

const char *call_kind_name(enum call_kind kind);

/* What calls did at the border between user and kernel. */
struct account_effort {
	uint64_t calls[CALL_KIND_COUNT];
	uint64_t copies_to_kernel, copies_from_kernel;
	uint64_t bytes_to_kernel, bytes_from_kernel;
	uint64_t copies_direct, bytes_direct; /* from one process's memory to another's */
	uint64_t bytes_uncopied; /* moved with no copy across the border (splice, vmsplice) */
	uint64_t sleeps;	 /* calls that slept */
	uint64_t slept_ns;
};

/* Calls that transferred data: what a request and its response need four of. */
uint64_t account_crossings(const struct account_effort *effort);
/* Whether what it moves is copied between its memory and the kernel's, or another process's. */
bool account_makes_copies(const struct viz_operation *op);

uint64_t account_copies(const struct account_effort *effort);
uint64_t account_all_calls(const struct account_effort *effort);
void account_merge_effort(struct account_effort *effort, const struct account_effort *other);

/* What became of bytes. Both sides balance: account_balances(). */
struct account_books {
	uint64_t sent;	   /* as the calls say */
	uint64_t received; /* as the calls say */
	uint64_t out;	   /* of what was sent: received by somebody in the trace */
	uint64_t unread, discarded, dropped, cut;
	uint64_t to_outside;
	uint64_t unfinished; /* received of sends that had not returned: not in `sent` */
	uint64_t in;	     /* of what was received: sent by somebody in the trace */
	uint64_t from_outside;
};

/* sent = out + unread + discarded + dropped + cut + to_outside; received = in + from_outside */
bool account_balances(const struct account_books *books);
void account_add_books(struct account_books *sum, const struct account_books *books);

struct account_channel;

/* false where nothing is sent and received by bytes, or nobody can pair it: no books are kept. */
bool account_keeps_books(const struct account_channel *channel);

/* To whom an address or a process number is. */
enum account_cast { CAST_ONE, CAST_GROUP, CAST_ALL };

struct account_channel {
	size_t index;
	const struct viz_channel *channel; /* NULL: signals */
	enum mechanism mechanism;
	bool shown;		      /* something that the filter lets through touched it */
	struct account_channel *peer; /* the socket at the other end; NULL: none known */
	struct account_books books;
	uint64_t messages; /* received, or to be received, here */
	uint64_t ambiguous;
	uint64_t gaps, gap_units;	    /* where records are missing */
	size_t senders, receivers;	    /* processes */
	bool threads_send, threads_receive; /* several of one process */
	uint64_t sends; /* whole messages, or calls on a stream, and their sizes */
	uint64_t size_min, size_max;
	uint64_t receives; /* calls */
	bool typed;	   /* the types of received messages are in: */
	int64_t type_min, type_max;
	uint64_t followed;	/* of one sender, behind another one; and: */
	uint64_t overtaken;	/* received before an earlier one of the same sender */
	uint64_t multicast;	/* received by one more than the first */
	enum account_cast cast; /* the widest address that was sent to */
	bool both_ways;		/* between the same two processes */
	uint64_t crossed;	/* sent before one in the other direction had arrived */
	uint64_t met;		/* both sides are known, and: */
	uint64_t held_sender;	/* the sender slept in its call until the receiver took it */
	uint64_t round_trips;	/* see struct account_pair; at account_finish() */
	uint64_t asker_slept;
	uint64_t peak;	/* most that ever lay in it: bytes, or messages of a queue */
	bool peak_told; /* by the kernel; false: counted from what went in and out */
	struct account_effort effort;
};

/* Who woke a sleeper. */
struct account_waker {
	const struct viz_process *process; /* NULL: nobody in the trace, or not on this object */
	uint64_t times;
	uint64_t slept_ns;
};

/* A process at a channel: all of its calls there. */
struct account_end {
	size_t index;
	const struct viz_process *process;
	struct account_channel *channel; /* NULL: calls on none */
	bool shown;			 /* the filter lets its calls through */
	struct account_effort effort;
	struct account_waker **wakers;
	size_t waker_count;
	uint64_t waits_since_ns; /* VIZ_NEVER: it does not wait; else: in an unfinished call */
};

enum account_side { SIDE_PROCESS, SIDE_OUTSIDE, SIDE_KERNEL, SIDE_NOBODY };

/* Messages from one process to another through one channel. */
struct account_route {
	size_t index;
	enum account_side from_side, to_side;
	const struct viz_process *from, *to; /* NULL: not SIDE_PROCESS */
	uint32_t from_pid, to_pid;	     /* 0: not known */
	struct account_channel *channel;
	struct account_pair *pair;
	struct account_end *sender, *receiver; /* NULL: not in the trace */
	uint64_t messages;
	uint64_t bytes;
	uint64_t ambiguous;
	struct account_effort effort; /* of the calls of these messages */
	struct histogram latency;     /* from the beginning of the send to the end of the receive */
};

/*
 * Two processes that talk through one mechanism (of sockets: one connection), in both directions.
 * They alternate where one asks and the other answers: a round trip is from the beginning of the
 * first send of a request to the end of the last receive of its response.
 */
struct account_pair {
	size_t index;
	const struct viz_process *a, *b; /* a spoke first; NULL: outside, or nobody */
	enum account_side a_side, b_side;
	uint32_t a_pid, b_pid;
	enum mechanism mechanism;
	struct account_route **routes;
	size_t route_count;
	uint64_t messages;
	uint64_t bytes;
	struct account_effort effort; /* of the calls of the messages between them */
	struct account_effort around; /* of their other calls on these channels */
	uint64_t turns;		      /* how often the direction changed */
	uint64_t crossed; /* messages sent before one in the other direction had arrived */
	uint64_t round_trips;
	uint64_t asker_slept; /* round trips in which the asker slept until the response came */
	struct histogram round_trip;
};

/* true where request and response were recognised: they take turns, with few exceptions. */
bool account_alternates(const struct account_pair *pair);

struct account {
	struct account_channel **channels;
	size_t channel_count;
	struct account_end **ends;
	size_t end_count;
	struct account_route **routes;
	size_t route_count;
	struct account_pair **pairs;
	size_t pair_count;
	struct account_effort effort; /* each call once; what the filter lets through */
	struct account_books books;   /* of the shown channels, at account_finish() */
	uint64_t messages, bytes, signals, ambiguous;
	uint64_t first_ns, last_ns; /* of the calls; first_ns is VIZ_NEVER where there were none */
	const struct viz_filter *filter;
	struct arena *arena;
};

/*
 * Channels and ends take in all, and say whether they are shown; pairs, routes and totals are of
 * what the filter lets through. The filter must outlive the account.
 */
struct account *account_new(const struct viz_filter *filter);
void account_free(struct account *account); /* NULL is fine */

/* In the order of struct viz_sink. */
void account_add_operation(struct account *account, const struct viz_operation *op);
void account_add_message(struct account *account, const struct viz_message *message);
void account_add_gap(struct account *account, const struct viz_gap *gap);

/* When all has been added: what had not returned, and what follows from all together. */
void account_finish(struct account *account, const struct viz_model *model);

#endif
