/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One flow: what goes into a channel in one direction, and what comes out, first in first out.
 * The unit is a byte (streams), a whole message (datagrams, queues) or 1 (counters): both sides
 * are sequences of amounts, joined by range. Private to the pair_*.c files.
 *
 * What is certain about the order on one side? Some k operations form a firm beginning if no
 * other one can have moved anything before all of them had, that is, if
 *   - all others began after these had ended, or
 *   - the k receives that ended first needed all that anybody had begun to send by then, or
 *   - all that the k sends that began first gave was received before the next one began.
 * Between two firm cuts lies one operation, whose place is certain, or a cluster, whose order is
 * in doubt: messages from or to such operations are ambiguous.
 *
 * A flow is joined as far as it is known: each call that began before `until_ns` is in it, ended or
 * open. What lies before the last firm cut is joined and leaves the flow; the rest waits.
 */
#ifndef VIZ_PAIR_FLOW_H
#define VIZ_PAIR_FLOW_H

#include "arena.h"
#include "line.h"
#include "pair.h"

struct flow_item {
	const struct viz_operation *op;
	const struct viz_channel *source; /* datagrams: the sending socket, NULL: outside */
	uint32_t message;		  /* sendmmsg, recvmmsg: which of its messages */
	bool open;			  /* unfinished send: nobody knows how much of it went */
	bool type_known;		  /* a fact, not the queue's rule applied */
	bool doubt;			  /* flow_join(): the place is not certain */
	bool urgent;			  /* sent with MSG_OOB, and its last byte not taken so */
	bool unsure;	  /* UDP: another receive may have taken what this one names */
	bool unsure_ever; /* and that receive is settled */
	uint64_t seen_ns; /* UDP: a receive saw it waiting then, the last that we know of */
	size_t not_taken; /* UDP: so many of the datagrams that it names are others' */
	uint64_t local;	  /* where it begins in the operation's own bytes */
	uint64_t bytes;
	uint64_t amount; /* in the flow's units */
	uint64_t enter_ns;
	uint64_t exit_ns;
	int64_t type;		      /* queues: message type or priority */
	bool many;		      /* UDP: sent to a group, or to all; others may have it too */
	bool copy;		      /* datagrams: another socket has it before this one */
	bool echo;		      /* terminals: what the line sends back to who wrote `op` */
	const struct line_text *line; /* terminals: what came out, where it is not what went in */
	uint64_t start;		      /* flow_join(): place in the flow, in units */
	uint64_t used;		      /* flow_join(): how much of it was joined */
	/* pair_place.h; `lo` and `hi` bound what lies between, as places */
	bool placed;
	bool held;   /* pipes: what it wrote lies together, whoever else wrote meanwhile */
	size_t turn; /* pair_turns.h: 0 the whole call, else the how manieth of its turns */
	uint64_t lo, hi;
	uint64_t from, to, split;
	uint64_t begin_ns, behind;   /* it moved nothing before: pair_slept.c */
	uint64_t place_lo, place_hi; /* receives: lo and hi, when these are on the ruler */
};

struct flow_side {
	struct flow_item *items;
	size_t count;
	size_t capacity;
};

/* UDP: a pair that is certain; messages leave the queue in the order in which they came into it. */
struct flow_known {
	struct flow_item send, receive;
	bool queued; /* while it was sent */
};

/* UDP: it lay in the queue when its send returned, and it lay there still. */
struct flow_seen {
	uint64_t sent_ns, seen_ns;
};

struct flow {
	struct flow_side sends;
	struct flow_side receives;
	uint64_t until_ns;	  /* VIZ_NEVER: all is known, and nothing may be left */
	uint64_t open_receive_ns; /* when the first receive that is under way began; VIZ_NEVER */
	bool whole;		  /* units are whole messages: sizes can contradict */
	bool payloads;		  /* units are bytes of payload, which can contradict */
	bool doubt;	/* nothing is certain: records are missing, or evidence contradicts */
	bool unordered; /* not even the order of one thread's calls is certain */
	bool guess;	/* the same, for what is joined now */
	struct flow_known *known; /* of this round, where any receive was unsure */
	size_t known_count;
	struct flow_seen *seen;
	size_t seen_count;
	bool wait;	    /* something that its evidence means is still to come */
	bool sent;	    /* somebody here has sent something, ever */
	uint64_t base;	    /* pair_placed.c: a place of TCP near the latest ones */
	uint64_t gone_to;   /* the same: the place up to which all sends were taken */
	uint64_t placed_ns; /* the same: as far as receives have their places */
	/* The same: when a receive last took what nobody here is known to have sent. */
	uint64_t unknown_ns;
	bool urgent;  /* bytes may have left the stream on another way */
	bool foreign; /* something came out that nobody here has sent */
};

/* Where a send and a receive meet; one of them is NULL for what only the other one has. */
struct flow_piece {
	const struct flow_item *send;
	const struct flow_item *receive;
	uint64_t start; /* place in the flow, in units */
	uint64_t amount;
};

static inline void flow_add(struct flow_side *side, const struct flow_item *item)
{
	LIST_PUSH(side, *item);
}

void flow_free(struct flow_side *side);
void flow_put_back(struct flow_side *side, struct flow_side *rest); /* frees the rest */
void flow_sort(struct flow_side *side);				    /* by beginning */
void flow_sort_ends(struct flow_side *side);

/*
 * Orders both sides, gives each item its place, and joins what is firm: an array of pieces in the
 * flow's order. flow->doubt is set where the pieces contradict what else is known.
 */
struct flow_piece *flow_join(struct arena *arena, struct flow *flow, size_t *count);

/* A pair that cannot be: larger than it was sent, other bytes; though both places are certain. */
bool flow_contradicts(const struct flow *flow, const struct flow_piece *piece);

/* What the trace kept of `len` bytes of an item from `offset` on; may be shorter. */
struct viz_bytes flow_payload(const struct flow_item *item, uint64_t offset, uint64_t len);

#endif
