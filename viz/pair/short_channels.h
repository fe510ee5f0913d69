/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Channels that are made, used and closed within the trace, as a server has one for each client. Of
 * many such channels between the same threads those in the middle can be left out, whole. Of one
 * that is used much its middle is left out before it is known how it ends. Private to this folder.
 *
 * A short channel is a pipe, or the two sockets of a connection. It is ordinary if all calls on it
 * were successful and short, each send is one ordinary message (viz/pair/ordinary.h) and so is each
 * receive, but for those that got nothing or found the end, and each descriptor of it was closed.
 */
#ifndef VIZ_PAIR_SHORT_CHANNELS_H
#define VIZ_PAIR_SHORT_CHANNELS_H

#include "viz/base/id_map.h"
#include "viz/pair/core/traffic.h"
#include "viz/pair/ordinary.h"

struct short_calls LIST_OF(const struct viz_operation *);
struct short_eofs LIST_OF(struct viz_eof *);

/* The first exchanges, and the last ones so far: the second half, of which `next` is the oldest. */
struct short_exchanges {
	struct exchange *items;
	size_t count, capacity, next;
};

/* One pipe, or one socket, and what of the trace is its own. */
struct short_channel {
	const struct viz_channel *channel;
	struct short_channel *peer; /* sockets: the other one; NULL: it is not known */
	struct short_calls calls; /* that are ordinary without a message, and never in the middle */
	struct short_exchanges messages,
		alone; /* messages received; calls that got or moved none */
	struct short_eofs eofs;
	struct viz_connection *connection;
	size_t count,
		ordinary;   /* all calls on it; and those known to be ordinary, each in one way */
	uint64_t bytes;	    /* of all messages */
	uint64_t latest_ns; /* when it last received one; 0: never */
	size_t left;	    /* exchanges in its middle that were left out */
	size_t pending;	    /* those that lie there, and may be left out soon */
	bool stays;	    /* one of these could not: what is left of it stays, too */
	bool let_go;	    /* it is freed as soon as none is pending */
	unsigned rounds;    /* since a descriptor was closed; 0: none was */
};

/* A zeroed one has none. */
struct short_channels {
	size_t ends;		     /* so many exchanges of each kind stay at either end of one */
	struct id_map by_channel;    /* by the channel's index */
	struct id_map begun;	     /* channels of calls that have not returned, by their ids */
	struct id_map open;	     /* how many of these there are, by the channel's index */
	struct channel_list closing; /* a descriptor was closed: it may be over soon */
	size_t looked, kept;	     /* of `closing`, in this round */
};

/* Notes a call that has begun, and has not returned. */
void short_channels_begin(struct short_channels *channels, const struct viz_operation *op);

/*
 * Notes a call that has returned. True if it is ordinary without a message. A change of an epoll
 * instance is then an exchange on the channel: `middle` is as below.
 */
bool short_channels_call(struct short_channels *channels, const struct viz_operation *op,
			 struct exchange *middle);

/*
 * Keeps an ordinary exchange on a short channel; false: it is on none. If another one comes to lie
 * in its middle by that, it is in `middle`, else middle->of stays as it is. The caller tells by
 * short_channel_left() whether it could be left out.
 */
bool short_channels_add(struct short_channels *channels, const struct exchange *exchange,
			struct exchange *middle);
void short_channel_left(struct short_channel *s, bool out);

/* Keeps an end. True if it is ordinary. */
bool short_channels_eof(struct short_channels *channels, struct viz_eof *eof);
void short_channels_connection(struct short_channels *channels, struct viz_connection *connection);

/*
 * Takes the channel out if it is a short one, with its peer, as it turns out to be none; NULL: it
 * was none. The caller goes on with the exchanges of both as with any other, and frees both.
 */
struct short_channel *short_channels_give_up(struct short_channels *channels,
					     const struct viz_channel *channel);

/* The same of the channel of a call that it was told of, if that makes it none. */
struct short_channel *short_channels_leave(struct short_channels *channels,
					   const struct viz_operation *op);

/*
 * To be called once in each round, until it returns NULL: takes out a short channel and its
 * peer. If *ordinary they are over, and may be left out; else they are to be given up.
 */
struct short_channel *short_channels_over(struct short_channels *channels, bool *ordinary);

/* What it holds, the messages first. */
size_t short_channel_exchanges(const struct short_channel *s);
const struct exchange *short_channel_exchange(const struct short_channel *s, size_t number);

/* What went through it and its peer, as a length: the bytes of all messages, and how many calls. */
uint64_t short_channel_bytes(const struct short_channel *s);
size_t short_channel_calls(const struct short_channel *s);

/* Adds, each once, the calls that it and its peer hold; the first: only those in no exchange. */
void short_channel_list_plain(const struct short_channel *s, struct short_calls *all);
void short_channel_list(const struct short_channel *s, struct short_calls *all);

/* True if it does not hold all of them: some lay in the middle of it or of its peer. */
bool short_channel_lacks_some(const struct short_channel *s);

/* How many references to the call the channel, its peer, ends and connection account for. */
uint32_t short_channel_references(const struct short_channel *s, const struct viz_operation *op);

void short_channel_free_both(struct short_channel *s); /* and its peer; s may be NULL */
void short_channels_free(struct short_channels *channels);

#endif
