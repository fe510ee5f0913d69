/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TCP sockets of one trace, and when which of their bytes were sent and received: what one pass
 * through the trace keeps, to find the connections that have their other end in another trace.
 * Sequence numbers are the same at both ends, whatever lies between.
 */
#ifndef VIZ_MERGE_SURVEY_H
#define VIZ_MERGE_SURVEY_H

#include "viz/merge/clock_bounds.h"
#include "viz/merge/trace_input.h"

struct survey;

struct survey *survey_new(void);	 /* never NULL */
void survey_free(struct survey *survey); /* may be NULL */

/* Notes what the current line of the trace says. */
void survey_take(struct survey *survey, const struct trace_input *input);

/*
 * Gives how many connections have one end in each of two traces. Where `bounds` is not NULL, their
 * messages are entered: from `base` to `clock` as least, from `clock` to `base` as most.
 */
size_t survey_meet(const struct survey *base, const struct survey *clock,
		   struct clock_bounds *bounds);

#endif
