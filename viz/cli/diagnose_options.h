/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The work of `ipclens diagnose`, with its options: from a trace to findings on stdout. */
#ifndef VIZ_CLI_DIAGNOSE_OPTIONS_H
#define VIZ_CLI_DIAGNOSE_OPTIONS_H

#include <argp.h>
#include <stdint.h>
#include <stdio.h>

#include "viz/cli/display_options.h"
#include "viz/cli/focus_options.h"
#include "viz/diagnose/core/findings.h"

struct diagnose_options {
	bool json;
	enum severity fail_on; /* SEVERITY_NONE: never */
	enum language language;
	struct shown_options shown;
	const uint32_t *pids; /* only findings that concern these; count 0: all */
	size_t pid_count;
	struct focus_options focus;
};

/* Child parser for argp; its input is a struct diagnose_options, which it initialises. */
extern const struct argp diagnose_argp;

/*
 * Returns an exit status (command.h): STATUS_FAILURE if --fail-on is met, STATUS_USAGE for errors.
 */
int diagnose_show(const char *trace, const struct diagnose_options *options);

/* As diagnose_show(), for an open trace; `name` is used in error messages. */
int diagnose_show_stream(FILE *trace, const char *name, const struct diagnose_options *options);

#endif
