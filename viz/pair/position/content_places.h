/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Orders sends whose calls overlap by the bytes that were received. Private to viz/pair. */
#ifndef VIZ_PAIR_POSITION_CONTENT_PLACES_H
#define VIZ_PAIR_POSITION_CONTENT_PLACES_H

#include "viz/pair/core/flow.h"

/*
 * Sorts the `count` sends from `begin` on, which lie behind `from` units of the flow, as the
 * received bytes demand; a send that can lie at more than one place is `ambiguous`. The receives
 * have their offsets, as flow_join() gives them. Returns false, and sorts nothing, if no order or
 * too many fit.
 */
bool content_places(struct arena *arena, struct flow *flow, size_t begin, size_t count,
		    uint64_t from);

#endif
