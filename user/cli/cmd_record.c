// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens record: traces a command, or running processes, into a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/cli/capture_options.h"
#include "user/cli/commands.h"
#include "user/cli/machine_look.h"
#include "user/cli/user_messages.h"
#include "viz/base/compressor.h"
#include "viz/base/private_file.h"
#include "viz/cli/command.h"

struct record_options {
	struct capture_options capture;
	const char *output;
};

static const char doc[] =
	"Trace a command and its children, or processes that run already, into a file: one JSON "
	"object "
	"a line."
	"\vThe command runs as you, also under sudo. The trace goes to ipclens.ndjson unless -o "
	"says "
	"otherwise; `-o -` streams it to stdout, and the command's own stdout moves to stderr. The "
	"exit "
	"status is the command's (128+n for a signal, 124 after --timeout, 125 where ipclens "
	"failed, "
	"126 or 127 where the command cannot be executed).\n\n"
	"Examples:\n"
	"  sudo ipclens record -- sh -c 'ls | wc'      then: ipclens view\n"
	"  sudo ipclens record -o t.ndjson -- ./lab\n"
	"  sudo ipclens record -o t.ndjson.zst -- ./lab-that-talks-much\n"
	"  sudo ipclens record --timeout 5 -- ./lab-that-hangs\n"
	"  sudo ipclens record -o - -- ./lab | jq 'select(.type == \"operation\")'\n"
	"  sudo ipclens record -p 812 --children        until Ctrl-C\n"
	"  sudo ipclens record --comm redis-server --timeout 10\n";

static const struct argp_option rows[] = {
	{"output", 'o', "FILE", 0,
	 "Write the trace to FILE, compressed if it ends in .zst, or to stdout (-)", 0},
	{0},
};

static void targets_check(const struct capture_options *capture, struct argp_state *state)
{
	bool selected = selection_any(&capture->selection);

	if (!capture->command && !selected)
		argp_error(state, "a command to trace is needed, as in: ipclens record -- ls; or a "
				  "running process: ipclens record -p PID");
	if (capture->command && selected)
		argp_error(state,
			   "either a command or running processes (-p, -a, --comm, --cgroup), "
			   "not both");
	if (capture->tracer.lossless && selected)
		argp_error(state,
			   "--lossless goes with a command: what runs already is in no cgroup "
			   "of its own that could be held");
	if (capture->selection.children && !capture->selection.pid_count)
		argp_error(state, "--children goes with -p");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct record_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->capture;
		state->child_inputs[1] = &options->capture.selection;
		return 0;
	case 'o':
		options->output = text;
		return 0;
	case ARGP_KEY_ARGS:
		options->capture.command = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		targets_check(&options->capture, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int output_prepare(struct record_options *options)
{
	const char *why;

	options->capture.output = output_open(options->output, &why);
	if (options->capture.output < 0) {
		report_error("%s: %s", options->output, why);
		return -1;
	}
	options->capture.stdout_to_stderr = strcmp(options->output, "-") == 0;
	options->capture.compress = compressor_wanted(options->output);
	return 0;
}

static void report_written(const struct record_options *options,
			   const struct capture_result *result)
{
	bool is_default = strcmp(options->output, TRACE_DEFAULT) == 0;

	if (options->capture.stdout_to_stderr || result->exec_error || result->output_error)
		return;
	report_error("%s: %llu operations, %llu signal events, %llu lost; next: ipclens view%s%s",
		     options->output, (unsigned long long)result->operations,
		     (unsigned long long)result->signals, (unsigned long long)result->lost,
		     is_default ? "" : " ", is_default ? "" : options->output);
}

int cmd_record(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&capture_argp, 0, "Tracing:", 0},
		{&selection_argp, 0, "Instead of a command:", 0},
		{0}};
	static const struct argp argp = {rows, parse, "[-- COMMAND [ARGUMENT...]]", doc, children,
					 0,    0};
	struct record_options options = {.output = TRACE_DEFAULT};
	struct capture_result result;
	struct late_look look;
	int err;

	capture_defaults(&options.capture);
	argp_err_exit_status = STATUS_OWN_FAILURE;
	if (command_parse(&argp, argc, argv, ARGP_IN_ORDER, &options))
		return STATUS_OWN_FAILURE;
	options.capture.selection.kernel.peers = options.capture.tracer.selection.peers;
	options.capture.tracer.selection = options.capture.selection.kernel;
	if (!report_ready())
		return STATUS_OWN_FAILURE;
	late_look_prepare(&look, &options.capture);
	if (output_prepare(&options)) {
		late_look_end(&look);
		return STATUS_OWN_FAILURE;
	}
	err = capture_run(&options.capture, &result);
	late_look_end(&look);
	if (err) {
		report_error("%s", result.error);
		return STATUS_OWN_FAILURE;
	}
	close(options.capture.output);
	report_problems(&options.capture, &result);
	report_written(&options, &result);
	secrets_free(&options.capture.secrets);
	return capture_exit_status(&result);
}
