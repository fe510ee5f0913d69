/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of `ipclens top`. */
#ifndef USER_CLI_TOP_OPTIONS_H
#define USER_CLI_TOP_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "viz/format/language.h"

struct top_options {
	struct {
		pid_t *items;
		size_t count, capacity;
	} pids;
	struct {
		const char **items;
		size_t count, capacity;
	} comms, cgroups;
	bool once, json, table, plain;
	enum language language;
	uint64_t every_ns;
	const char *metrics; /* a file; NULL: none */
	size_t pairs_most;   /* 0: not given */
};

/* Its input is a zeroed struct top_options. */
extern const struct argp top_argp;

void top_options_free(struct top_options *options);

#endif
