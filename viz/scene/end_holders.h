/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who had an end of a channel at a time, however many had it before and after. */
#ifndef VIZ_SCENE_END_HOLDERS_H
#define VIZ_SCENE_END_HOLDERS_H

#include "viz/base/arena.h"
#include "viz/model/model.h"

struct end_holders;

/* Those that ever had the end of the channel with this access; all memory is the arena's. */
struct end_holders *end_holders_new(struct arena *arena, const struct viz_channel *channel,
				    enum access access);

/*
 * Returns one that had it at at_ns, in the order in which they got it, and sets *next behind it;
 * *next is 0 for the first one. NULL: there are no more. Takes O(log n) of n holders.
 */
const struct viz_holding *end_holders_at(const struct end_holders *holders, uint64_t at_ns,
					 size_t *next);

#endif
