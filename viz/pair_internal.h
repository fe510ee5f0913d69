/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the pair_*.c files share: one file for each policy of viz/lang/lang.h, which goes through
 * the channels of its policy and adds messages. Private to them.
 */
#ifndef VIZ_PAIR_INTERNAL_H
#define VIZ_PAIR_INTERNAL_H

#include "pair_flow.h"

struct operation_list {
	struct viz_operation **items;
	size_t count;
};

#define PAIR_ALL_MESSAGES UINT32_MAX

/* A send, or one message of a sendmmsg whose messages go to different addresses. */
struct inbound {
	const struct viz_operation *op;
	uint32_t message; /* or PAIR_ALL_MESSAGES */
};

/* The operations of one channel that may have moved something, in order of enter_ns. */
struct channel_traffic {
	struct operation_list sends;
	struct operation_list receives;
	struct inbound *inbound; /* sockets: sends that go to this one, from wherever */
	size_t inbound_count;
	struct viz_channel *peer; /* sockets: the one at the other end; NULL: not known */
	bool gone;		  /* nobody can receive what still lies in it */
};

struct address_book;
struct pair_route;

struct pair_context {
	const struct viz_model *model;
	struct viz_pairing *pairing;
	struct arena *arena;
	struct channel_traffic *traffic; /* by channel index */
	struct address_book *addresses;
	bool lost; /* records are missing: no order is certain */
};

/* The policies. */
void pair_streams(struct pair_context *context); /* but terminals */
void pair_terminals(struct pair_context *context);
void pair_datagrams(struct pair_context *context);
void pair_queues(struct pair_context *context);
void pair_counters(struct pair_context *context);
void pair_signals(struct pair_context *context);

/*
 * pair_packet.c: a pipe in packet mode. False where it is none, or not all of it is: then nothing
 * was done.
 */
bool pair_packets(struct pair_context *context, const struct viz_channel *channel,
		  const struct pair_route *route);
bool pair_any_packet(const struct operation_list *sends);

/*
 * pair_urgent.c: adds the messages of urgent bytes from `sends` to `receives` (NULL: not in the
 * trace). How many of the urgent sends, from the first on, are certain: their last byte is in no
 * stream. Behind those no place in the stream is.
 */
size_t pair_urgent(struct pair_context *context, const struct pair_route *route,
		   const struct operation_list *sends, const struct operation_list *receives);
bool pair_sends_urgent(const struct viz_operation *op);
bool pair_takes_urgent(const struct viz_operation *op);

/* pair_signal_message.c: the message that a signal is. */
void pair_add_signal(struct pair_context *context, const struct viz_signal *signal);

/* Signals whose numbers mean more than others. */
enum { SIGNAL_KILL = 9, SIGNAL_CONTINUE = 18 };

/* pair_gone.c: sets `gone` of each channel's traffic. */
void pair_find_gone(struct pair_context *context);

/* pair_end.c */
void pair_add_eof(struct pair_context *context, const struct viz_operation *receive);
void pair_explain_eofs(struct pair_context *context);
void pair_connections(struct pair_context *context);

/* pair_address.c: the sockets of a trace by address. */
struct address_book *address_book_new(struct arena *arena, const struct viz_model *model);

/* The socket of that mechanism that had this address then; NULL: none in the trace. */
struct viz_channel *address_book_find(const struct address_book *book,
				      const struct viz_channel *asker, struct viz_bytes address,
				      uint64_t at_ns);
/* A connected TCP or UDP socket's opposite: the addresses the other way round. */
struct viz_channel *address_book_opposite(const struct address_book *book,
					  const struct viz_channel *channel);

static inline struct channel_traffic *pair_traffic(const struct pair_context *context,
						   const struct viz_channel *channel)
{
	return &context->traffic[channel->index];
}

static inline enum policy pair_policy(const struct viz_channel *channel)
{
	return mechanism_info(channel->mechanism)->policy;
}

/* A receive that looked and left all in place (MSG_PEEK, MSG_COPY, an error queue, tee(2)). */
bool pair_only_looks(const struct viz_operation *op);

/* A receive from a stream that found its end. */
static inline bool pair_is_end(const struct viz_operation *op)
{
	return viz_has(op, returned) && op->returned == 0 &&
	       !(viz_has(op, requested) && op->requested == 0);
}

/* Bytes that a completed operation moved through a stream; 0 where it failed or moved none. */
uint64_t pair_stream_bytes(const struct viz_operation *op);

/*
 * Adds an operation to a side, in whole messages: one, or those of sendmmsg and recvmmsg, all or
 * `only` that one. What failed adds nothing. An unfinished send is added as open.
 */
void pair_add_messages(struct pair_context *context, struct flow_side *side,
		       const struct viz_operation *op, int64_t type, uint32_t only);

/* sendmmsg, recvmmsg; and how many messages it moved, at most as many as the kernel takes. */
bool pair_is_multiple(const struct viz_operation *op);
uint32_t pair_message_count(const struct viz_operation *op);

/* Nothing lay in it when tracing found it: its first receive slept before anybody began to send. */
bool pair_starts_empty(const struct flow *flow);

/* An item of this operation with all but bytes and amount. */
struct flow_item pair_item(const struct viz_operation *op);

/* What a flow's pieces have in common. */
struct pair_route {
	enum mechanism mechanism;
	const struct viz_channel *channel;
	bool typed;
	bool outside; /* the receiving side is outside the trace: not received is not unread */
	bool values;  /* amounts are no bytes: a message has its item's bytes */
};

/* pair_named.c: the send that a receive names as its only source; NULL: it names none. */
const struct viz_operation *pair_named_send(const struct pair_context *context,
					    const struct viz_operation *receive);

/* Pairs the receives of whole messages that name their send, and takes both out of the flow. */
void pair_take_named(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route);

/* An exact message of whole ones; one of the sides may be NULL. */
struct viz_message *pair_add_whole(struct pair_context *context, const struct pair_route *route,
				   const struct flow_item *send, const struct flow_item *receive);

/* Joins a flow and adds its messages. */
void pair_flow(struct pair_context *context, struct flow *flow, const struct pair_route *route);

/* A message of that route with nothing but an id to come; and its ends from operations. */
struct viz_message *pair_add_message(struct pair_context *context, const struct pair_route *route);
struct viz_end pair_end_of(const struct viz_operation *op);

/* true where somebody in the trace has held `channel` with any of these bits. */
bool pair_ever_held(const struct viz_channel *channel, enum access access);

#endif
