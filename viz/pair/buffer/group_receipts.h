/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which receives of a socket of a UDP group are exact, though it may not have got all messages of
 * its group (flow->group).
 */
#ifndef VIZ_PAIR_BUFFER_GROUP_RECEIPTS_H
#define VIZ_PAIR_BUFFER_GROUP_RECEIPTS_H

#include "viz/pair/core/context.h"

/*
 * True if elimination may decide which message a receive took: its source is known, and it took its
 * message after all messages that were paired tentatively had left the queue.
 */
bool pair_group_is_certain(const struct channel_traffic *traffic, const struct flow_item *receive);
/* Notes the exact pairs of the flow, for pair_group_is_certain() and pair_group_passed(). */
void pair_group_know(struct channel_traffic *traffic, const struct flow *flow);
/*
 * True if the send's message cannot be what the receive took: a message that came into the queue
 * later had left it before.
 */
bool pair_group_passed(const struct channel_traffic *traffic, const struct flow_item *send,
		       const struct flow_item *receive);
/* Notes the pairs that were made by order alone, which is tentative in a group. */
void pair_group_tentative(struct channel_traffic *traffic, const struct flow_piece *pieces,
			  size_t count);

#endif
