/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Places in a pipe that holds both packets and bytes moved by splice(2), tee(2) and the like.
 * Private to viz/pair.
 */
#ifndef VIZ_PAIR_POSITION_PACKET_PLACES_H
#define VIZ_PAIR_POSITION_PACKET_PLACES_H

#include "viz/pair/position/interleave.h"

/* Like place_scale.options, for such a pipe; 0 if the item cannot begin at `at`. */
size_t packets_options(const struct placing *p, uint64_t at, const struct flow_item *item,
		       struct place_option options[PLACE_OPTIONS]);

/*
 * For sends that have their places, in order: clears `packet` of those that were merged into a
 * buffer moved from another pipe, and sets `ambiguous` where the order of two merged sends is
 * unknown.
 */
void packets_order(struct placing *p);

/*
 * True if the partial last page of a large write may have been merged into a buffer that precedes
 * its whole pages, and another call is in the group: the search cannot tell then.
 */
bool packets_may_merge(const struct placing *p, struct flow_item **items, size_t count);

/* Sets cut and fate of the message if the read truncated the packet of this piece. */
void packets_report_cut(const struct placing *p, const struct flow_piece *piece,
			struct viz_message *message);

/* Marks the packet as used up at whose middle `receive` ends: a read discards the rest of it. */
void packets_cut_off(struct placing *p, const struct flow_item *receive);

#endif
