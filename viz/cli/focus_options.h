/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options --focus and --depth, of commands that can look at some processes only. */
#ifndef VIZ_CLI_FOCUS_OPTIONS_H
#define VIZ_CLI_FOCUS_OPTIONS_H

#include <argp.h>
#include <stddef.h>

#include "viz/scene/lane/focus.h"

struct focus_options {
	const char **items; /* as given, for focus_options_free(); count 0: everything is shown */
	size_t count;
	size_t depth;
};

/* Child parser for argp; its input is a struct focus_options, which it initialises. */
extern const struct argp focus_argp;

struct scene_focus focus_wanted(const struct focus_options *options);

/*
 * Says on stderr which item names nothing in the trace, and gives false; true if there is none.
 * The request has the model, and the diagnosis whose findings may be named.
 */
bool focus_is_there(const struct scene_request *request);

void focus_options_free(struct focus_options *options);

#endif
