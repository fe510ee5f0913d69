/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP datagrams of several sends (MSG_MORE, UDP_CORK; udp(7)). Each send adds its bytes to a
 * datagram that the socket holds back; the first send that does not ask for more, or setsockopt(2),
 * sends it. Pairing handles the datagram as one item, that of its first send, whose buffer it is.
 * Afterwards the message is split into one for each send.
 */
#ifndef VIZ_PAIR_CORE_UDP_CORK_H
#define VIZ_PAIR_CORE_UDP_CORK_H

#include "viz/pair/core/context.h"

struct cork_piece {
	const struct viz_operation *op;
	uint32_t message;      /* sendmmsg: the number of its message */
	uint64_t local, bytes; /* offset and length in the operation's own bytes */
};

/* A datagram of several sends. It lives as long as the engine. */
struct cork {
	struct cork_piece *pieces;
	size_t count;
	const struct viz_operation *flush; /* the call that sent it; NULL: none yet */
	uint32_t flush_message;
};

/*
 * Notes a call that has returned, if it asks for more, fails while a datagram is held back, or sets
 * UDP_CORK.
 */
void pair_cork_call(struct pair_context *context, struct viz_operation *op);

/*
 * Makes one item of the sends that are one datagram. Returns how many of traffic->sends, from the
 * first on, are complete. At the end of the trace, a datagram that was never sent gets its message.
 */
size_t pair_cork_join(struct pair_context *context, struct channel_traffic *traffic);

void pair_cork_free(struct channel_traffic *traffic);

/* The call that sent the item's datagram; and the number of the message in that call. */
static inline const struct viz_operation *pair_cork_last(const struct flow_item *item)
{
	return item->datagram.cork && item->datagram.cork->flush ? item->datagram.cork->flush
								 : item->op;
}

static inline uint32_t pair_cork_last_message(const struct flow_item *item)
{
	return item->datagram.cork && item->datagram.cork->flush
		       ? item->datagram.cork->flush_message
		       : item->message;
}

/*
 * Splits a message of a corked datagram before it is passed on: it becomes the message of the first
 * send, and a message is added for each other send. Does nothing to other messages.
 */
void pair_cork_split(struct pair_context *context, struct viz_message *message);

#endif
