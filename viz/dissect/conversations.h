/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sorts messages into conversations between two sides, and finds those that tshark is asked about:
 * they open a protocol of dissectors.def, or a server of a reserved port speaks in them, and no
 * built-in protocol knows their words.
 */
#ifndef VIZ_DISSECT_CONVERSATIONS_H
#define VIZ_DISSECT_CONVERSATIONS_H

#include "viz/base/id_map.h"
#include "viz/dissect/openings.h"
#include "viz/pair/pair.h"

enum { CONVERSATION_HEARD_LEN = 96 };

/* What one side said first, until it is known what it speaks. */
struct conversation_heard {
	unsigned char bytes[CONVERSATION_HEARD_LEN];
	size_t len;
	uint64_t total;
	unsigned turns;
};

struct conversation {
	size_t index;
	const struct dissector *dissector; /* NULL: none, but `port` may say what it is */
	uint16_t port;			   /* of a server, below 1024; 0: tshark is not asked */
	int client;			   /* the side that asks: 0 or 1; -1: not known */
	uint64_t from_ns;		   /* what was said before is of another protocol */
	bool known;			   /* a built-in protocol has words for it */
	bool stream;
	const struct viz_operation *last[2]; /* by side: the call whose bytes came last */
	uint64_t last_ns[2];
	uint32_t next[2]; /* capture.c: the next byte of each side */
	struct conversation_heard *heard[2];
};

/* A message that begins an utterance. */
struct conversation_turn {
	uint64_t at_ns;
	size_t message; /* index in the pairing */
};

struct conversations {
	struct conversation **items;
	size_t count, capacity;
	struct id_map by_ends;
	/*
	 * By time, which is not the messages' own order: those that go to an outsider come last
	 * there, after its answers. What one side of a conversation said keeps its order.
	 */
	struct conversation_turn *turns;
	size_t turn_count;
	bool *connected; /* by index of a channel: connect() was called on it */
	struct arena *arena;
};

/* What one side said at one time: a send, or a receive of an unknown sender's bytes. */
struct utterance {
	struct conversation *conversation;
	int side;
	const struct viz_operation *call;
	bool received;	  /* `call` is the receive */
	uint32_t message; /* sendmmsg, recvmmsg: index of the message in the call */
	const unsigned char *data;
	size_t len;	/* bytes that were kept */
	uint64_t total; /* bytes that it had */
	bool placed;	/* TCP: `position` is the number of its first byte */
	uint32_t position;
	uint64_t at_ns;
};

/* Reads all messages. The model and the pairing must outlive it. */
void conversations_find(struct conversations *conversations, const struct viz_model *model,
			const struct viz_pairing *pairing);
void conversations_free(struct conversations *conversations);

/* False if the message begins no utterance: its bytes are not the first of its call. */
bool conversation_utterance(struct conversations *conversations, const struct viz_message *message,
			    struct utterance *utterance);

static inline bool conversation_is_asked(const struct conversation *c)
{
	return c->dissector || (c->port && !c->known);
}

#endif
