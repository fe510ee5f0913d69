// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens schema: the JSON Schema of the trace. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "schema.h"

static const char about[] =
	"Prints the JSON Schema (draft 2020-12) that each line of a trace is valid by."
	"\v"
	"Examples:\n"
	"  ipclens schema > trace.schema.json\n"
	"  ipclens schema | jq '.\"$defs\".operation.properties | keys'";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		argp_error(state, "takes no argument, so what is '%s'?", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_schema(int argc, char **argv)
{
	static const struct argp argp = {.parser = parse, .doc = about};
	struct json j = {0};
	int err = 0;

	if (command_parse(&argp, argc, argv, 0, NULL))
		return STATUS_USAGE;
	schema_write(&j);
	if (j.failed)
		err = ENOMEM;
	else if (fwrite(j.data, 1, j.len, stdout) != j.len || fflush(stdout))
		err = errno;
	json_free(&j);
	if (err && err != EPIPE)
		fprintf(stderr, "ipclens: schema: %s\n", strerror(err));
	return err && err != EPIPE ? STATUS_FAILURE : STATUS_OK;
}
