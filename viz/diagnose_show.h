/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a trace to findings on stdout: what `ipclens diagnose` does, with its options. */
#ifndef VIZ_DIAGNOSE_SHOW_H
#define VIZ_DIAGNOSE_SHOW_H

#include <argp.h>
#include <stdint.h>
#include <stdio.h>

#include "findings.h"
#include "shown.h"

struct diagnose_options {
	bool json;
	enum severity fail_on; /* SEVERITY_NONE: never */
	enum language language;
	struct shown_options shown;
	const uint32_t *pids; /* only what concerns these processes; count 0: all */
	size_t pid_count;
};

/* A child parser; its input is a struct diagnose_options, which it initialises. */
extern const struct argp diagnose_argp;

/* Gives an exit status: command.h; STATUS_FAILURE is that of --fail-on. */
int diagnose_show(const char *trace, const struct diagnose_options *options);

/* The same of an open trace; `name` is for errors. */
int diagnose_show_stream(FILE *trace, const char *name, const struct diagnose_options *options);

#endif
