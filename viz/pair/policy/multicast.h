/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP sends to a multicast group or a broadcast address. Netlink groups: pair_group_direct() in
 * context.h.
 */
#ifndef VIZ_PAIR_POLICY_MULTICAST_H
#define VIZ_PAIR_POLICY_MULTICAST_H

#include "viz/pair/core/context.h"

/*
 * Sets item->datagram.many if the address is of that kind, and adds a copy of the item to each
 * socket of the trace that may have received it, except `reported`, the one that the kernel
 * reported (NULL: none). Returns true if there is such a socket.
 */
bool pair_group_maybe(struct pair_context *context, const struct viz_channel *sender,
		      struct flow_item *item, struct viz_bytes address,
		      const struct viz_channel *reported);

#endif
