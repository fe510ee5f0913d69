// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ipclens diagnose: what went wrong in a trace, or what a process that hangs now waits for. The
 * latter is diagnosed from a trace of one instant: all threads of the machine, what each sleeps in,
 * and what each process holds (bpf/hooks/glance_files.bpf.h). No hook is attached, so no process is
 * slowed down, unless one that is asked about runs: then its calls are counted for a moment.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/cli/capture_options.h"
#include "user/cli/commands.h"
#include "user/cli/machine_look.h"
#include "user/cli/user_messages.h"
#include "viz/cli/command.h"
#include "viz/cli/diagnose_options.h"

struct words {
	struct diagnose_options options;
	struct selection selection;
	const char *trace;
};

static const char about[] =
	"Says what went wrong, worst first: who waits for what, held by whom, since when, and what "
	"to change. In a trace: TRACE is a file or - (stdin); without it, ipclens.ndjson. Or, with "
	"-p, of processes that hang now and were never traced."
	"\v"
	"Examples:\n"
	"  sudo ipclens diagnose -p 812             why does it not go on?\n"
	"  ipclens diagnose lab.ndjson\n"
	"  ipclens diagnose --fail-on warning lab.ndjson || echo 'not yet'\n"
	"  ipclens diagnose --focus python3 lab.ndjson\n"
	"  ipclens diagnose --json | jq -r 'select(.severity == \"error\").text'\n"
	"  ipclens explain deadlock";

static const struct argp_option rows[] = {
	{"pid", 'p', "PID", 0,
	 "No trace: look at this process as it is, and at all who hold what it waits for; may be "
	 "repeated",
	 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &words->options;
		return 0;
	case 'p':
		selection_add_pid(&words->selection, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		command_trace(state, arg, &words->trace);
		return 0;
	case ARGP_KEY_END:
		if (words->trace && words->selection.pid_count)
			argp_error(state, "either a trace or running processes (-p), not both");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int glance(int output, const struct selection *selection)
{
	struct capture_options capture;
	struct capture_result result;

	if (machine_look(output, selection, &capture, &result)) {
		report_error("%s", result.error);
		return -1;
	}
	report_problems(&capture, &result);
	return result.output_error;
}

static int diagnose_running(struct words *words)
{
	const struct selection *selection = &words->selection;
	char why[128];
	int output = memfd_create("ipclens-glance", MFD_CLOEXEC), status = STATUS_USAGE;
	FILE *trace = output < 0 ? NULL : fdopen(output, "r");

	if (!trace) {
		report_error("cannot keep what is to be seen: %s", strerror(errno));
		return STATUS_USAGE;
	}
	if (selection_missing(selection, why, sizeof(why)))
		report_error("%s", why);
	else if (report_ready() && !glance(output, selection) &&
		 command_drop_rights("ipclens diagnose")) {
		words->options.pids = (const uint32_t *)selection->pids;
		words->options.pid_count = selection->pid_count;
		rewind(trace);
		status = diagnose_show_stream(trace, "the machine", &words->options);
	}
	fclose(trace);
	return status;
}

int cmd_diagnose_also_running(int argc, char **argv)
{
	static const struct argp_child children[] = {{&diagnose_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = rows, .parser = parse, .args_doc = "[TRACE]", .doc = about, children};
	struct words words = {0};
	int status = STATUS_USAGE;

	if (command_parse(&argp, argc, argv, 0, &words))
		return status;
	if (words.selection.pid_count)
		status = diagnose_running(&words);
	else if (command_drop_rights(argv[0]))
		status = diagnose_show(words.trace ? words.trace : TRACE_DEFAULT, &words.options);
	selection_free(&words.selection);
	focus_options_free(&words.options.focus);
	return status;
}
