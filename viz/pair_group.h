/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends over UDP to a group of receivers, or to all; groups of netlink are in pair_internal.h. */
#ifndef VIZ_PAIR_GROUP_H
#define VIZ_PAIR_GROUP_H

#include "pair_internal.h"

/*
 * To whoever may have got it beside the one that the kernel told of (NULL: none); true: there is
 * somebody. Notes in the item whether it is such a send.
 */
bool pair_group_maybe(struct pair_context *context, const struct viz_channel *sender,
		      struct flow_item *item, struct viz_bytes address,
		      const struct viz_channel *told);

#endif
