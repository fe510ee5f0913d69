/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Large writes that slept while their pipe was full, turn by turn. Private to pair_*.c. */
#ifndef VIZ_PAIR_TURNS_H
#define VIZ_PAIR_TURNS_H

#include "pair_ruler.h"

/*
 * Replaces each settled send that the trace tells in turns by one for each of them, with a window.
 * One whose turns do not add up to what it wrote stays whole.
 */
void turns_split(struct placing *p);

/* Of sends that have their places, in order: what nobody came between is one again. */
void turns_join(struct placing *p);

#endif
