/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pairing engine. Operations, signals and channels are put in as the trace tells of them;
 * from time to time pair_settle() joins what is certain to come no other way, tells the sink, and
 * lets go of what was joined. One file for each policy of viz/lang/lang.h: it takes an operation
 * into its channel's traffic, and settles a channel. Private to pair_*.c and stream.c.
 */
#ifndef VIZ_PAIR_INTERNAL_H
#define VIZ_PAIR_INTERNAL_H

#include "id_map.h"
#include "pair_address.h"
#include "pair_flow.h"
#include "stream.h"

#define LIST_OF(type)                                                                              \
	{                                                                                          \
		type *items;                                                                       \
		size_t count;                                                                      \
		size_t capacity;                                                                   \
	}

struct operation_list LIST_OF(struct viz_operation *);

/* When writing ends of a channel were counted; see pair_end.c. */
struct counted {
	uint64_t enter_ns, exit_ns;
	uint64_t writers;
};

struct counted_list LIST_OF(struct counted);

/* What the kernel says of a pipe's content against what we have counted; see pair_content.c. */
enum content { CONTENT_UNKNOWN, CONTENT_AGREES, CONTENT_CONTRADICTS };

struct channel_list LIST_OF(struct viz_channel *);

/* What of one channel waits to be joined. */
struct channel_traffic {
	struct viz_channel *channel;
	struct flow_side sends; /* into it; of sockets: by it */
	struct flow_side receives;
	struct flow_side urgent;     /* receives of urgent bytes */
	struct flow_side inbound;    /* datagrams that go to this socket, from wherever */
	struct flow_side fresh;	     /* not yet in `content_sum` */
	struct operation_list calls; /* terminals: all on it, to be joined at the end */
	struct operation_list open_sends;
	struct operation_list open_receives;
	struct addresses entered;
	struct viz_channel *peer;  /* sockets: the one at the other end; NULL: not known */
	struct viz_channel *named; /* what the first operation that names another socket says */
	struct writers *writers;   /* pair_writers.h */
	struct counted_list counted;
	const struct viz_operation *shut_read, *shut_write; /* the first shutdowns */
	const struct viz_operation *connect;		    /* the first one */
	uint64_t newest_ns;				    /* the latest return of a call */
	uint64_t inline_ns;		   /* when SO_OOBINLINE was set here; 0: never */
	uint64_t content_sum;		   /* bytes in a pipe, modulo 2^64 */
	uint64_t base, gone_to, placed_ns; /* of the flow to here; of a semaphore's units */
	uint64_t unknown_ns;		   /* of the flow to here */
	uint64_t counter;		   /* what a counter held then, where it is known */
	enum content content;
	struct viz_position first;	   /* TCP: where it stood when it was first used */
	struct channel_list across;	   /* UDP: senders to it of other network namespaces */
	const struct viz_thread *receiver; /* UDP: the first one */
	uint64_t guessed_ns; /* UDP: a receive that ended then has its send by guess */
	bool shared;	     /* and there are others */
	bool begun;	     /* begins_empty is decided */
	bool inbound_ever;   /* a datagram was sent here */
	bool sent_bytes;     /* a flow out of it has had something */
	bool begins_empty;   /* its first receive was found asleep, before anybody sent */
	bool received;	     /* somebody has called a receive on it, ever */
	bool sent;	     /* the same of sends */
	bool foreign;	     /* something came out that nobody here has sent */
	bool unordered;	     /* its calls' numbers contradict their times */
	bool send_doubt;     /* what went in (of sockets: went out) has no certain place any more */
	bool receive_doubt;  /* the same of what came out */
	bool packets, bytes; /* a pipe has seen packets, plain bytes */
	bool transfers;	     /* somebody has taken from it by splice(2) or its kin */
	bool has_urgent;     /* a sender has used MSG_OOB */
	bool urgent_known;   /* urgent bytes were paired before the end */
	bool initial_taken;  /* counters */
	bool counter_known;
	bool semaphore; /* joined by what the kernel says that it held */
	bool connection_told;
	bool gone_known; /* `gone` is the last word */
	bool gone;	 /* nobody can receive what still lies in it */
	bool listed;	 /* in context->busy */
};

/* A call's number and time; see pair_number.c. */
struct numbered {
	uint64_t enter_ns, id;
	struct viz_channel *sink, *source; /* NULL: none */
};

