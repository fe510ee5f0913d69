// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens run: trace a command, then draw what its processes said to each other. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture_argp.h"
#include "commands.h"
#include "live_child.h"
#include "report.h"
#include "viz/command.h"
#include "viz/output.h"
#include "viz/view.h"

struct run_options {
	struct capture_options capture;
	struct view_options view;
	const char *trace; /* kept there; NULL: in a file without a name */
	bool live;
};

static const char doc[] =
	"Trace a command and its children; when all have ended, draw what they said to each other, "
	"then say what went wrong."
	"\vThe command runs as you, also under sudo, and its stdout stays its own: the picture "
	"goes to "
	"stderr, or to -o FILE. The exit status is the command's (128+n for a signal, 124 after "
	"--timeout, 125 where ipclens failed, 126 or 127 where the command cannot be executed). "
	"With --fail-on, it is 1 where the command's own would be 0 and a finding is that bad.\n\n"
	"Examples:\n"
	"  sudo ipclens run -- sh -c 'ls | wc'\n"
	"  sudo ipclens run --timeout 5 -- ./lab-that-hangs\n"
	"  sudo ipclens run --timeout 5 --diagnose-only -- ./lab-that-hangs\n"
	"  sudo ipclens run --diagnose-only --fail-on warning -- ./lab || echo 'not yet'\n"
	"  sudo ipclens run --live -- ./server             each message as it is received\n"
	"  sudo ipclens run --trace lab.ndjson -- ./lab      then: ipclens view lab.ndjson\n"
	"  sudo ipclens run -o picture.txt --mechanism pipe -- ./lab\n";

enum { OPTION_TRACE = 0x300, OPTION_DIAGNOSE_ONLY, OPTION_LIVE, OPTION_FAIL_ON };

static const struct argp_option rows[] = {
	{"trace", OPTION_TRACE, "FILE", 0, "Keep the trace in FILE", 0},
	{"live", OPTION_LIVE, NULL, 0,
	 "No picture: a line for each message on stderr, while the command runs", 0},
	{"diagnose-only", OPTION_DIAGNOSE_ONLY, NULL, 0,
	 "No picture: only what went wrong, as ipclens diagnose says it", 0},
	COMMAND_OPTION_FAIL_ON(OPTION_FAIL_ON),
	{0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->capture;
		state->child_inputs[1] = &options->view;
		return 0;
	case OPTION_TRACE:
		if (strcmp(text, "-") == 0)
			argp_error(state, "--trace -: run reads the trace again to draw it, so it "
					  "needs a file; to stream it: ipclens record -o -");
		options->trace = text;
		return 0;
	case OPTION_LIVE:
		options->live = true;
		return 0;
	case OPTION_DIAGNOSE_ONLY:
		options->view.findings = VIEW_FINDINGS_ONLY;
		return 0;
	case OPTION_FAIL_ON:
		options->view.fail_on = command_severity(state, text);
		return 0;
	case ARGP_KEY_ARGS:
		options->capture.command = state->argv + state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command to trace is needed, as in: ipclens run -- ls");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A file that nobody can name, gone when we are. */
static int scratch_open(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* Some file systems lack O_TMPFILE; memory has no such wishes. */
	return fd >= 0 ? fd : memfd_create("ipclens-trace", MFD_CLOEXEC);
}

/* The very file, not its name: the name may lead elsewhere by now. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Descriptor that the trace is written to; another one, `*reading`, to read it again. */
static int trace_open(const struct run_options *options, int *reading)
{
	const char *why;
	int fd;

	if (!options->trace) {
		fd = scratch_open();
		*reading = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
		if (*reading < 0)
			report_error("cannot make a temporary file: %s; try --trace FILE",
				     strerror(errno));
		return *reading < 0 ? -1 : fd;
	}
	fd = output_open(options->trace, &why);
	if (fd < 0) {
		report_error("%s: %s", options->trace, why);
		return -1;
	}
	*reading = open_again(fd);
	if (*reading < 0)
		report_error("%s: cannot be read again: %s", options->trace, strerror(errno));
	return *reading < 0 ? -1 : fd;
}

/* That the picture cannot be written should be known before the command has run. */
static bool picture_writable(const struct run_options *options)
{
	const char *why;
	int fd;

	if (!options->view.output)
		return true;
	fd = output_open(options->view.output, &why);
	if (fd < 0) {
		report_error("%s: %s", options->view.output, why);
		return false;
	}
	close(fd);
	return true;
}

static enum view_verdict draw(const struct run_options *options, int reading)
{
	enum view_verdict verdict;
	FILE *trace = NULL;

	if (lseek(reading, 0, SEEK_SET) == 0)
		trace = fdopen(reading, "r");
	if (!trace) {
		report_error("the trace cannot be read again: %s", strerror(errno));
		return VIEW_UNKNOWN;
	}
	view_draw_stream(stderr, trace, options->trace ? options->trace : "the trace",
			 &options->view, &verdict);
	fclose(trace);
	return verdict;
}

/* With --live only where it was asked for as well. */
static bool wants_drawing(const struct run_options *options)
{
	return !options->live || options->view.output ||
	       options->view.findings == VIEW_FINDINGS_ONLY;
}

/* The command's own status tells more than ours. A verdict that nobody could give is no pass. */
static int judge(int status, enum view_verdict verdict)
{
	if (status != STATUS_OK || verdict == VIEW_PASSES)
		return status;
	return verdict == VIEW_FAILS ? STATUS_FAILURE : STATUS_OWN_FAILURE;
}

static bool live_start(const struct run_options *options, struct live_child *live)
{
	int trace, err;

	if (!options->live)
		return true;
	trace = open_again(options->capture.output);
	err = trace < 0 ? -errno : live_child_start(live, trace, &options->view.filter);
	if (trace >= 0)
		close(trace);
	if (err)
		report_error("--live: %s", strerror(-err));
	return !err;
}

static int run(struct run_options *options)
{
	struct capture_result result;
	struct live_child live = {0};
	enum view_verdict verdict = VIEW_UNKNOWN;
	int reading = -1, err;

	if (!report_ready() || !picture_writable(options))
		return STATUS_OWN_FAILURE;
	options->capture.output = trace_open(options, &reading);
	if (options->capture.output < 0)
		return STATUS_OWN_FAILURE;
	if (!live_start(options, &live))
		return STATUS_OWN_FAILURE;
	err = capture_run(&options->capture, &result);
	live_child_end(&live);
	if (err) {
		report_error("%s", result.error);
		return STATUS_OWN_FAILURE;
	}
	report_problems(&options->capture, &result);
	if (!result.exec_error && wants_drawing(options))
		verdict = draw(options, reading);
	if (!options->view.fail_on)
		verdict = VIEW_PASSES;
	return judge(capture_exit_status(&result), verdict);
}

int cmd_run(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&capture_argp, 0, "Tracing:", 0}, {&view_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {rows, parse, "-- COMMAND [ARGUMENT...]", doc, children,
					 0,    0};
	struct run_options options = {.view = VIEW_OPTIONS_DEFAULT};
	int status;

	options.view.findings = VIEW_FINDINGS_BRIEF;
	capture_defaults(&options.capture);
	argp_err_exit_status = STATUS_OWN_FAILURE;
	if (command_parse(&argp, argc, argv, ARGP_IN_ORDER, &options))
		return STATUS_OWN_FAILURE;
	if (options.live && options.view.fail_on && !wants_drawing(&options))
		options.view.findings = VIEW_FINDINGS_ONLY; /* so that it is seen why */
	status = run(&options);
	view_options_free(&options.view);
	return status;
}
