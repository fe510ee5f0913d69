/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Receives that name their sends by the kernel's own buffers. Private to pair_*.c. */
#ifndef VIZ_PAIR_NAMED_H
#define VIZ_PAIR_NAMED_H

#include "pair_internal.h"

/* The send that a receive names as its only source; NULL: it names none. */
const struct viz_operation *pair_named_send(const struct pair_context *context,
					    const struct viz_operation *receive);

/* What one message of a receive names as its source; NULL: nothing. */
const struct viz_chunk *pair_chunk_of(const struct flow_item *receive);

/* A receive of a UDP socket took its message between these. */
uint64_t pair_took_from(const struct flow_item *receive);
uint64_t pair_took_until(const struct flow_item *receive);

/* Notes when it saw the sends waiting that it names. */
void pair_note_seen(struct pair_context *context, struct flow *flow, const struct map *sends,
		    const struct flow_item *receive);

/*
 * pair_overlap.c: marks receives of a UDP socket as `unsure` where another one may have taken what
 * they name; `settled` are those that have left traffic->receives.
 */
void pair_mark_overlaps(struct pair_context *context, struct channel_traffic *traffic,
			struct flow_side *settled);

/* A message that the receive may have taken: by its time and length; and by its bytes too. */
bool pair_can_be(const struct flow_item *send, const struct flow_item *receive);
bool pair_is_likely(const struct flow_item *send, const struct flow_item *receive);

/* The message of both, which leave the flow; and whether one is still in it. */
void pair_take_pair(struct pair_context *context, const struct pair_route *route,
		    struct flow_item *send, struct flow_item *receive);
bool pair_is_left(const struct flow_item *item);
/* The same, and the flow remembers it, unless the receive is unsure. */
void pair_take_known(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route, struct flow_item *send,
		     struct flow_item *receive);

/* pair_only.c: pairs the unsure receives that can have taken one send alone. */
void pair_take_only(struct pair_context *context, struct flow *flow,
		    const struct pair_route *route);

/* Pairs the receives of whole messages that name their send, and takes both out of the flow. */
void pair_take_named(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route);

/* The sends of a flow by operation and message; the one that a chunk means, done or open. */
void pair_map_sends(struct pair_context *context, const struct flow_side *sends, struct map *map);
struct flow_item *pair_find_send(const struct map *sends, const struct viz_chunk *chunk);

/* A receive of a stream names the sends of all its bytes. */
bool pair_names_all(const struct flow_item *receive);

/* The same of a stream, whose receives name the sends of all their bytes. */
void pair_take_chunks(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route);

#endif
