/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages of a trace that is still being written, a line each, as they are received. */
#ifndef VIZ_LIVE_H
#define VIZ_LIVE_H

#include <stdio.h>

#include "filter.h"

/*
 * Follows `trace` until its trailer has come, or `ends` is readable or hung up, and prints to `out`
 * what the filter lets through. 0 or -errno; why is told on `out`.
 */
int live_print(FILE *out, FILE *trace, int ends, const struct viz_filter *filter);

#endif
