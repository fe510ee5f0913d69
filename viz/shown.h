/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables and findings on stdout: the options for how they look, and the way through a pager. A
 * child parser:
 *
 *	static const struct argp_child children[] = {{&shown_argp, 0, NULL, 0}, {0}};
 *	... at ARGP_KEY_INIT: state->child_inputs[0] = &shown_options;
 */
#ifndef VIZ_SHOWN_H
#define VIZ_SHOWN_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "term.h"

struct shown_options {
	bool ascii, no_pager;
	enum term_when colour;
};

extern const struct argp shown_argp; /* its input is a zeroed struct shown_options */

/* Through a pager where `pager` and it is longer than the screen. 0 or -errno. */
int shown_put(const char *text, size_t len, const struct term *term, bool pager);

#endif
