/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The full-screen table of `ipclens top`: it shows intervals, heeds keys, and traces pairs. */
#ifndef USER_CLI_TOP_LIVE_H
#define USER_CLI_TOP_LIVE_H

#include "user/cli/pair_tracer.h"
#include "viz/base/terminal.h"

struct top_live;

/* NULL: the terminal cannot show it. What is needed with root's rights must have been done. */
struct top_live *top_live_open(const struct term *term, enum language language,
			       struct pair_tracer *tracer, int signals);
void top_live_close(struct top_live *live); /* NULL is accepted */

/* As top_screen_show(). */
void top_live_show(struct top_live *live, const struct top_pairs *pairs,
		   const struct top_interval *interval);

/* Heeds keys until end_ns (CLOCK_MONOTONIC). False: the user or a signal wants an end. */
bool top_live_wait(struct top_live *live, uint64_t end_ns);

#endif
