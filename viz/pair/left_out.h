/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much a thinned trace (viz/pair/thinned.h) lacks, by process and channel. Private to this
 * folder.
 */
#ifndef VIZ_PAIR_LEFT_OUT_H
#define VIZ_PAIR_LEFT_OUT_H

#include "viz/base/arena.h"
#include "viz/model/model.h"

struct left_out {
	struct viz_model *model; /* whose list of totals grows */
	struct arena *arena;
	struct map totals; /* struct viz_ordinary, by process and channel */
};

/* Counts a call that is left out, and (the second one) what it moved through its channel. */
void left_out_count(struct left_out *left_out, const struct viz_operation *op);
void left_out_add(struct left_out *left_out, const struct viz_operation *op);

/* Notes that who sent has not kept that end of the channel for nothing. */
void left_out_sender(const struct viz_operation *op);

#endif
