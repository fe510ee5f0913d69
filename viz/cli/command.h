/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Subcommands. A program (ipclens, ipclens-view) is a table of commands. `run` gets the arguments
 * after the program's name; argv[0] is "ipclens view" or the like, for messages. It returns the
 * exit status.
 */
#ifndef VIZ_CLI_COMMAND_H
#define VIZ_CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "viz/diagnose/core/findings.h"

#ifndef IPCLENS_VERSION /* defined by the Makefile */
#define IPCLENS_VERSION "0.0.0"
#endif

/* Exit statuses of the viewer's commands. */
enum { STATUS_OK = 0, STATUS_FAILURE = 1, STATUS_USAGE = 2 };

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help; /* one line */
	bool as_root;	  /* it needs root's rights; others give them up before they begin */
};

struct command_set {
	const char *program;  /* "ipclens" */
	const char *about;    /* one line for --help */
	const char *examples; /* lines for --help, each indented and ended by a newline; or NULL */
	const struct command *commands;
	size_t count;
};

/*
 * Runs the command named by argv[1] and returns its exit status. Handles --help, --version and
 * `help COMMAND`, and suggests the nearest name for an unknown command.
 */
int command_main(const struct command_set *set, int argc, char **argv);

/*
 * Gives up root's rights for those of the user who called sudo (caller.h), before a trace is opened
 * or a pager started. False, after a message, if that cannot be done: nothing may be shown then.
 */
bool command_drop_rights(const char *name);

/* As argp_parse(), but a usage error is reported in one line that refers to `--help`. */
error_t command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/* The trace that a command reads if no TRACE is given. */
#define TRACE_DEFAULT "ipclens.ndjson"

/* For ARGP_KEY_ARG: takes the argument TRACE, and rejects a second one. */
void command_trace(struct argp_state *state, char *arg, const char **trace);

/*
 * For use in argp parsers: parse the number of `--option text`, or a number of columns from `least`
 * to 1000; others are usage errors.
 */
size_t command_count(struct argp_state *state, const char *text, const char *option);
int command_width(struct argp_state *state, const char *text, int least);

/* The rows of options that several commands share, and parsers for their arguments. */
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

/* The viewer's commands (commands.def), for the table of a program. */
#define COMMAND(name, run, help) int run(int argc, char **argv);
#define VIEWER_COMMAND COMMAND
#include "viz/cli/commands.def"
#undef VIEWER_COMMAND
#undef COMMAND

#endif
