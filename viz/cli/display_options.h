/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Options for the look of tables and findings on stdout, and output through a pager. A child parser
 * for argp:
 *
 *	static const struct argp_child children[] = {{&shown_argp, 0, NULL, 0}, {0}};
 *	... at ARGP_KEY_INIT: state->child_inputs[0] = &shown_options;
 */
#ifndef VIZ_CLI_DISPLAY_OPTIONS_H
#define VIZ_CLI_DISPLAY_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "viz/base/terminal.h"

struct shown_options {
	bool ascii, no_pager;
	enum term_when colour;
};

extern const struct argp shown_argp; /* its input is a zeroed struct shown_options */

/*
 * Writes the text to stdout; if `pager`, through a pager when it is longer than the screen. Returns
 * 0 or -errno.
 */
int shown_put(const char *text, size_t len, const struct term *term, bool pager);

#endif
