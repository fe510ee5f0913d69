/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pairing engine. Operations, signals and channels are put in as their lines are read. From
 * time to time pair_settle() runs a round: it pairs sends with receives as far as no later line can
 * change the result, passes the messages to the sink, and drops what was paired. Each policy of
 * viz/format/format.h is one file in viz/pair/policy, which takes operations into the traffic of
 * their channels and settles a channel. Private to viz/pair.
 */
#ifndef VIZ_PAIR_CORE_CONTEXT_H
#define VIZ_PAIR_CORE_CONTEXT_H

#include "viz/base/id_map.h"
#include "viz/message/sink.h"
#include "viz/model/operation_facts.h"
#include "viz/pair/core/traffic.h"

/*
 * So many lines later a call is taken to have its line, however little time they took: pairing
 * follows the newest line at this distance, and runs a round every PAIR_ROUND lines.
 */
#define PAIR_BEHIND 65536
#define PAIR_ROUND (PAIR_BEHIND / 2)

/* The number and the beginning of a call; see call_order.c. */
struct numbered {
	uint64_t enter_ns, id;
	struct viz_channel *sink, *source; /* NULL: none */
};

struct numbered_list LIST_OF(struct numbered);

/* A call that has returned, and when, which is asked more often than anything else of it. */
struct returned {
	uint64_t exit_ns;
	struct viz_operation *op;
};

struct returned_list LIST_OF(struct returned);

/* A side of a call that has returned, which waits for the round that knows when it began. */
struct arrived {
	uint64_t enter_ns;
	struct viz_operation *op;
	struct channel_traffic *traffic;
	bool send;
};

struct arrived_list LIST_OF(struct arrived);

struct signal_context;
struct pair_route;

struct message_list LIST_OF(struct viz_message *);
struct gap_list LIST_OF(struct viz_gap);
struct eof_list LIST_OF(struct viz_eof *);
struct traffic_list LIST_OF(struct channel_traffic *);

/* The traffic of a channel; NULL: not used yet, or put away, which `peer` outlives. */
struct traffic_slot {
	struct channel_traffic *traffic;
	struct viz_channel *peer;
};

struct traffic_slots LIST_OF(struct traffic_slot);

struct pair_context {
	const struct pair_policy *const *policies; /* by enum policy; NULL: nothing to pair */
	const struct viz_model *model;
	const struct viz_sink *sink;
	struct arena *keep;  /* holds what the sink is given; NULL: valid for the call only */
	struct arena *texts; /* holds bytes of what the sink is given that are in no call */
	struct arena *arena; /* lives as long as the engine */
	struct arena *round; /* lives for one pair_settle() */
	struct traffic_slots traffic; /* by channel index */
	struct traffic_list busy;     /* channels that the next round has to look at */
	struct channel_list resting;  /* those that may be finished: viz/pair/finished.h */
	struct address_book *addresses;
	struct address_book *listeners; /* unaccepted.c, in the last round; NULL: not asked yet */
	struct id_map sequences; /* TCP sockets by their first position; see tcp_sequence.c */
	struct signal_context *signals;
	struct returned_list recent;	/* not yet passed to the sink */
	struct arrived_list arrived;	/* not yet given to the policies; `recent` has them, too */
	struct operation_list accepted; /* accepts whose connect is not known yet */
	struct operation_list dropped;	/* released at the end of the round */
	struct gap_list gaps;		/* not yet passed to the sink */
	struct eof_list eofs;		/* whose cause is not known yet */
	struct message_list messages;	/* received ones, to be passed on in order of receipt */
	struct message_list unreceived; /* to be passed on at the end of the trace */
	size_t new_messages;		/* index in `messages` of the first one of this round */
	uint64_t reported;		/* how many messages were passed on */
	struct map passed;		/* descriptors sent in messages; see discarded.c */
	size_t message_count, event_count, eof_count, connection_count;
	uint64_t until_ns;    /* all calls that began before this are known; VIZ_NEVER: the end */
	uint64_t directed_ns; /* datagrams sent before this are in `inbound` of their receivers */
	uint64_t settled_ns;  /* until_ns of the previous round */
	struct numbered_list numbers;
	uint64_t *latest_numbers; /* by processor, of earlier rounds; NULL: none yet */
	size_t late;		  /* operations that began before settled_ns and came after it */
	bool lost;		  /* records are missing: no order is exact */
	uint64_t network;	  /* the network namespace of the latest UDP socket */
	bool several_networks;	  /* the trace has UDP sockets of several network namespaces */
	struct map across;	  /* across_namespaces.c */
	bool translated;	  /* UDP: some address may have been translated on the way (NAT) */
	int err;		  /* the first result other than 0 of a callback of the sink */
};

