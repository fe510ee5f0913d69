// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viz/base/caller.h"
#include "viz/base/error.h"
#include "viz/base/memory.h"
#include "viz/cli/describe.h"
#include "viz/cli/revision.h"

#define NAME_MAX_LEN 32

/* For docs/man/page and completions/generate; no option that --help tells of. */
#define DESCRIBE "--describe"

static const struct command *find_command(const struct command_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->commands[i].name, name))
			return &set->commands[i];
	return NULL;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/*
 * Returns the Levenshtein distance: the number of letters to insert, delete or change. Longer names
 * give their length.
 */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t len = strlen(b);

	if (len > NAME_MAX_LEN)
		return len;
	for (size_t k = 0; k <= len; k++)
		row[k] = k;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t k = 0; k < len; k++) {
			size_t above = row[k + 1];

			row[k + 1] = smallest(above + 1, row[k] + 1, diagonal + (a[i] != b[k]));
			diagonal = above;
		}
	}
	return row[len];
}

/* Returns the command with the nearest name, or NULL if none is near. */
static const struct command *nearest_command(const struct command_set *set, const char *name)
{
	const struct command *nearest = NULL;
	size_t best = 3;

	for (size_t i = 0; i < set->count; i++) {
		const struct command *command = &set->commands[i];
		size_t d = strncmp(command->name, name, strlen(name))
				   ? distance(name, command->name)
				   : 0;

		if (d < best && d < strlen(command->name)) {
			best = d;
			nearest = command;
		}
	}
	return nearest;
}

static void print_help(const struct command_set *set, FILE *out)
{
	fprintf(out, "Usage: %s COMMAND [OPTION…]\n%s\n\nCommands:\n", set->program, set->about);
	for (size_t i = 0; i < set->count; i++)
		fprintf(out, "  %-10s %s\n", set->commands[i].name, set->commands[i].help);
	if (set->examples)
		fprintf(out, "\nExamples:\n%s", set->examples);
	fprintf(out,
		"\n'%s COMMAND --help' says more; '%s --version' says which version this is.\n",
		set->program, set->program);
}

static int fail_unknown(const struct command_set *set, const char *name)
{
	const struct command *nearest = *name ? nearest_command(set, name) : NULL;

	if (nearest)
		error_tell("%s: there is no command '%s'; did you mean '%s'?", set->program, name,
			   nearest->name);
	else
		error_tell("%s: there is no command '%s'; '%s --help' lists them", set->program,
			   name, set->program);
	return STATUS_USAGE;
}

bool command_drop_rights(const char *name)
{
	int err = caller_become();

	if (err)
		error_tell("%s: cannot give up root's rights: %s", name,
			   err == -EINVAL ? "SUDO_UID and SUDO_GID do not name a user"
					  : strerror(-err));
	return !err;
}

/*
 * Past a limit of file sizes (ulimit -f) write(2) says EFBIG, and so do we; else a signal ends us.
 * Not for commands that start a process, which would inherit it: they see to it later.
 */
static void heed_file_limit(void)
{
	signal(SIGXFSZ, SIG_IGN);
}

/* Runs a command with an argv[0] like "ipclens view", which begins its messages and usage lines. */
static int run_command(const struct command_set *set, const struct command *command, int argc,
		       char **argv)
{
	char name[64], *was = argv[0];
	int status = STATUS_USAGE;

	snprintf(name, sizeof(name), "%s %s", set->program, command->name);
	argv[0] = name;
	if (command->as_root) {
		status = command->run(argc, argv);
	} else if (command_drop_rights(name)) {
		heed_file_limit();
		status = command->run(argc, argv);
	}
	argv[0] = was;
	return status;
}

/* Success if all that was printed has been written. */
static int printed(const struct command_set *set)
{
	if (fflush(stdout) == 0)
		return STATUS_OK;
	if (errno != EPIPE)
		error_tell("%s: %s", set->program, strerror(errno));
	return STATUS_FAILURE;
}

/* Runs `help COMMAND` as `COMMAND --help`. */
static int run_help(const struct command_set *set, int argc, char **argv)
{
	const struct command *command = argc > 2 ? find_command(set, argv[2]) : NULL;
	char option[] = "--help";
	char *words[] = {argc > 2 ? argv[2] : NULL, option, NULL};

	if (command)
		return run_command(set, command, 2, words);
	if (argc > 2)
		return fail_unknown(set, argv[2]);
	print_help(set, stdout);
	return printed(set);
}

int command_main(const struct command_set *set, int argc, char **argv)
{
	const struct command *command;

	argp_err_exit_status = STATUS_USAGE;
	if (argc < 2) {
		print_help(set, stderr);
		return STATUS_USAGE;
	}
	command = find_command(set, argv[1]);
	if (command)
		return run_command(set, command, argc - 1, argv + 1);
	heed_file_limit();
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("%s %s%s\n", set->program, IPCLENS_VERSION, revision_text());
		return printed(set);
	}
	if (!strcmp(argv[1], DESCRIBE)) {
		for (size_t i = 0; i < set->count; i++)
			printf("command\t%s\t%s\n", set->commands[i].name, set->commands[i].help);
		return printed(set);
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return run_help(set, argc, argv);
	return fail_unknown(set, argv[1]);
}

