/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Runs: ranges of sequence numbers that the trace reports for a TCP call's bytes. Private to
 * viz/pair.
 */
#ifndef VIZ_PAIR_POSITION_TCP_RUNS_H
#define VIZ_PAIR_POSITION_TCP_RUNS_H

#include "viz/pair/position/placing.h"

/* True if the trace reports runs for all bytes of the call. */
bool runs_are_known(const struct pair_context *context, const struct flow_item *item, bool send);

/*
 * Replaces each completed call that has runs by one item for each run, whose window is its place.
 */
void runs_split(struct placing *p);

/* True if a call of this group without runs may have its bytes in several places. */
bool runs_may_be_torn(const struct placing *p, struct flow_item **items, size_t count);

#endif
