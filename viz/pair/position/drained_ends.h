/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the last byte of an empty pipe lay. read(2) moves on in a buffer, whose end stays; but
 * splice(2) into a file only sets the length of what it has written whole to 0, so that the end
 * seems to be where that part began (fs/splice.c, iter_file_splice_write). What other calls saw of
 * the same buffer tells. Private to viz/pair.
 */
#ifndef VIZ_PAIR_POSITION_DRAINED_ENDS_H
#define VIZ_PAIR_POSITION_DRAINED_ENDS_H

#include "viz/pair/core/context.h"

struct placing;

/* How far the buffer before `head` was filled, as some call saw it. */
struct drained_end {
	uint32_t head, end;
};

struct drained_ends {
	struct drained_end *items; /* by head, one for each */
	size_t count;
};

/* Collects them, if a call of the flow has spliced into a file. */
void drained_ends_find(struct placing *p);

/* The end of the last buffer at a position. */
uint32_t drained_end_at(const struct drained_ends *ends, const struct viz_position *position);

#endif
