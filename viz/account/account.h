/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Adds up what IPC costs, from a stream of operations and messages: routes between processes,
 * crossings of the user/kernel border, copies, latency, waiting, what became of each byte. Memory
 * grows with the number of processes, channels and routes, not with the length of the trace.
 *
 * A crossing is one system call: two mode switches, into the kernel and back. Times are in
 * nanoseconds. Processes and channels are borrowed and must outlive the account, which owns all
 * else. Rows are in order of appearance; `index` is a row's position.
 */
#ifndef VIZ_ACCOUNT_ACCOUNT_H
#define VIZ_ACCOUNT_ACCOUNT_H

#include "viz/base/histogram.h"
#include "viz/message/filter.h"
#include "viz/pair/stream.h"

/*
 * The kind of a call, by what it did. Rows: id, name (a key of the JSON output), help. The kinds up
 * to LOOK moved bytes.
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

/* Returns the kind's name in the JSON output, "unknown" beyond the table. */
const char *call_kind_name(enum call_kind kind);

/* Calls, copies and sleeps at the border between user space and kernel. */
struct account_effort {
	uint64_t calls[CALL_KIND_COUNT];
	uint64_t copies_to_kernel, copies_from_kernel;
	uint64_t bytes_to_kernel, bytes_from_kernel;
	uint64_t copies_direct, bytes_direct; /* between memories of two processes */
	uint64_t bytes_uncopied; /* moved without a copy across the border (splice, vmsplice) */
	uint64_t sleeps;	 /* calls that slept */
	uint64_t slept_ns;
};

/* Returns the number of calls that transferred data; a request with its response needs four. */
uint64_t account_crossings(const struct account_effort *effort);

/* Returns the number of all copies, of all calls; adds `other` to `effort`. */
uint64_t account_copies(const struct account_effort *effort);
uint64_t account_all_calls(const struct account_effort *effort);
void account_merge_effort(struct account_effort *effort, const struct account_effort *other);

/*
 * The byte balance: what became of the bytes sent and received. Both sides balance, see
 * account_balances().
 */
struct account_balance {
	uint64_t sent;	   /* by the senders' results, plus `unfinished` */
	uint64_t received; /* by the receivers' results */
	uint64_t out;	   /* sent, and received by a process in the trace */
	uint64_t unread, discarded, dropped, cut;
	uint64_t to_outside;
	uint64_t unfinished; /* received from sends that had not returned */
	uint64_t in;	     /* received, and sent by a process in the trace */
	uint64_t from_outside;
};

/*
 * True if sent = out + unread + discarded + dropped + cut + to_outside and received = in +
 * from_outside.
 */
bool account_balances(const struct account_balance *balance);

/* Adds `balance` to `sum`. */
void account_add_balance(struct account_balance *sum, const struct account_balance *balance);

/* Bytes that got as far as a channel, and that nobody received there. */
struct account_lost {
	uint64_t unread, discarded, dropped, cut;
};

/*
 * Messages that are data. Those that several receives took of one send, or that one receive took of
 * several sends, are pieces; each call is counted once.
 */
struct account_traffic {
	uint64_t messages, sends, receives;
	uint64_t further; /* messages that are further pieces of a call counted before */
};

struct account_channel;

/*
 * False if the channel does not send and receive bytes, or its bytes cannot be paired: it has no
 * byte balance.
 */
bool account_keeps_balance(const struct account_channel *channel);

/* The receivers that an address or process number denotes. */
enum account_cast { CAST_ONE, CAST_GROUP, CAST_ALL };