/*
 * Makes an engine. `sink` must outlive it. What the sink is given is allocated in `kept` and stays
 * valid with it; with NULL it is valid only during the call, and operations are released once they
 * are paired. Never returns NULL.
 */
struct pair_context *pair_open(const struct viz_model *model, const struct viz_sink *sink,
			       struct arena *kept);
void pair_close(struct pair_context *context);

struct model_builder;

/* Adds what the last line that was built told of: a call, a signal, or a channel. */
void pair_add_line(struct pair_context *context, const struct model_builder *builder);

/* Called once a channel is known, and again whenever a line has changed it. */
void pair_add_channel(struct pair_context *context, struct viz_channel *channel);

/* Called when an operation has returned; before that also when it is known to have begun. */
void pair_add_operation(struct pair_context *context, struct viz_operation *op);

/* Adds a line about a signal. The engine owns the event and frees it, unless all is kept. */
void pair_add_signal_event(struct pair_context *context, struct viz_signal_event *event);

/*
 * Runs a round. The caller guarantees that all calls that began before `until_ns` have been added;
 * VIZ_NEVER means the end of the trace. Returns 0, or the result of the callback that failed.
 */
int pair_settle(struct pair_context *context, uint64_t until_ns);

/* --- for the policies ------------------------------------------------------------------------ */

static inline bool pair_is_last(const struct pair_context *context)
{
	return context->until_ns == VIZ_NEVER;
}

/*
 * take() adds a call that has returned to one side of a channel's traffic. settle() pairs what is
 * complete on the channel, once in each round.
 */
struct pair_policy {
	void (*take)(struct pair_context *context, struct channel_traffic *traffic,
		     struct viz_operation *op, bool send);
	void (*settle)(struct pair_context *context, struct channel_traffic *traffic);
};

extern const struct pair_policy pair_stream_policy, pair_datagram_policy, pair_queue_policy,
	pair_counter_policy, pair_access_policy, pair_wake_policy;

/* The traffic of a channel; it is made on first use, and never moves while the channel is open. */
struct channel_traffic *pair_traffic(struct pair_context *context,
				     const struct viz_channel *channel)
	__attribute__((returns_nonnull));
/* True of a socket with a peer, of which all was paired and the traffic put away. */
bool pair_is_put_away(const struct pair_context *context, const struct viz_channel *channel);
/* Makes the next round look at the channel, if it has a policy. */
void pair_list_busy(struct pair_context *context, struct channel_traffic *traffic);

/*
 * datagram.c: moves each send of the socket to `inbound` of the socket that it was sent to. It is
 * called for all datagram sockets before any of them is settled.
 */
void pair_direct_sends(struct pair_context *context, struct channel_traffic *traffic);

/* terminal.c: pairs the calls on a pseudo-terminal, at the end of the trace. */
void pair_terminal(struct pair_context *context, struct channel_traffic *traffic);

/*
 * items.c: true if the channel was empty when tracing found it: its first receive was asleep before
 * any send began.
 */
bool pair_starts_empty(const struct flow *flow);

/*
 * seqpacket_eof.c: takes the receives that found the end of a sequenced-packet connection out of
 * the flow. A receive of 0 bytes is the end, unless the next packet in order is an empty one.
 */
