/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Subcommands: a program (ipclens, ipclens-view) is a table of them. `run` gets its own words,
 * argv[0] being "ipclens view" or the like, for messages, and returns the exit status.
 */
#ifndef VIZ_COMMAND_H
#define VIZ_COMMAND_H

#include <argp.h>
#include <stddef.h>

#include "findings.h"

#ifndef IPCLENS_VERSION /* the Makefile says it */
#define IPCLENS_VERSION "0.0.0"
#endif

/* Exit statuses of the viewer's commands. */
enum { STATUS_OK = 0, STATUS_FAILURE = 1, STATUS_USAGE = 2 };

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help; /* one line */
};

struct command_set {
	const char *program; /* "ipclens" */
	const char *about;   /* one line for --help */
	const char
		*examples; /* lines for --help, each indented and ended by a newline; may be NULL */
	const struct command *commands;
	size_t count;
};

/*
 * Dispatches by argv[1]; knows --help, --version and `help COMMAND`, suggests the nearest name
 * for an unknown one. Returns the exit status.
 */
int command_main(const struct command_set *set, int argc, char **argv);

/*
 * argp_parse(), whose complaints about wrong usage become one line that names `--help`. Without
 * memory ENOMEM.
 */
error_t command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/* What a command reads where no TRACE is given. */
#define TRACE_DEFAULT "ipclens.ndjson"

/* At ARGP_KEY_ARG: the one argument TRACE. */
void command_trace(struct argp_state *state, char *arg, const char **trace);

/* Of an argp parser: `--option text`, a number; a number of columns from `least` to 1000. */
size_t command_count(struct argp_state *state, const char *text, const char *option);
int command_width(struct argp_state *state, const char *text, int least);

/* Options that several commands have: their rows, and what they give. */
#define COMMAND_OPTION_LANG(key)                                                                   \
	{                                                                                          \
		"lang", key, "LANGUAGE", 0, "en or de (German where LANG is)", 0                   \
	}
#define COMMAND_OPTION_FAIL_ON(key)                                                                \
	{                                                                                          \
		"fail-on", key, "SEVERITY", 0,                                                     \
			"exit with status 1 where a finding is at least error, warning or note", 0 \
	}
enum language command_language(struct argp_state *state, const char *text);
enum severity command_severity(struct argp_state *state, const char *text);

/* The viewer's commands (commands.def), for a table of more: */
#define COMMAND(name, run, help) int run(int argc, char **argv);
#define VIEWER_COMMAND COMMAND
#include "commands.def"
#undef VIEWER_COMMAND
#undef COMMAND

#endif
