/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Urgent data (MSG_OOB), which leaves the stream. Private to pair*.c. */
#ifndef VIZ_PAIR_URGENT_H
#define VIZ_PAIR_URGENT_H

#include "pair_internal.h"

/*
 * pair_urgent.c: adds the messages of urgent bytes, whose receives are in `urgent`. How many of the
 * urgent sends, from the first on, are certain: their last byte is in no stream. Behind those no
 * place in the stream is.
 */
size_t pair_urgent(struct pair_context *context, const struct pair_route *route, struct flow *flow,
		   struct flow_side *urgent);
bool pair_is_urgent(const struct viz_operation *op);

/* The message of an urgent byte; send NULL: nobody knows whose it was. */
void pair_add_urgent(struct pair_context *context, const struct pair_route *route,
		     const struct flow_item *send, const struct flow_item *receive);

/* pair_urgent_known.c: the same where no order is needed, so that it need not wait for the end. */
bool pair_urgent_is_known(const struct flow_side *sends, const struct channel_traffic *receiver);
void pair_urgent_known(struct pair_context *context, const struct pair_route *route,
		       struct flow *flow, struct flow_side *urgent);

/* A receiver sets SO_OOBINLINE. Whether the sends of a flow to it are such from then on. */
void pair_note_inline(struct pair_context *context, const struct viz_operation *op);
bool pair_stays_inline(const struct flow_side *sends, const struct channel_traffic *receiver);

#endif
