/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Private: shared by the files of this folder. The rows with the state that adding up needs, and
 * functions that find them. Each row begins with its public row, so a pointer to one is a pointer
 * to the other.
 */
#ifndef VIZ_ACCOUNT_ROWS_H
#define VIZ_ACCOUNT_ROWS_H

#include "viz/account/account.h"

enum { RECENT = 8 };

/*
 * The most recent calls and their messages, so that a call or message with several parts is counted
 * once.
 */
struct recent_ids {
	uint64_t first;
	uint64_t *ids; /* RECENT of them, a ring; NULL: there has been one at the most */
	size_t count;
};

struct recent {
	struct recent_ids calls, copies;
};

/* One side of a pair. Compared bytewise, so it must be cleared before it is filled in. */
struct party {
	enum account_side side;
	uint32_t pid;
	const struct viz_process *process;
};

struct channel_row {
	struct account_channel row;
	int64_t level; /* computed; a receive may be counted before its send */
};

/*
 * The times when the latest sleeps at an end were over, oldest first. Messages are reported some
 * time after the calls that received them, so several times are kept.
 */
enum { WAKES_MOST = 1024 };
struct wakes {
	uint64_t *at_ns;
	size_t count;
	size_t capacity;
	size_t first; /* oldest entry, once the ring is full */
};

struct end_row {
	struct account_end row;
	size_t pair_mark; /* index + 1 of the last pair that counted it */
	struct wakes wakes;
	uint32_t send_tid, receive_tid; /* 0: none so far */
};

struct route_row {
	struct account_route row;
	struct recent sends, receives;
	uint64_t last_sent_ns;	   /* when the latest of the received messages was sent */
	uint64_t last_received_ns; /* and was received */
};

/* One direction of a pair. */
struct pair_way {
	uint64_t last_receipt_ns;
};

struct pair_row {
	struct account_pair row;
	struct pair_way ways[2]; /* [0]: from `a` */
	struct recent sends, receives;
	int way;		  /* direction of the current turn */
	bool clean;		  /* the turn began after what it answers had arrived */
	bool asked;		  /* `b` is answering a request of `a` */
	bool slept;		  /* the asker slept until the response began to arrive */
	uint64_t asked_ns;	  /* when the request began */
	uint64_t turn_began_ns;	  /* begin of the turn's first send */
	uint64_t turn_receipt_ns; /* end of the turn's first receive */
	uint64_t turn_sends;	  /* calls that sent in this turn; and the last of them: */
	uint64_t turn_last_send;
	uint64_t longest_turn; /* most sends in a turn */
};

/* Recognises messages delivered to several receivers, among this many recent ones. */
enum { COPIES_KEPT = 16 };
struct sent_copy {
	uint64_t operation;
	uint32_t message;
	uint32_t pid;
};

struct fold {
	struct account account;
	struct channel_row **places; /* by index of the channel + 1; [0]: of signals */
	size_t place_count;
	struct map ends, routes, pairs, wakers;
	struct map outside; /* outside_ends.c */
	struct sent_copy copies[COPIES_KEPT];
	size_t copy_count;
};

/* The effect of one completed call. */
struct call_facts {
	enum call_kind kind;
	uint64_t bytes;
	bool copies; /* across the border, or between processes */
};

struct call_facts account_call_facts(const struct viz_operation *op);
/*
 * channel_level.c: whether a call puts bytes into its channel or takes some out; and the channel's
 * fill level.
 */
bool account_puts_in(const struct viz_operation *op, const struct call_facts *facts);
bool account_takes_out(const struct viz_operation *op, const struct call_facts *facts);
void account_follow_level(struct account *account, const struct viz_operation *op,
			  const struct call_facts *facts);
void account_add_effort(struct account_effort *effort, const struct viz_operation *op,
			const struct call_facts *facts);

/*
 * Adds the call that sent (or received) this message, when it is first seen, and the message's
 * copy.
 */
void account_add_message_call(struct arena *arena, struct account_effort *effort,
			      struct recent *recent, const struct viz_message *message, bool sent);

/* Return the row, and create it on first use. `channel` NULL is the channel of signals. */
struct account_channel *account_channel(struct account *account, const struct viz_channel *channel);
struct account_end *account_end(struct account *account, const struct viz_process *process,
				struct account_channel *channel);
struct account_route *account_route(struct account *account, const struct viz_message *message,
				    struct account_channel *channel);
struct account_pair *account_pair(struct account *account, const struct viz_message *message);

/*
 * recent_wakes.c: notes when a sleep was over; tells whether one was over within [from_ns, to_ns].
 */
void account_wakes_add(struct arena *arena, struct wakes *wakes, uint64_t at_ns);
bool account_wakes_within(const struct wakes *wakes, uint64_t from_ns, uint64_t to_ns);

/* outside_ends.c: counts the end of a socket's message that is outside the trace. */
void account_see_outside(struct account *account, struct account_channel *channel,
			 const struct viz_message *message);

/* round_trips.c: turns and round trips of a pair. */
void account_pair_message(struct account *account, struct account_route *route,
			  const struct viz_message *message);
void account_pair_finish(struct account *account, struct account_pair *pair);

/* True for sockets and terminals, whose data is sent into one channel and received from another. */
bool account_has_two_ends(enum mechanism mechanism);

/*
 * The channel that the message was sent into, and the one that it was received from; NULL if that
 * side is not in the trace.
 */
static inline const struct viz_channel *account_message_sink(const struct viz_message *message)
{
	return message->from.operation ? viz_operation_sink(message->from.operation) : NULL;
}

static inline const struct viz_channel *account_message_source(const struct viz_message *message)
{
	return message->to.operation ? viz_operation_source(message->to.operation) : NULL;
}

/*
 * Sets when sending began and when the receiver had the message, in ns; false if that is not known.
 */
bool account_message_times(const struct viz_message *message, uint64_t *sent_ns,
			   uint64_t *received_ns);

static inline struct fold *account_fold(struct account *account)
{
	return (struct fold *)account;
}

/* Adds a message; signals are left out (traffic.c). */
void account_count_traffic(struct account_traffic *traffic, const struct viz_message *message);

#endif
