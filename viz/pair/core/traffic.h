/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All that the engine keeps of one channel from round to round: a part that every channel has, and
 * the state of each stage and policy, which its owner alone changes. Zero is the state of a channel
 * that nothing is known of. Private to viz/pair.
 */
#ifndef VIZ_PAIR_CORE_TRAFFIC_H
#define VIZ_PAIR_CORE_TRAFFIC_H

#include "viz/pair/core/flow.h"

#define LIST_OF(type)                                                                              \
	{                                                                                          \
		type *items;                                                                       \
		size_t count;                                                                      \
		size_t capacity;                                                                   \
	}

struct operation_list LIST_OF(struct viz_operation *);
struct channel_list LIST_OF(struct viz_channel *);

/* A call at which the kernel's number of open writing ends of a channel was read. */
struct counted {
	uint64_t enter_ns, exit_ns;
	uint64_t writers;
};

struct counted_list LIST_OF(struct counted);

/* The writing ends of a channel, for the cause of an end of file. Owner: viz/pair/peer/eof.c. */
struct writing_ends {
	struct writers *writers; /* viz/pair/peer/writers.h */
	struct counted_list counted;
	const struct viz_operation *shut_read, *shut_write; /* the first shutdown(2) of each side */
};

/* The addresses under which the address book lists a socket: viz/pair/peer/address_book.h. */
struct addresses {
	struct viz_bytes own, peer;
};

/* Sockets: the connection. Owner: viz/pair/peer. */
struct socket_state {
	struct addresses entered;
	struct viz_channel *named;	     /* the other socket that the first operation names */
	const struct viz_operation *connect; /* the first one */
	bool reported;			     /* the connection was passed to the sink */
};

/* TCP: how its connection began. Owner: viz/pair/peer/tcp_sequence.c. */
struct tcp_state {
	struct viz_position first; /* its position at its first use */
	bool born;		   /* `first` is the beginning of its connection */
	bool again;		   /* it was connected a second time, perhaps to another peer */
};

/* Sockets: urgent bytes (MSG_OOB). Owner: viz/pair/policy/urgent.h. */
struct urgent_state {
	struct flow_side receives;
	/* Since when SO_OOBINLINE is set here; 0: it never was; VIZ_NEVER: it was cleared. */
	uint64_t inline_ns;
	bool sent;   /* a sender has used MSG_OOB */
	bool paired; /* urgent bytes were paired before the end of the trace */
};

/* UDP sockets. Owner: viz/pair/buffer and viz/pair/policy/datagram.c. */
struct udp_state {
	struct corks *corks;		   /* udp_cork.h; NULL: never used */
	struct channel_list across;	   /* senders to it in other network namespaces */
	const struct viz_thread *receiver; /* the first thread that received */
	/* The latest end of a receive whose send is tentative. */
	uint64_t tentative_ns;
	/* Groups: the latest end of a send that was paired by order alone. */
	uint64_t group_ns;
	/* The start of the latest send that was paired exactly, and when it had been taken. */
	uint64_t known_ns, known_until_ns;
	/* Groups: a receive that took its message before this may have a tentative send. */
	uint64_t tentative_until_ns;
	bool shared; /* threads other than `receiver` received, too */
	bool group;  /* messages to a group may or may not have come here */
};

/* A call that has put bytes into a pipe, or taken some; with its times, which order it. */
struct pipe_change {
	const struct viz_operation *op;
	uint64_t enter_ns, exit_ns;
	uint64_t bytes; /* that it added, modulo 2^64 */
};

struct pipe_change_list LIST_OF(struct pipe_change);

/*
 * Whether the bytes that the kernel says lie in a pipe are those that the trace's operations leave
 * in it.
 */
enum content { CONTENT_UNKNOWN, CONTENT_AGREES, CONTENT_CONTRADICTS };

/* Pipes: what lies in it. Owner: viz/pair/policy/pipe_level_check.c. */
struct pipe_content {
	struct pipe_change_list fresh; /* not yet added to `sum` */
	uint64_t sum;		       /* bytes in it by the operations, modulo 2^64 */
	enum content verdict;
};

