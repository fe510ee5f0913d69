/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Prints the messages of a trace while it is being written, one line each, as they are received. */
#ifndef VIZ_REPORT_LIVE_LINES_H
#define VIZ_REPORT_LIVE_LINES_H

#include <stdio.h>

#include "viz/format/language.h"
#include "viz/message/filter.h"

/*
 * Follows `trace` until its trailer, or until `ends` is readable or hung up, and prints to `out`
 * the messages that pass the filter, in that language. Returns 0 or -errno, after an explanation on
 * `out`.
 */
int live_print(FILE *out, FILE *trace, int ends, const struct viz_filter *filter,
	       enum language language);

#endif
