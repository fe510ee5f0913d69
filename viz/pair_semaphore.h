/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An eventfd that counts as a semaphore gives one unit to each read, so that it is joined as a
 * stream of units. The kernel says what it held; where no call acted meanwhile, that must be what
 * the calls before had added and not taken. If not, somebody acts whom we do not see, or calls were
 * lost: from there on each unit has its place by what the kernel says, and no pair is certain.
 * Private to pair_*.c.
 */
#ifndef VIZ_PAIR_SEMAPHORE_H
#define VIZ_PAIR_SEMAPHORE_H

#include "pair_internal.h"

/*
 * Joins a flow by what the kernel says that it held. false: the calls that are here explain all of
 * that, or it was said of none; nothing is joined then.
 */
bool pair_semaphore(struct pair_context *context, struct channel_traffic *traffic,
		    struct flow *flow, const struct pair_route *route);

#endif