void pair_take_ends(struct pair_context *context, struct flow *flow,
		    const struct pair_route *route);

/*
 * queue_stock.c: removes the receives of messages that lay in a socket when tracing found it from
 * the flow: these messages are received first. Sets flow->ambiguous where these receives cannot be
 * told from others. False if the decision has to wait for later calls.
 */
bool pair_take_stock(struct pair_context *context, struct channel_traffic *traffic,
		     struct flow *flow, const struct pair_route *route);
/*
 * queue_stock.c: for a queue whose messages have types or priorities, sets flow->ambiguous unless
 * the queue was empty when tracing found it. False if the decision has to wait for later calls.
 */
bool pair_look_at_depth(struct pair_context *context, struct channel_traffic *traffic,
			struct flow *flow);
/*
 * queue_stock.c: true if the channel is known to have been empty when it was looked at, and no call
 * was under way then that could have changed that.
 */
bool pair_stock_is_empty(struct channel_traffic *traffic, const struct flow *flow);

/* byte_stream.c: notes that a call changed the size of a pipe (F_SETPIPE_SZ). */
void pair_note_resize(struct pair_context *context, const struct viz_operation *op);

/* The same of one that takes bytes of TCP and does not say how many (TCP_ZEROCOPY_RECEIVE). */
void pair_note_zerocopy(struct pair_context *context, const struct viz_operation *op);

/*
 * pipe_level_check.c: pair_content_add() adds an operation to the byte balance of a pipe.
 * pair_content_check() compares the balance with the bytes that the kernel says lie in the pipe,
 * and sets traffic->content.verdict.
 */
void pair_content_add(struct channel_traffic *traffic, const struct flow_item *item, bool send);
void pair_content_check(struct pair_context *context, struct channel_traffic *traffic);

/*
 * packet_pipe.c: adds a call on a pipe as packets (O_DIRECT). False if the call is to be counted in
 * plain bytes: nothing was added then.
 */
bool pair_packet_take(struct pair_context *context, struct channel_traffic *traffic,
		      struct viz_operation *op, bool send);

/*
 * signals.c: pair_signal_line() adds an event; in each round pair_signal_settle() sorts the events,
 * pair_signal_call() is called for each operation in order of return, and pair_signal_end() handles
 * the remaining events of the round.
 */
struct signal_context *pair_signals_new(struct pair_context *pair);
void pair_signals_free(struct signal_context *context);
void pair_signal_line(struct signal_context *context, struct viz_signal_event *event);
void pair_signal_settle(struct signal_context *context);
void pair_signal_call(struct signal_context *context, const struct viz_operation *op);
void pair_signal_end(struct signal_context *context);

/* emit.c: frees a signal with its events and drops its operations, unless all is kept. */
void pair_signal_free(struct pair_context *pair, struct viz_signal *signal);

/* signal_message.c: adds the message for a signal. */
void pair_add_signal(struct pair_context *context, const struct viz_signal *signal);

/* Signals that the kernel treats in a way of their own (signal(7)). */
enum { SIGNAL_KILL = 9, SIGNAL_CONTINUE = 18 };

/*
 * call_order.c: pair_number_add() notes the number of a call that has begun. pair_number_check()
 * runs before a round pairs anything, and marks the channels of calls whose numbers contradict
 * their times.
 */
void pair_number_add(struct pair_context *context, struct viz_operation *op,
		     struct viz_channel *sink, struct viz_channel *source);
void pair_number_check(struct pair_context *context);

/*
 * discarded.c: pair_discard_call() notes descriptors that a call sends and queues that it removes.
 * pair_is_discarded() is true if no process can receive from the channel any more.
 */
void pair_discard_call(struct pair_context *context, const struct viz_operation *op);
bool pair_is_discarded(struct pair_context *context, struct channel_traffic *traffic);
/* discarded.c: true if the descriptor was sent in a message, which held the end for a while. */
bool pair_was_passed(const struct pair_context *context, const struct viz_holding *holding);