/* --- wrong usage: one line --- */

/* The parser given to command_parse(), and the streams for complaints and help. */
struct parsing {
	const struct argp *argp;
	void *input;
	const char *name;
	FILE *errors, *help;
	FILE *terminal; /* stderr itself; while argp works, getopt's complaints go to `errors` */
};

/*
 * Complaints of getopt and argp have two or three lines, of which the last is "Try `NAME --help' or
 * …". Prints the text before that as one harmless line: a file may be called as an option is.
 */
static ssize_t write_error(void *cookie, const char *text, size_t len)
{
	const struct parsing *parsing = cookie;
	const char *end = memchr(text, '\n', len);
	FILE *before = stderr;

	if (len >= 4 && memcmp(text, "Try ", 4) == 0)
		return (ssize_t)len;
	stderr = parsing->terminal;
	error_tell("%.*s; see '%s --help'", (int)(end ? (size_t)(end - text) : len), text,
		   parsing->name);
	stderr = before;
	return (ssize_t)len;
}

/* What argp prints on --help. A part of it would look like all of it, so a failure is the end. */
static ssize_t write_help(void *cookie, const char *text, size_t len)
{
	const struct parsing *parsing = cookie;
	size_t done = 0;

	heed_file_limit();
	while (done < len) {
		ssize_t n = write(STDOUT_FILENO, text + done, len - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (errno != EINTR) {
			stderr = parsing->terminal;
			if (errno != EPIPE)
				error_tell("%s: %s", parsing->name, strerror(errno));
			_exit(STATUS_FAILURE);
		}
	}
	return (ssize_t)len;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	error_t err;

	if (key == ARGP_KEY_INIT && parsing->errors)
		state->err_stream = parsing->errors;
	if (key == ARGP_KEY_INIT && parsing->help)
		state->out_stream = parsing->help;
	if (!parsing->argp->parser)
		return ARGP_ERR_UNKNOWN;
	state->input = parsing->input;
	err = parsing->argp->parser(key, arg, state);
	state->input = parsing;
	return err;
}

static void describe_and_exit(const struct argp *argp, const char *name)
{
	heed_file_limit();
	describe(stdout, argp);
	if (fflush(stdout) && errno != EPIPE)
		error_tell("%s: %s", name, strerror(errno));
	exit(ferror(stdout) ? STATUS_FAILURE : STATUS_OK);
}

error_t command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	struct parsing *parsing =
		memory_new(sizeof(*parsing)); /* on the heap, since argp may exit */
	struct argp outer = *argp;
	error_t err;

	if (argc == 2 && strcmp(argv[1], DESCRIBE) == 0)
		describe_and_exit(argp, argv[0]);
	*parsing = (struct parsing){.argp = argp, .input = input, .name = argv[0]};
	parsing->errors = fopencookie(parsing, "w", (cookie_io_functions_t){.write = write_error});
	parsing->help = fopencookie(parsing, "w", (cookie_io_functions_t){.write = write_help});
	parsing->terminal = stderr;
	outer.parser = parse;
	stderr = parsing->errors ? parsing->errors : stderr;
	err = argp_parse(&outer, argc, argv, flags, NULL, parsing);
	stderr = parsing->terminal;
	if (parsing->errors)
		fclose(parsing->errors);
	if (parsing->help)
		fclose(parsing->help);
	free(parsing);
	return err;
}

void command_trace(struct argp_state *state, char *arg, const char **trace)
{
	if (state->arg_num > 0)
		argp_error(state, "one trace, please: '%s' is another", arg);
	*trace = arg;
}

size_t command_count(struct argp_state *state, const char *text, const char *option)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		argp_error(state, "--%s wants a number, not '%s'", option, text);
	return value;
}

enum language command_language(struct argp_state *state, const char *text)
{
	enum language language;

	if (!language_by_name(text, &language))
		argp_error(state, "--lang wants en or de, not '%s'", text);
	return language;
}

enum severity command_severity(struct argp_state *state, const char *text)
{
	enum severity severity = severity_by_name(text);

	if (!severity)
		argp_error(state, "--fail-on wants error, warning or note, not '%s'", text);
	return severity;
}

int command_width(struct argp_state *state, const char *text, int least)
{
	enum { WIDTH_MOST = 1000 };
	size_t width = command_count(state, text, "width");

	if (width < (size_t)least || width > WIDTH_MOST)
		argp_error(state, "--width wants %d to %d columns", least, WIDTH_MOST);
	return (int)width;
}