/* Pipes: of which kind are the calls on it. Owner: viz/pair/policy/packet_pipe.c. */
struct pipe_calls {
	bool packets;	/* packets (O_DIRECT) were written */
	bool bytes;	/* plain bytes were written */
	bool moved_in;	/* it got buffers of another pipe; a write may fill them up */
	bool transfers; /* splice(2) or the like has put bytes in, or taken some */
};

/*
 * Pipes: when the first call moved bytes (begin; 0: none has), and when its size was changed last
 * (end; 0: never). Owner: viz/pair/policy/byte_stream.c.
 */
struct pipe_size {
	uint64_t used_ns, resized_ns;
};

/* Eventfds. Owner: viz/pair/policy/eventfd.c. */
struct counter_state {
	uint64_t count;	      /* after the last round, where `known` */
	uint64_t settled_ns;  /* the calls and samples before are settled */
	uint64_t front, back; /* semaphores: numbers of the next unit to be taken and added */
	bool known;
	bool initial_taken; /* its initial count has become an item */
	bool semaphore;	    /* it is paired by the counts that the kernel reports */
};

/*
 * What lay in a queue when tracing found it. STOCK_UNDECIDED: how much that is has yet to be found
 * out. STOCK_IS_TAKEN: `left` old messages are received before any other. STOCK_IS_SETTLED: none is
 * left, or it stays unknown how many are. Owner: viz/pair/policy/queue_stock.c.
 */
enum stock_state { STOCK_UNDECIDED, STOCK_IS_TAKEN, STOCK_IS_SETTLED };

struct queue_stock {
	enum stock_state state;
	uint64_t left; /* old messages that were not received yet */
	bool followed; /* queues: a receive told that its message is older than tracing */
};

/*
 * Whether nothing lay in a stream when tracing found it. BEGINNING_UNKNOWN: it may have held
 * something. Owner: viz/pair/policy/byte_stream.c.
 */
enum beginning { BEGINNING_UNDECIDED, BEGINS_EMPTY, BEGINNING_UNKNOWN };

/*
 * Whether any process can still receive what lies in a channel. LEFTOVER_KEPT: at the end of the
 * trace one may. Owner: viz/pair/core/discarded.c.
 */
enum leftover { LEFTOVER_UNDECIDED, LEFTOVER_DISCARDED, LEFTOVER_KEPT };

/* What waited in a channel, and its peer, after rounds in a row that paired nothing of it. */
struct vain_round {
	size_t times;	   /* 0: the last round paired something */
	size_t waiting;	   /* calls that had returned */
	size_t open;	   /* calls that had not */
	uint64_t since_ns; /* the time of the first such round in a row */
	uint64_t again_ns; /* a round of a later time looks at it again */
};

struct channel_traffic {
	struct viz_channel *channel;
	struct viz_channel *peer; /* sockets: the one at the other end; NULL: not known */
	struct flow_side sends;	  /* into the channel; sockets: by the socket */
	struct flow_side receives;
	struct flow_side inbound;    /* datagrams that were sent to this socket, by any socket */
	struct operation_list calls; /* terminals: all calls on it, to be paired at the end */
	struct operation_list open_sends;
	struct operation_list open_receives;
	uint64_t newest_ns;	       /* the latest return of a call */
	struct vain_round vain;	       /* engine.c */
	struct stream_progress stream; /* pipes, sockets: of the flow into here */
	struct writing_ends ends;
	struct socket_state socket;
	struct tcp_state tcp;
	struct urgent_state urgent;
	struct udp_state udp;
	struct pipe_content content;
	struct pipe_calls pipe;
	struct pipe_size size;
	struct counter_state counter;
	struct queue_stock stock;
	enum beginning beginning;
	enum leftover leftover;
	bool inbound_ever;	/* a datagram was sent to it */
	bool sent_bytes;	/* a flow out of it has had a send */
	bool received;		/* some process of the trace has called a receive on it */
	bool sent;		/* some process of the trace has called a send on it */
	bool foreign;		/* it gave bytes that no process of the trace has sent */
	bool unordered;		/* the numbers of its calls contradict their times */
	bool send_ambiguous;	/* no position in what its senders sent is exact any more */
	bool receive_ambiguous; /* no position in what its receivers took is exact any more */
	bool listed;		/* in context->busy */
};

#endif