/*
 * eof.c, where the sink wants ends of streams: pair_end_call() gets all calls in order of return,
 * pair_add_eof() the receives that found an end, and pair_explain_eofs() finds the call that caused
 * each end.
 */
void pair_end_call(struct pair_context *context, const struct viz_operation *op);
void pair_add_eof(struct pair_context *context, const struct viz_operation *receive);
void pair_explain_eofs(struct pair_context *context);
void pair_end_free(struct channel_traffic *traffic);

/*
 * connections.c: pair_connection_begin() gets calls that have begun, pair_connection_call() calls
 * in order of return, and pair_connections() passes on the connections that are complete.
 */
void pair_connection_begin(struct pair_context *context, const struct viz_operation *op);
void pair_connection_call(struct pair_context *context, const struct viz_operation *op);
void pair_connections(struct pair_context *context);

/* multicast.c: true if the flow has a send to a netlink group. */
bool pair_group_any(const struct flow *flow);
/*
 * multicast.c: adds a send to netlink groups to `inbound` of each socket that listens to one of
 * them. False if the send is not to a group, or no socket of the trace listens.
 */
bool pair_group_direct(struct pair_context *context, const struct viz_channel *sender,
		       const struct flow_item *item);

static inline enum policy pair_policy_of(const struct viz_channel *channel)
{
	return mechanism_info(channel->mechanism)->policy;
}

/* An item for this operation, with bytes and amount still 0. */
struct flow_item pair_item(const struct viz_operation *op);

/*
 * items.c: adds an item to a side that outlives the round, and takes a reference to its operation.
 */
void pair_side_add(struct flow_side *side, const struct flow_item *item);

/*
 * Adds the unfinished sends as open items for this round; `whole` gives them the requested length.
 * pair_close_open() removes them.
 */
void pair_open_sends(struct flow_side *side, const struct operation_list *open, bool whole);
void pair_close_open(struct flow_side *side);

/* When the first of these operations began; VIZ_NEVER if there is none. */
uint64_t pair_first_enter(const struct operation_list *open);

/*
 * The time up to which the channel is completely known: each call on it that began before has
 * returned. VIZ_NEVER at the end of the trace.
 */
uint64_t pair_known_until(const struct pair_context *context,
			  const struct channel_traffic *traffic);

/*
 * Adds the messages of an operation to a side: one, or those of a sendmmsg or recvmmsg. `type` is
 * the message type or priority. An operation that failed adds nothing; an unfinished send is open.
 */
void pair_add_messages(struct flow_side *side, const struct viz_operation *op, int64_t type);

/*
 * Moves the receives that returned before flow->until_ns into the flow. The others stay, and lower
 * flow->open_receive_ns to their beginning.
 */
void pair_take_settled(struct flow_side *receives, struct flow *flow);

/*
 * Removes the items that were paired completely and cuts off the paired beginning of others: in
 * units, and with `bytes` in bytes as well.
 */
void pair_side_trim(struct pair_context *context, struct flow_side *side, bool bytes);

/*
 * position_order.c: true if the times of the calls contradict the positions that they report. Sorts
 * both sides of the flow by beginning.
 */
bool pair_order_contradicts(struct flow *flow, enum mechanism mechanism);

/* Drops a reference to the operation at the end of this round. */
void pair_let_go(struct pair_context *context, const struct viz_operation *op);

/* What all messages of a flow have in common. */
struct pair_route {
	enum mechanism mechanism;
	const struct viz_channel *channel;
	bool typed;   /* messages have a type or priority */
	bool outside; /* the receiver is outside the trace, so what is not received is not unread */
	bool placed;  /* may be paired by the positions of both sides: interleave.h */
	bool whole;   /* pieces are whole messages */
	bool values;  /* amounts are not bytes: a message has the bytes of its item */
};

