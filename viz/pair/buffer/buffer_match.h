/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pairs receives that name their sends: the tracer saw which of the kernel's buffers (skb, msg_msg)
 * a receive took, and which send had filled it (struct viz_chunk). Private to viz/pair.
 */
#ifndef VIZ_PAIR_BUFFER_BUFFER_MATCH_H
#define VIZ_PAIR_BUFFER_BUFFER_MATCH_H

#include "viz/pair/core/context.h"

/* The send that a receive of one message names as its only source; NULL if it names none. */
const struct viz_operation *pair_named_send(const struct pair_context *context,
					    const struct viz_operation *receive);

/*
 * The send that one message of a receive names, less those that others are known to have taken
 * (udp_rival.not_taken). NULL if it names none.
 */
const struct viz_chunk *pair_chunk_of(const struct flow_item *receive);

/* UDP: a receive took its message from the queue between these two times. */
uint64_t pair_took_from(const struct flow_item *receive);
uint64_t pair_took_until(const struct flow_item *receive);

/* Notes when a receive saw the sends that it names in the queue: udp_rival.seen_ns, flow->udp. */
void pair_note_seen(struct pair_context *context, struct flow *flow, const struct map *sends,
		    const struct flow_item *receive);

/*
 * udp_rivals.c: marks receives of a UDP socket as `contested` if another receive may have taken the
 * message that they name. `settled` are the receives that have left traffic->receives.
 */
void pair_mark_overlaps(struct pair_context *context, struct channel_traffic *traffic,
			struct flow_side *settled);

/*
 * True if the receive may have taken the message of the send: by its time and length; and, for
 * pair_is_likely(), by its bytes and the room that the receive had.
 */
bool pair_can_be(const struct flow_item *send, const struct flow_item *receive);
bool pair_is_likely(const struct flow_item *send, const struct flow_item *receive);

/*
 * Adds the message of both items, ambiguous if the receive is contested, and takes both off the
 * flow.
 */
void pair_take_pair(struct pair_context *context, const struct pair_route *route,
		    struct flow_item *send, struct flow_item *receive);
/* True if the item has not been taken off its flow. */
bool pair_is_left(const struct flow_item *item);
/* As pair_take_pair(); an exact UDP pair is also kept in flow->udp. */
void pair_take_known(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route, struct flow_item *send,
		     struct flow_item *receive);

/*
 * udp_eliminate.c: pairs the contested receives that can have taken the message of one send only.
 */
void pair_match_by_elimination(struct pair_context *context, struct flow *flow,
			       const struct pair_route *route);

/* Pairs the receives of whole messages that name their send, and removes both from the flow. */
void pair_take_named(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route);

/*
 * pair_map_sends() fills `map` with the sends by operation and message, for this round.
 * pair_find_send() returns the send that a chunk names, finished or open; NULL if it is not there.
 */
void pair_map_sends(struct pair_context *context, const struct flow_side *sends, struct map *map);
struct flow_item *pair_find_send(const struct map *sends, const struct viz_chunk *chunk);

/*
 * stream_receives.c: true if any of the receives names a send; and if a receive of a stream names
 * the sends of all its bytes.
 */
bool pair_names_any(const struct flow_side *receives);
bool pair_names_all(const struct flow_item *receive);

/*
 * stream_receives.c: pairs the receives of a stream that name the sends of their bytes, and removes
 * the named bytes of both sides from the flow.
 */
void pair_take_chunks(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route);

#endif