struct numbered_list LIST_OF(struct numbered);

struct signal_context;
struct pair_route;

struct message_list LIST_OF(struct viz_message *);
struct gap_list LIST_OF(struct viz_gap);
struct eof_list LIST_OF(struct viz_eof *);
struct traffic_list LIST_OF(struct channel_traffic *);

struct pair_context {
	const struct viz_model *model;
	const struct viz_sink *sink;
	struct arena *keep; /* what the sink is given lives there; NULL: for the call */
	struct arena *arena;
	struct arena *round;	     /* for one pair_settle() */
	struct traffic_list traffic; /* by channel index; an item may be NULL */
	struct traffic_list busy;    /* something can be joined, or will be */
	struct address_book *addresses;
	struct map sequences; /* TCP sockets by where they first stood; see pair_peer.c */
	struct signal_context *signals;
	struct operation_list recent;	/* have returned, and were not gone through in order yet */
	struct operation_list accepted; /* accepts that have not met their connects */
	struct operation_list dropped;	/* to be let go at the end of the round */
	struct gap_list gaps;		/* to be told */
	struct eof_list eofs;		/* to be explained */
	struct message_list messages;	/* received, to be told in order */
	struct message_list unreceived; /* to be told at the end */
	size_t new_messages;		/* from there on made in this round */
	uint64_t told;			/* messages */
	struct map passed;		/* pair_gone.c */
	size_t message_count, event_count, eof_count, connection_count;
	uint64_t until_ns;    /* all calls that began before are known */
	uint64_t directed_ns; /* datagrams that were sent before lie where they were sent to */
	uint64_t settled_ns;  /* as far as the round before went */
	struct numbered_list numbers;
	uint64_t *latest_numbers; /* by processor, of the rounds before; NULL: none yet */
	size_t late;		  /* operations that came behind that */
	bool lost;		  /* records are missing: no order is certain */
	bool translated;	  /* UDP may go to another network of this machine by a new name */
	int err;		  /* what the sink has returned */
};

/*
 * `sink` must outlive the engine. What it is given is made in `kept` and stays; NULL: it lives for
 * the call, and operations are let go.
 */
struct pair_context *pair_open(const struct viz_model *model, const struct viz_sink *sink,
			       struct arena *kept);
void pair_close(struct pair_context *context);

/* A channel, once it is known and whenever a line has told more of it. */
void pair_add_channel(struct pair_context *context, struct viz_channel *channel);

/* A call that has returned; or one that has begun, and then again when it has returned. */
void pair_add_operation(struct pair_context *context, struct viz_operation *op);

/* A line about a signal. Unless all is kept, the engine frees it. */
void pair_add_signal_event(struct pair_context *context, struct viz_signal_event *event);

/*
 * All calls that began before `until_ns` have been put in; VIZ_NEVER: the trace is at its end. 0,
 * or what the sink returned.
 */
int pair_settle(struct pair_context *context, uint64_t until_ns);

/* --- for the policies ------------------------------------------------------------------------ */

static inline bool pair_is_last(const struct pair_context *context)
{
	return context->until_ns == VIZ_NEVER;
}

/* take: a call that has returned. settle: joins what it can. */
struct pair_policy {
	void (*take)(struct pair_context *context, struct channel_traffic *traffic,
		     struct viz_operation *op, bool send);
	void (*settle)(struct pair_context *context, struct channel_traffic *traffic);
};

extern const struct pair_policy pair_stream_policy, pair_datagram_policy, pair_queue_policy,
	pair_counter_policy, pair_access_policy, pair_wake_policy;

/* The channel's, made if need be. */
struct channel_traffic *pair_traffic(struct pair_context *context,
				     const struct viz_channel *channel)
	__attribute__((returns_nonnull));
void pair_list_busy(struct pair_context *context, struct channel_traffic *traffic);

/* pair_peer.c: the strongest evidence comes first, for all channels of a round. */
enum peer_evidence { PEER_BY_KERNEL, PEER_BY_CALL, PEER_BY_ADDRESS, PEER_EVIDENCES };
void pair_find_peer(struct pair_context *context, struct channel_traffic *traffic,
		    enum peer_evidence evidence);
