// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 32

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

/* How many letters to insert, delete or change to make one of the other (Levenshtein). */
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

/* NULL where nothing is near. */
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

	fprintf(stderr, "%s: there is no command '%s'", set->program, name);
	if (nearest)
		fprintf(stderr, "; did you mean '%s'?\n", nearest->name);
	else
		fprintf(stderr, "; '%s --help' lists them\n", set->program);
	return STATUS_USAGE;
}

/* Its argv[0] is "ipclens view": what its own messages and usage lines begin with. */
static int run_command(const struct command_set *set, const struct command *command, int argc,
		       char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %s", set->program, command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

/* `help COMMAND` is `COMMAND --help`. */
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
	return STATUS_OK;
}

int command_main(const struct command_set *set, int argc, char **argv)
{
	const struct command *command;

	argp_err_exit_status = STATUS_USAGE;
	if (argc < 2) {
		print_help(set, stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("%s %s\n", set->program, IPCLENS_VERSION);
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return run_help(set, argc, argv);
	command = find_command(set, argv[1]);
	if (!command)
		return fail_unknown(set, argv[1]);
	return run_command(set, command, argc - 1, argv + 1);
}

/* --- wrong usage: one line --- */

/* The parser that command_parse() was given, and where argp's complaints go meanwhile. */
struct parsing {
	const struct argp *argp;
	void *input;
	const char *name;
	FILE *errors;
};

/*
 * argp complains in two lines or three, of which the last "Try `NAME --help' or …". What stands
 * before them becomes one line; where nothing does, getopt has said it on stderr already.
 */
static ssize_t write_error(void *cookie, const char *text, size_t len)
{
	const struct parsing *parsing = cookie;
	const char *end = memchr(text, '\n', len);

	if (len >= 4 && memcmp(text, "Try ", 4) == 0)
		return (ssize_t)len;
	fprintf(stderr, "%.*s; see '%s --help'\n", (int)(end ? (size_t)(end - text) : len), text,
		parsing->name);
	return (ssize_t)len;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	error_t err;

	if (key == ARGP_KEY_INIT && parsing->errors)
		state->err_stream = parsing->errors;
	if (!parsing->argp->parser)
		return ARGP_ERR_UNKNOWN;
	state->input = parsing->input;
	err = parsing->argp->parser(key, arg, state);
	state->input = parsing;
	return err;
}

error_t command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	struct parsing *parsing = malloc(sizeof(*parsing)); /* argp may exit: not on the stack */
	struct argp outer = *argp;
	error_t err;

	if (!parsing)
		return ENOMEM;
	*parsing = (struct parsing){.argp = argp, .input = input, .name = argv[0]};
	parsing->errors = fopencookie(parsing, "w", (cookie_io_functions_t){.write = write_error});
	outer.parser = parse;
	err = argp_parse(&outer, argc, argv, flags, NULL, parsing);
	if (parsing->errors)
		fclose(parsing->errors);
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
