/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the socket at the other end of a connection, and the socket that sent a datagram. Private
 * to viz/pair.
 */
#ifndef VIZ_PAIR_PEER_PEERS_H
#define VIZ_PAIR_PEER_PEERS_H

#include "viz/pair/core/context.h"

/*
 * peers.c: the kinds of evidence for a peer, the strongest first. A round tries each kind for all
 * channels before the next one.
 */
enum peer_evidence {
	PEER_BY_KERNEL,	  /* viz_channel.peer, as the kernel names it */
	PEER_BY_CALL,	  /* the other socket that an operation names */
	PEER_BY_SEQUENCE, /* TCP sequence numbers: tcp_sequence.c */
	PEER_BY_ADDRESS,  /* the addresses of both ends: address_book.h */
	PEER_EVIDENCES
};
/* Sets traffic->peer, and that of the peer, if this evidence tells it. */
void pair_find_peer(struct pair_context *context, struct channel_traffic *traffic,
		    enum peer_evidence evidence);
/*
 * tcp_sequence.c: note the position of a TCP socket when it is first used, and when its connection
 * is made.
 */
void pair_note_sequence(struct pair_context *context, struct channel_traffic *traffic,
			const struct viz_operation *op);
void pair_note_beginning(struct pair_context *context, const struct viz_operation *op);
/* tcp_sequence.c: forgets the position of a socket that has a peer, or had it. */
void pair_forget_sequence(struct pair_context *context, const struct channel_traffic *traffic);
/* tcp_sequence.c: the socket whose first position mirrors this one's; NULL if none is known yet. */
struct viz_channel *pair_peer_by_sequence(struct pair_context *context,
					  const struct channel_traffic *traffic);
/* tcp_sequence.c: false if the first positions of two sockets exclude that they are connected. */
bool pair_may_be_ends(const struct channel_traffic *a, const struct channel_traffic *b);

/*
 * unaccepted.c: lets the route end at a listener of the trace if the client's connection was made
 * there and nobody accepted it; makes the flow ambiguous if this is in doubt. Only the last round
 * knows.
 */
void pair_route_unaccepted(struct pair_context *context, const struct channel_traffic *client,
			   struct flow *flow, struct pair_route *route);

/*
 * datagram_sender.c: sets the source of each receive of the flow, the socket that sent what it
 * took. False if the source of one of them is not known.
 */
bool pair_find_sources(struct pair_context *context, struct flow *flow);

/* across_namespaces.c: UDP between sockets in different network namespaces of this machine. */

/* Notes the network namespace of a UDP socket. */
void pair_note_network(struct pair_context *context, const struct viz_channel *channel);
/* Notes the sends in other namespaces that a receive names. */
void pair_note_names(struct pair_context *context, const struct viz_operation *receive);
/* The socket in another namespace that received the send, as a receive names it; or NULL. */
struct viz_channel *pair_named_receiver(const struct pair_context *context,
					const struct flow_item *send);
/* The socket in another namespace that sent what a chunk names; NULL if it is not in another. */
struct viz_channel *pair_named_sender(const struct pair_context *context,
				      const struct flow_item *receive,
				      const struct viz_chunk *chunk);
/* True if a send may have gone to a socket of the trace in another namespace. */
bool pair_may_cross(const struct pair_context *context, const struct viz_channel *sender,
		    const struct flow_item *item);
/* True if a receive in another namespace that names the send may still be to come. */
bool pair_may_be_named_yet(const struct pair_context *context, const struct viz_channel *sender,
			   const struct flow_item *item);

#endif
