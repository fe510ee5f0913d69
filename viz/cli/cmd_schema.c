// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens schema: prints the JSON Schema of the trace. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/base/error.h"
#include "viz/cli/command.h"
#include "viz/format/fields.h"
#include "viz/format/schema.h"

static const char about[] =
	"Prints the JSON Schema (draft 2020-12) that each line of a trace is valid by."
	"\v"
	"Examples:\n"
	"  ipclens schema > trace.schema.json\n"
	"  ipclens schema --keys | grep asleep";

enum schema_key { OPTION_KEYS = 0x1000 };

static const struct argp_option options[] = {
	{"keys", OPTION_KEYS, NULL, 0,
	 "print a line for each type and each key instead, with tabs: type, key, kind, always or "
	 "sometimes, what it means",
	 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	bool *keys = state->input;

	switch (key) {
	case OPTION_KEYS:
		*keys = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "takes no argument, so what is '%s'?", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_keys(enum record record)
{
	enum field end = record_end_field(record);

	printf("%s\t\t\t\t%s\n", record_name(record), record_help(record));
	for (enum field field = record_first_field(record); field < end; field++) {
		const struct field_info *info = field_info(field);

		printf("%s\t%s\t%s\t%s\t%s\n", record_name(record), info->key, info->kind_word,
		       info->presence == PRESENCE_ALWAYS ? "always" : "sometimes", info->help);
	}
}

static int print_all_keys(void)
{
	for (enum record record = RECORD_NONE + 1; record < RECORD_COUNT; record++)
		print_keys(record);
	return fflush(stdout) ? errno : 0;
}

static int print_schema(void)
{
	struct json j = {0};
	int err = 0;

	schema_write(&j);
	if (j.failed)
		err = ENOMEM;
	else if (fwrite(j.data, 1, j.len, stdout) != j.len || fflush(stdout))
		err = errno;
	json_free(&j);
	return err;
}

int cmd_schema(int argc, char **argv)
{
	static const struct argp argp = {.options = options, .parser = parse, .doc = about};
	bool keys = false;
	int err;

	if (command_parse(&argp, argc, argv, 0, &keys))
		return STATUS_USAGE;
	err = keys ? print_all_keys() : print_schema();
	if (err && err != EPIPE)
		error_tell("ipclens: schema: %s", strerror(err));
	return err && err != EPIPE ? STATUS_FAILURE : STATUS_OK;
}