struct account_channel {
	size_t index;
	const struct viz_channel *channel; /* NULL: signals */
	enum mechanism mechanism;
	bool shown;		      /* touched by something that passes the filter */
	struct account_channel *peer; /* the socket at the other end, or NULL */
	struct account_balance balance;
	struct account_lost
		lost;	   /* a datagram's at its receiving socket, `balance` at the sender's */
	uint64_t messages; /* received, or to be received, here */
	uint64_t ambiguous;
	uint64_t gaps, gap_units;  /* in which records are missing */
	size_t senders, receivers; /* processes; with those outside that are told apart: */
	size_t senders_outside, receivers_outside;
	bool by_address; /* of some outside only the address is known: two may be one process */
	bool threads_send, threads_receive; /* by several threads of one process */
	uint64_t sends;			    /* messages, or calls on a stream; and their sizes */
	uint64_t size_min, size_max;
	uint64_t receives; /* calls */
	bool typed;	   /* true if the range of types is set: */
	int64_t type_min, type_max;
	uint64_t signals;	/* bits 1 << (number - 1) of those seen */
	uint64_t followed;	/* after another one of the same sender; of these: */
	uint64_t overtaken;	/* received before an earlier one of that sender */
	uint64_t multicast;	/* deliveries beyond the first receiver */
	enum account_cast cast; /* the widest address sent to */
	bool both_ways;		/* data flows both ways between two processes */
	uint64_t crossed;	/* sent before one in the other direction had arrived */
	uint64_t met;		/* both sides are known; of these: */
	uint64_t slept_sender;	/* the sender slept in its call, for room or anything else */
	uint64_t held_sender;	/* the sender slept until the receiver took it */
	uint64_t round_trips;	/* see struct account_pair; set by account_finish() */
	uint64_t asker_slept;
	uint64_t peak;	    /* most that it ever held: bytes, or messages of a queue */
	bool peak_reported; /* by the kernel; false: computed from what went in and out */
	struct account_effort effort;
};

/* A process that woke sleepers, and how often. */
struct account_waker {
	const struct viz_process *process; /* NULL: outside the trace, or not on this object */
	uint64_t times;
	uint64_t slept_ns;
};

/* A process at a channel: all its calls there. */
struct account_end {
	size_t index;
	const struct viz_process *process;
	struct account_channel *channel; /* NULL: calls without a channel */
	bool shown;			 /* its calls pass the filter */
	struct account_effort effort;
	struct account_waker **wakers;
	size_t waker_count;
	uint64_t waits_since_ns; /* start of an unfinished wait, else VIZ_NEVER */
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
	struct account_traffic traffic;
	uint64_t bytes;
	uint64_t ambiguous;
	struct account_effort effort; /* of these messages' calls */
	struct histogram latency;     /* from the begin of the send to the end of the receive */
};

/*
 * Two processes that communicate through one mechanism (for sockets: one connection), in both
 * directions. They alternate if one requests and the other responds: a round trip lasts from the
 * beginning of a request's first send to the end of its response's last receive.
 */
struct account_pair {
	size_t index;
	const struct viz_process *a, *b; /* `a` sent first; NULL: not in the trace */
	enum account_side a_side, b_side;
	uint32_t a_pid, b_pid;
	enum mechanism mechanism;
	struct account_route **routes;
	size_t route_count;
	uint64_t messages;
	struct account_traffic traffic;
	uint64_t bytes;
	struct account_effort effort; /* of the calls of their messages */
	struct account_effort around; /* of their other calls on these channels */
	uint64_t turns;		      /* number of changes of direction */
	uint64_t crossed; /* messages sent before one in the other direction had arrived */
	uint64_t round_trips;
	uint64_t asker_slept; /* round trips in which the asker slept until the response came */
	struct histogram round_trip;
};

/* True if requests and responses were recognised: the two alternate, with few exceptions. */
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
	struct account_effort effort;	/* each call once; of calls that pass the filter */
	struct account_balance balance; /* of the shown channels; set by account_finish() */
	uint64_t messages, bytes, signals, ambiguous;
	struct account_traffic traffic;
	uint64_t first_ns, last_ns; /* of the calls; first_ns is VIZ_NEVER without any */
	const struct viz_filter *filter;
	struct arena *arena;
};

/*
 * Creates an empty account. Channels and ends count everything and note whether they are shown;
 * pairs, routes and totals only count what passes the filter, which must outlive the account.
 */
struct account *account_new(const struct viz_filter *filter);
void account_free(struct account *account); /* accepts NULL */

/* Adds `other` to `traffic`. */
void account_merge_traffic(struct account_traffic *traffic, const struct account_traffic *other);

/* Called in the order of struct viz_sink. */
void account_add_operation(struct account *account, const struct viz_operation *op);
void account_add_message(struct account *account, const struct viz_message *message);
void account_add_gap(struct account *account, const struct viz_gap *gap);

/*
 * Called after all was added: counts calls that had not returned, and computes what depends on
 * everything.
 */
void account_finish(struct account *account, const struct viz_model *model);

#endif
