/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Takes out of a thinned trace what goes as a whole, with all its calls: a short channel with its
 * peer, or a short life. Private to this folder.
 */
#ifndef VIZ_PAIR_WHOLES_H
#define VIZ_PAIR_WHOLES_H

#include "viz/pair/held.h"
#include "viz/pair/left_out.h"
#include "viz/pair/short_lives.h"

/* Calls that findings ask for, ordinary as they are. A zeroed one, but for the arena, has none. */
struct wanted_calls {
	struct arena *arena;
	struct map refused;	/* processes by index of which a send found no room */
	struct map transferred; /* channels by index out of which splice(2) and its like took */
};

/* Notes a call that may make others wanted. */
void wanted_note(struct wanted_calls *wanted, const struct viz_operation *op);
bool wanted_call(const struct wanted_calls *wanted, const struct viz_operation *op);

/* Each takes it out if nobody else has a reference to any of its calls, and findings need none. */
void whole_forget_channel(struct held *held, struct left_out *left_out,
			  const struct wanted_calls *wanted, struct short_channel *s);
void whole_forget_life(struct held *held, struct left_out *left_out,
		       const struct wanted_calls *wanted, const struct short_life *life);

#endif
