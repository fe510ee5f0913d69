// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens schema: prints the JSON Schema of the trace, or of what `ipclens top --json` prints. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/base/error.h"
#include "viz/cli/command.h"
#include "viz/format/schema.h"

static const char about[] = "Prints the JSON Schema (draft 2020-12) that each line of a trace is "
			    "valid by; with top: each line of `ipclens top --json`."
			    "\v"
			    "Examples:\n"
			    "  ipclens schema > trace.schema.json\n"
			    "  ipclens schema --keys | grep asleep\n"
			    "  ipclens schema top > top.schema.json";

enum schema_key { OPTION_KEYS = 0x1000 };

static const struct argp_option options[] = {
	{"keys", OPTION_KEYS, NULL, 0,
	 "print a line for each type and each key instead, with tabs: type, key, kind, always or "
	 "sometimes, what it means",
	 0},
	{0},
};

struct schema_options {
	const struct line_set *lines;
	bool keys;
};

static const struct line_set *lines_by_name(const char *name)
{
	static const struct line_set *const sets[] = {&trace_lines, &top_lines};

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (!strcmp(sets[i]->name, name))
			return sets[i];
	return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct schema_options *schema = state->input;

	switch (key) {
	case OPTION_KEYS:
		schema->keys = true;
		return 0;
	case ARGP_KEY_ARG:
		schema->lines = state->arg_num ? NULL : lines_by_name(arg);
		if (!schema->lines)
			argp_error(state,
				   "it prints the schema of trace or of top, so what is '%s'?",
				   arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_keys(const struct line_info *line)
{
	printf("%s\t\t\t\t%s\n", line->name, line->help);
	for (size_t i = 0; i < line->count; i++) {
		const struct field_info *info = &line->fields[i];

		printf("%s\t%s\t%s\t%s\t%s\n", line->name, info->key, info->kind_word,
		       info->presence == PRESENCE_ALWAYS ? "always" : "sometimes", info->help);
	}
}

static int print_all_keys(const struct line_set *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct line_info line = lines->line(i);

		print_keys(&line);
	}
	return fflush(stdout) ? errno : 0;
}

static int print_schema(const struct line_set *lines)
{
	struct json j = {0};
	int err = 0;

	schema_write(&j, lines);
	if (j.failed)
		err = ENOMEM;
	else if (fwrite(j.data, 1, j.len, stdout) != j.len || fflush(stdout))
		err = errno;
	json_free(&j);
	return err;
}

int cmd_schema(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "[trace|top]", .doc = about};
	struct schema_options schema = {.lines = &trace_lines};
	int err;

	if (command_parse(&argp, argc, argv, 0, &schema))
		return STATUS_USAGE;
	err = schema.keys ? print_all_keys(schema.lines) : print_schema(schema.lines);
	if (err && err != EPIPE)
		error_tell("ipclens: schema: %s", strerror(err));
	return err && err != EPIPE ? STATUS_FAILURE : STATUS_OK;
}