/* Where a TCP socket stood when it was first used. */
void pair_note_sequence(struct pair_context *context, struct channel_traffic *traffic,
			const struct viz_operation *op);

/* Before all datagram sockets are settled: each send goes to the socket that it was sent to. */
void pair_direct_sends(struct pair_context *context, struct channel_traffic *traffic);

/* pair_terminal.c: a pseudo-terminal, at the end of the trace. */
void pair_terminal(struct pair_context *context, struct channel_traffic *traffic);

/* Nothing lay in it when tracing found it: its first receive slept before anybody began to send. */
bool pair_starts_empty(const struct flow *flow);

/*
 * pair_packet_end.c: takes the ends of sequenced packets out of what was received. A receive of 0
 * bytes is the end unless it is an empty packet's turn.
 */
void pair_take_ends(struct pair_context *context, struct flow *flow,
		    const struct pair_route *route);

/* pair_content.c: a pipe's operations for the check of its content, and the check. */
void pair_content_add(struct channel_traffic *traffic, const struct flow_item *item, bool send);
void pair_content_check(struct pair_context *context, struct channel_traffic *traffic);

/*
 * pair_packet.c: a pipe's call becomes packets; false where it is none, and moves plain bytes.
 */
bool pair_packet_take(struct channel_traffic *traffic, struct viz_operation *op, bool send);

/* pair_signal.c */
struct signal_context *pair_signals_new(struct pair_context *pair);
void pair_signals_free(struct signal_context *context);
void pair_signal_line(struct signal_context *context, struct viz_signal_event *event);
void pair_signal_settle(struct signal_context *context); /* before the operations */
void pair_signal_call(struct signal_context *context, const struct viz_operation *op);
void pair_signal_end(struct signal_context *context); /* after them, in each round */

void pair_signal_free(struct pair_context *pair, struct viz_signal *signal);

/* pair_signal_message.c: the message that a signal is. */
void pair_add_signal(struct pair_context *context, const struct viz_signal *signal);

/* Signals whose numbers mean more than others. */

enum { SIGNAL_KILL = 9, SIGNAL_CONTINUE = 18 };

/* pair_number.c: a call that has begun, and the check of all, before they are joined. */
void pair_number_add(struct pair_context *context, const struct viz_operation *op,
		     struct viz_channel *sink, struct viz_channel *source);
void pair_number_check(struct pair_context *context);

/* pair_gone.c: what a call says of it, and whether nobody can receive from a channel any more. */
void pair_gone_call(struct pair_context *context, const struct viz_operation *op);
bool pair_is_gone(struct pair_context *context, struct channel_traffic *traffic);

/* pair_end.c; calls come in order of their return */
void pair_end_call(struct pair_context *context, const struct viz_operation *op);
void pair_add_eof(struct pair_context *context, const struct viz_operation *receive);
void pair_explain_eofs(struct pair_context *context);
void pair_end_free(struct channel_traffic *traffic);

/* pair_connection.c; the same */
void pair_connection_begin(struct pair_context *context, const struct viz_operation *op);
void pair_connection_call(struct pair_context *context, const struct viz_operation *op);
void pair_connections(struct pair_context *context);

/* pair_group.c: "/0x1" of an address of netlink; empty where it has no groups. */
struct viz_bytes pair_group_of(const struct viz_operation *op);
/* A send that failed, but only after the groups had got it. */
bool pair_group_refused(const struct viz_operation *op);
bool pair_group_any(const struct flow *flow);
/* A send to groups goes to all that listen; false: it is none, or nobody in the trace does. */
bool pair_group_direct(struct pair_context *context, const struct viz_channel *sender,
		       const struct flow_item *item);

static inline enum policy pair_policy_of(const struct viz_channel *channel)
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
 * Adds an operation to a side, in whole messages: one, or those of sendmmsg and recvmmsg. What
 * failed adds nothing. An unfinished send is added as open.
 */
void pair_add_messages(struct flow_side *side, const struct viz_operation *op, int64_t type);

bool pair_is_multiple(const struct viz_operation *op); /* sendmmsg, recvmmsg */

/* An item of this operation with all but bytes and amount. */
struct flow_item pair_item(const struct viz_operation *op);

/* pair_side.c: an item enters a side that outlives the round, and keeps its operation alive. */
void pair_side_add(struct flow_side *side, const struct flow_item *item);

