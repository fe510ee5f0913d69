// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens diagnose: reports what went wrong in a trace. */
#include "viz/cli/command.h"
#include "viz/cli/diagnose_options.h"

struct diagnose_words {
	struct diagnose_options options;
	const char *trace;
};

static const char about[] =
	"Says what went wrong in a trace, worst first: who waits for what, held by whom, since "
	"when, and what to change. TRACE is a file or - (stdin); without it, ipclens.ndjson."
	"\v"
	"Examples:\n"
	"  ipclens diagnose lab.ndjson\n"
	"  ipclens diagnose --fail-on warning lab.ndjson || echo 'not yet'\n"
	"  ipclens diagnose --focus python3 lab.ndjson\n"
	"  ipclens diagnose --json | jq -r 'select(.severity == \"error\").text'\n"
	"  ipclens explain deadlock";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diagnose_words *words = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &words->options;
		return 0;
	case ARGP_KEY_ARG:
		command_trace(state, arg, &words->trace);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_diagnose(int argc, char **argv)
{
	static const struct argp_child children[] = {{&diagnose_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.parser = parse, .args_doc = "[TRACE]", .doc = about, .children = children};
	struct diagnose_words words = {.trace = TRACE_DEFAULT};
	int status;

	if (command_parse(&argp, argc, argv, 0, &words))
		return STATUS_USAGE;
	status = diagnose_show(words.trace, &words.options);
	focus_options_free(&words.options.focus);
	return status;
}
