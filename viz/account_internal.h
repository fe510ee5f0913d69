/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the account_*.c files share: rows with what adding up needs besides (each begins with its
 * public row, so a pointer to one is a pointer to the other), and how they are found. Private.
 */
#ifndef VIZ_ACCOUNT_INTERNAL_H
#define VIZ_ACCOUNT_INTERNAL_H

#include "account.h"

enum { RECENT = 8 };

/* The calls seen last, and their messages, so that one with several parts is counted once. */
struct recent_ids {
	uint64_t ids[RECENT];
	size_t count;
};

struct recent {
	struct recent_ids calls, copies;
};

/* One of two who talk. Compared as bytes: clear it before filling. */
struct party {
	enum account_side side;
	uint32_t pid;
	const struct viz_process *process;
};

struct channel_row {
	struct account_channel row;
	uint64_t key;
	int64_t level; /* as counted; a receive may be told before its send */
};

/*
 * When the last sleeps at an end were over, oldest first. Messages are told some time after the
 * calls that received them, so several are kept.
 */
enum { WAKES_MOST = 1024 };
struct wakes {
	uint64_t *at_ns;
	size_t count;
	size_t capacity;
	size_t first; /* of a ring, once it is full */
};

struct end_row {
	struct account_end row;
	struct {
		const struct viz_process *process;
		const struct account_channel *channel;
	} key;
	size_t pair_mark; /* index + 1 of the pair that counted it last */
	struct wakes wakes;
	uint32_t send_tid, receive_tid; /* 0: none yet */
};

struct route_row {
	struct account_route row;
	struct {
		struct party from, to;
		const struct account_channel *channel;
		const struct viz_channel *connection;
	} key;
	struct recent sends, receives;
	uint64_t last_sent_ns;	   /* when the youngest received one was sent */
	uint64_t last_received_ns; /* and received */
};

/* A direction of a pair. */
struct pair_way {
	uint64_t last_receipt_ns;
};

struct pair_row {
	struct account_pair row;
	struct {
		struct party parties[2];
		enum mechanism mechanism;
		const struct viz_channel *connection;
	} key;
	struct pair_way ways[2]; /* 0: from a */
	struct recent sends, receives;
	int way;		  /* of the current turn */
	bool clean;		  /* it began after what it answers had arrived */
	bool asked;		  /* a request of `a` is being answered */
	bool slept;		  /* the asker slept until the answer began to come */
	uint64_t asked_ns;	  /* when the request began */
	uint64_t turn_began_ns;	  /* the first send of this turn */
	uint64_t turn_receipt_ns; /* the first receipt of this turn */
};

/* The messages that went to several receivers are recognised among so many last ones. */
enum { COPIES_KEPT = 16 };
struct sent_copy {
	uint64_t operation;
	uint32_t message;
	uint32_t pid;
};

struct fold {
	struct account account;
	struct map channels, ends, routes, pairs, wakers;
	struct sent_copy copies[COPIES_KEPT];
	size_t copy_count;
};

/* What one completed call did. */
struct call_facts {
	enum call_kind kind;
	uint64_t bytes;
	bool copies; /* across the border, or from process to process */
};

struct call_facts account_call_facts(const struct viz_operation *op);
/* account_level.c: whether it puts bytes into its channel or takes some out; what lies there. */
bool account_puts_in(const struct viz_operation *op, const struct call_facts *facts);
bool account_takes_out(const struct viz_operation *op, const struct call_facts *facts);
void account_follow_level(struct account *account, const struct viz_operation *op,
			  const struct call_facts *facts);
void account_add_effort(struct account_effort *effort, const struct viz_operation *op,
			const struct call_facts *facts);

/* Adds the call that sent, or received, this message, the first time it is seen; its copy too. */
void account_add_message_call(struct account_effort *effort, struct recent *recent,
			      const struct viz_message *message, bool sent);

/* The rows; made where there is none. `channel` NULL is that of signals. */
struct account_channel *account_channel(struct account *account, const struct viz_channel *channel);
struct account_end *account_end(struct account *account, const struct viz_process *process,
				struct account_channel *channel);
struct account_route *account_route(struct account *account, const struct viz_message *message,
				    struct account_channel *channel);
struct account_pair *account_pair(struct account *account, const struct viz_message *message);

/* account_wakes.c: notes that a sleep was over; whether one was within [from_ns, to_ns]. */
void account_wakes_add(struct arena *arena, struct wakes *wakes, uint64_t at_ns);
bool account_wakes_within(const struct wakes *wakes, uint64_t from_ns, uint64_t to_ns);

/* account_pair.c: turns, round trips. */
void account_pair_message(struct account *account, struct account_route *route,
			  const struct viz_message *message);
void account_pair_finish(struct account *account, struct account_pair *pair);

/* true for sockets and terminals: what is sent into one channel comes out of another. */
bool account_has_two_ends(enum mechanism mechanism);

/* Where the sender put it, where the receiver took it; NULL: a side that is not in the trace. */
static inline const struct viz_channel *account_message_sink(const struct viz_message *message)
{
	return message->from.operation ? viz_operation_sink(message->from.operation) : NULL;
}

static inline const struct viz_channel *account_message_source(const struct viz_message *message)
{
	return message->to.operation ? viz_operation_source(message->to.operation) : NULL;
}

/* When the receiver had it, and when sending began; false where that is not known. */
bool account_message_times(const struct viz_message *message, uint64_t *sent_ns,
			   uint64_t *received_ns);

static inline struct fold *account_fold(struct account *account)
{
	return (struct fold *)account;
}

#endif
