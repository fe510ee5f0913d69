/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Urgent data (MSG_OOB), which leaves the byte stream. Private to viz/pair. */
#ifndef VIZ_PAIR_POLICY_URGENT_H
#define VIZ_PAIR_POLICY_URGENT_H

#include "viz/pair/core/context.h"

/*
 * urgent.c: pairs urgent sends of the flow with the urgent receives in `urgent` (may be NULL), adds
 * their messages, and empties `urgent`. Returns how many urgent sends, from the first on, are
 * matched exactly, so that their last byte is not in the stream. Behind these, no place in the
 * stream is exact.
 */
size_t pair_urgent(struct pair_context *context, const struct pair_route *route, struct flow *flow,
		   struct flow_side *urgent);
bool pair_is_urgent(const struct viz_operation *op);

/*
 * Adds the message of an urgent byte; `send` NULL: its sender is unknown, and the match ambiguous.
 */
void pair_add_urgent(struct pair_context *context, const struct pair_route *route,
		     const struct flow_item *send, const struct flow_item *receive);

/*
 * urgent_exact.c: matches urgent bytes by buffers or positions, which needs no order and thus need
 * not wait for the end of the trace. pair_urgent_is_known() is true if all calls have these;
 * pair_urgent_known() adds the messages and takes the urgent bytes out of the sends, as far as the
 * sends of all possible bytes are completed.
 */
bool pair_urgent_is_known(const struct flow_side *sends, const struct channel_traffic *receiver);
void pair_urgent_known(struct pair_context *context, const struct pair_route *route,
		       struct flow *flow, struct flow_side *urgent);

/*
 * Notes that a receiver sets SO_OOBINLINE. pair_stays_inline() is true if it was set before all
 * urgent sends of a flow to that receiver, so that their bytes stay in the stream.
 */
void pair_note_inline(struct pair_context *context, const struct viz_operation *op);
bool pair_stays_inline(const struct flow_side *sends, const struct channel_traffic *receiver);

#endif
