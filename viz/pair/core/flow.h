/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One flow: what goes into a channel in one direction, and what comes out, first in first out.
 * The unit is a byte (streams), a whole message (datagrams, queues) or 1 (counters): both sides
 * are sequences of amounts, joined by range. Private to viz/pair.
 *
 * What is certain about the order on one side? Some k operations form a firm beginning if no
 * other one can have moved anything before all of them had, that is, if
 *   - all others began after these had ended, or
 *   - the k receives that ended first needed all that sends had begun to send by then, or
 *   - all that the k sends that began first gave was received before the next one began.
 * Between two firm cuts lies one operation, whose place is certain, or a cluster, whose order is
 * not known: messages from or to the operations of a cluster are ambiguous.
 *
 * A flow is joined as far as it is known: each call that began before `until_ns` is in it, ended or
 * open. What lies before the last firm cut is joined and leaves the flow; the rest waits.
 */
#ifndef VIZ_PAIR_CORE_FLOW_H
#define VIZ_PAIR_CORE_FLOW_H

#include "viz/base/arena.h"
#include "viz/pair/core/flow_item.h"

struct flow_side {
	struct flow_item *items;
	size_t count;
	size_t capacity;
};

/*
 * UDP: an exact pair. Messages leave the queue in the order in which they came into it, so it
 * bounds what others can have taken.
 */
struct flow_known {
	struct flow_item send, receive;
	bool queued; /* the message was in the queue before its send returned */
};

/* UDP: a message lay in the queue when its send returned, and was still there after seen_ns. */
struct flow_seen {
	uint64_t sent_ns, seen_ns;
};

/* UDP: what the exact pairs of this round prove. Owner: viz/pair/buffer. */
struct udp_evidence {
	struct flow_known *known;
	size_t known_count;
	struct flow_seen *seen;
	size_t seen_count;
};

/*
 * What the position stage keeps of a flow from round to round. Owner:
 * viz/pair/position/position_match.c.
 */
struct stream_progress {
	uint64_t base;	     /* TCP: a place near the latest ones, in 64 bits */
	uint64_t taken_to;   /* the place up to which all sends were taken */
	uint64_t placed_ns;  /* receives that ended before have their positions */
	uint64_t unknown_ns; /* the latest end of a call that took bytes of an unknown send */
};

struct flow {
	struct flow_side sends;
	struct flow_side receives;
	uint64_t until_ns; /* all calls that began before are in it; VIZ_NEVER: end of the trace */
	uint64_t open_receive_ns; /* start of the first receive under way; VIZ_NEVER: none */
	/*
	 * Start of the first receive under way that may sleep with a part of its bytes taken
	 * (operation_waits_for_all()); VIZ_NEVER: none.
	 */
	uint64_t open_part_ns;
	bool whole;	   /* units are whole messages: sizes can contradict */
	bool packets;	   /* units are bytes, but some sends are packets: packet_pipe.c */
	bool merges;	   /* buffers of another pipe were moved in; packets may join them */
	bool payloads;	   /* payloads can be compared */
	bool ambiguous;	   /* from now on: records are missing, or evidence contradicts */
	uint64_t doubt_ns; /* what was not received before is ambiguous; 0: nothing for that */
	bool unordered;	   /* not even the order of one thread's calls is certain */
	bool renumbered;   /* positions began anew meanwhile, so they are no evidence */
	bool tentative;	   /* what is paired in this round is ambiguous */
	bool group;	   /* UDP: some sends may not have come here (datagram_way.copy) */
	struct udp_evidence udp;
	bool wait; /* a call that the evidence refers to is still to come */
	bool sent; /* it has had a send, in this round or an earlier one */
	struct stream_progress stream;
	/*
	 * Orders `count` sends from `begin` on, of which only the order is open, by what the
	 * receives, laid one behind the other, have got: position/content_places.h. NULL: nobody
	 * does.
	 */
	bool (*order_sends)(struct arena *arena, struct flow *flow, size_t begin, size_t count,
			    uint64_t from);
	bool urgent;  /* urgent bytes may have left the stream out of order */
	bool foreign; /* something was received that no process of the trace has sent */
};

/* A range that a send and a receive share; one of them is NULL if the other one has no partner. */
struct flow_piece {
	const struct flow_item *send;
	const struct flow_item *receive;
	uint64_t start; /* offset in the flow, in units */
	uint64_t amount;
};

/* Adds a copy of the item, and takes no reference to its operation: pair_side_add() does. */
static inline void flow_add(struct flow_side *side, const struct flow_item *item)
{
	LIST_PUSH(side, *item);
}

/* Moves an item that stays towards the front, to `to`, where it may stand already. */
static inline void flow_keep(struct flow_side *side, size_t to, size_t from)
{
	if (to != from)
		side->items[to] = side->items[from];
}

void flow_free(struct flow_side *side);
void flow_trim(struct flow_side *side); /* gives back memory that it does not need for its items */
void flow_put_back(struct flow_side *side, struct flow_side *rest); /* appends rest, frees it */
void flow_drop_first(struct flow_side *side, size_t count); /* removes items, and no references */
void flow_sort(struct flow_side *side);			    /* by beginning */
void flow_sort_ends(struct flow_side *side);		    /* by end */

/*
 * Orders both sides, gives each item its offset, and pairs what is firm. Returns an array of
 * `count` pieces in the flow's order, in `arena`; NULL if there are none. Sets flow->ambiguous if
 * the pieces contradict other evidence.
 */
struct flow_piece *flow_join(struct arena *arena, struct flow *flow, size_t *count);

/*
 * True if both offsets of a piece are certain and yet the pair is impossible: more was received
 * than sent, or other bytes. Then bytes went through the flow that the trace does not have.
 */
bool flow_contradicts(const struct flow *flow, const struct flow_piece *piece);

/* True if the piece was not received before doubt_ns. */
bool flow_doubts(const struct flow *flow, const struct flow_piece *piece);

/*
 * What the trace kept of `len` bytes of an item from `offset` on. May be shorter; data is NULL if
 * nothing was kept.
 */
struct viz_bytes flow_payload(const struct flow_item *item, uint64_t offset, uint64_t len);

/* True for an operation that has returned before the round's time. */
bool flow_is_settled(const struct flow *flow, const struct flow_item *item);

#endif