/* The unfinished sends as open items, only for this round; pair_close_open() takes them away. */
void pair_open_sends(struct flow_side *side, const struct operation_list *open, bool whole);
void pair_close_open(struct flow_side *side);

/* When the first of these began; VIZ_NEVER: there is none. */
uint64_t pair_first_enter(const struct operation_list *open);

/* What ends before this is all known: none of the calls that are under way began before. */
uint64_t pair_known_until(const struct pair_context *context,
			  const struct channel_traffic *traffic);

/* Moves the receives that have returned before the round's time into a flow; others bound it. */
void pair_take_settled(struct flow_side *receives, struct flow *flow);

/* Takes what was joined away, and the beginning of what was joined in part. */
void pair_side_trim(struct pair_context *context, struct flow_side *side, bool bytes);

bool pair_is_socket(const struct viz_channel *channel);

/* An operation is let go at the end of this round. */
void pair_let_go(struct pair_context *context, const struct viz_operation *op);

/* What a flow's pieces have in common. */
struct pair_route {
	enum mechanism mechanism;
	const struct viz_channel *channel;
	bool typed;
	bool outside; /* the receiving side is outside the trace: not received is not unread */
	bool placed;  /* positions may tell the places of all that goes through */
	bool counted; /* the same where one side tells them */
	bool whole;   /* pieces are whole messages */
	bool values;  /* amounts are no bytes: a message has its item's bytes */
};

/* The message of a piece of a stream; and of one that nobody received, with its fate. */
struct viz_message *pair_add_part(struct pair_context *context, const struct pair_route *route,
				  const struct flow_piece *piece);
struct viz_message *pair_add_rest(struct pair_context *context, const struct pair_route *route,
				  const struct flow_piece *piece);
/* Of a counter: one side may be NULL, where nobody here has added it or nobody took it. */
struct viz_message *pair_add_number(struct pair_context *context, const struct pair_route *route,
				    const struct flow_item *send, const struct flow_item *receive);
void pair_add_gap(struct pair_context *context, const struct viz_gap *gap);

/* An exact message of whole ones; one of the sides may be NULL. */
struct viz_message *pair_add_whole(struct pair_context *context, const struct pair_route *route,
				   const struct flow_item *send, const struct flow_item *receive);

/* A message that was sent and never queued. */
void pair_drop_send(struct pair_context *context, const struct pair_route *route,
		    const struct flow_item *item, enum match match);

/* Joins a flow, adds its messages, and takes off it what was joined. */
void pair_flow(struct pair_context *context, struct flow *flow, const struct pair_route *route);

/* A message of that route with nothing but an id to come; and its ends from operations. */
struct viz_message *pair_add_message(struct pair_context *context, const struct pair_route *route);
struct viz_end pair_end_of(const struct viz_operation *op);

/* Memory for what the sink is given: kept, or freed by pair_free() once it has been told. */
void *pair_new(struct pair_context *context, size_t size);
void pair_free(const struct pair_context *context, void *memory);

/* pair_out.c: tells in order what was received before that time; at the end all. */
void pair_tell_messages(struct pair_context *context, uint64_t until_ns);
void pair_free_messages(struct pair_context *context);

/* What a callback of the sink has returned: the first error ends the reading. */
#define pair_tell(context, callback, thing)                                                        \
	do {                                                                                       \
		if (!(context)->err && (context)->sink->callback)                                  \
			(context)->err = (context)->sink->callback((context)->sink->data,          \
								   (thing));                       \
	} while (0)

/* true where somebody in the trace has held `channel` with any of these bits. */
bool pair_ever_held(const struct viz_channel *channel, enum access access);

/* pair_drop.c: by the kernel's word, it was queued at its receiver before its call returned. */
bool pair_is_queued(const struct flow_item *send);

/*
 * pair_drop.c: takes the datagrams that were dropped out of the flow, with a message for each;
 * flow->guess where the evidence leaves open which they were.
 */
void pair_take_out_dropped(struct pair_context *context, struct flow *flow,
			   const struct pair_route *route);

/* What the kernel says of all messages of a call together is true of one alone. */
static inline bool pair_is_single(const struct viz_operation *op)
{
	return !pair_is_multiple(op) || op->returned == 1;
}

#endif