/* Adds the message for a piece; pair_add_rest() for one that was not received, with its fate. */
struct viz_message *pair_add_part(struct pair_context *context, const struct pair_route *route,
				  const struct flow_piece *piece);
struct viz_message *pair_add_rest(struct pair_context *context, const struct pair_route *route,
				  const struct flow_piece *piece);
/* Adds a message of a counter; one side is NULL if no call of the trace added it, or took it. */
struct viz_message *pair_add_number(struct pair_context *context, const struct pair_route *route,
				    const struct flow_item *send, const struct flow_item *receive);
/* Adds a copy of the gap, which is passed to the sink before the messages of this round. */
void pair_add_gap(struct pair_context *context, const struct viz_gap *gap);

/*
 * The fate of bytes that were not received: FATE_NONE if the receiver is outside the trace,
 * FATE_DISCARDED if no process can receive them any more, else FATE_UNREAD.
 */
enum fate pair_fate_of_rest(struct pair_context *context, const struct pair_route *route);
/* Sets the bytes of a counter's message, at offset 0 on both sides. */
void pair_set_number(struct viz_message *message, uint64_t bytes);

/* Adds an exact message for a whole send and a whole receive; one of them may be NULL. */
struct viz_message *pair_add_whole(struct pair_context *context, const struct pair_route *route,
				   const struct flow_item *send, const struct flow_item *receive);

/* Adds a message that was sent and never queued (FATE_DROPPED). */
void pair_drop_send(struct pair_context *context, const struct pair_route *route,
		    const struct flow_item *item, enum match match);

/*
 * join.c: pairs the sends and receives of a flow by the strongest evidence that there is, adds the
 * messages, and removes what was paired from the flow.
 */
void pair_flow(struct pair_context *context, struct flow *flow, const struct pair_route *route);

/* Adds an exact message with the properties of the route; the caller fills in the rest. */
struct viz_message *pair_add_message(struct pair_context *context, const struct pair_route *route);
/* The end of a message that the operation is, without offset and payload. */
struct viz_end pair_end_of(const struct viz_operation *op);

/*
 * Zeroed memory for what the sink is given. pair_free() frees it, unless all is kept; NULL is
 * allowed there.
 */
void *pair_new(struct pair_context *context, size_t size);
void pair_free(const struct pair_context *context, void *memory);

/* emit.c: sorts messages as the sink gets them. Of those that come at one time `index` decides. */
uint64_t pair_receipt_ns(const struct viz_message *message);
void pair_sort_messages(struct viz_message **messages, size_t count);

/*
 * emit.c: passes the messages that were received before `until_ns` to the sink, in order of
 * receipt; at the end of the trace all messages. Where all is kept none is passed on before that.
 */
void pair_report_messages(struct pair_context *context, uint64_t until_ns);
void pair_free_messages(struct pair_context *context);

/* Calls a callback of the sink, unless an earlier one failed; context->err is its result. */
#define pair_report(context, callback, thing)                                                      \
	do {                                                                                       \
		if (!(context)->err && (context)->sink->callback)                                  \
			(context)->err = (context)->sink->callback((context)->sink->data,          \
								   (thing));                       \
	} while (0)

/* True if some process of the trace has held `channel` with any of these access bits. */
bool pair_ever_held(const struct viz_channel *channel, enum access access);

/* items.c: true if the kernel says that it was queued at its receiver before its call returned. */
bool pair_is_queued(const struct flow_item *send);

/*
 * datagram_drops.c: removes the datagrams that were dropped from the flow and adds a message for
 * each. Sets flow->tentative if the evidence leaves open which datagrams they were.
 */
void pair_take_out_dropped(struct pair_context *context, struct flow *flow,
			   const struct pair_route *route);

/*
 * items.c: the peer's address of one message, because each message of a sendmmsg or recvmmsg may
 * have its own. Empty if it is not known.
 */
struct viz_bytes pair_address_of(const struct flow_item *item);

#endif
