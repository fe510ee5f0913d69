// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens run: traces a command, then draws the communication of its processes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/capture/live_printer.h"
#include "user/cli/capture_options.h"
#include "user/cli/commands.h"
#include "user/cli/late_picture.h"
#include "user/cli/machine_look.h"
#include "user/cli/user_messages.h"
#include "viz/base/compressor.h"
#include "viz/base/error.h"
#include "viz/base/private_file.h"
#include "viz/cli/command.h"
#include "viz/cli/view.h"

struct run_options {
	struct capture_options capture;
	struct view_options view;
	struct late_look look;
	struct late_picture picture;
	const char *trace; /* where the trace is kept; NULL: in an unnamed file */
	int reading;	   /* the trace, to be drawn; -1 before it is opened */
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
	"  sudo ipclens run --diagnose-only --fail-on warning -- ./lab && echo done\n"
	"  sudo ipclens run --live -- ./server       each message as it comes\n"
	"  sudo ipclens run --trace t.ndjson -- ./lab      then: ipclens view t.ndjson\n"
	"  sudo ipclens run -o picture.txt --mechanism pipe -- ./lab\n";

/* Fewer bytes cut most protocols off before they have said anything. */
enum { PAYLOAD_FOR_TSHARK = 1024 };
#define PAYLOAD_NOT_GIVEN UINT32_MAX

enum { OPTION_TRACE = 0x300, OPTION_DIAGNOSE_ONLY, OPTION_LIVE, OPTION_FAIL_ON };

static const struct argp_option rows[] = {
	{"trace", OPTION_TRACE, "FILE", 0, "Keep the trace in FILE, compressed if it ends in .zst",
	 0},
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
		options->capture.compress = compressor_wanted(text);
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

/* Opens a file without a name, which vanishes when it is closed. */
static int scratch_open(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* Some file systems lack O_TMPFILE; memory always works. */
	return fd >= 0 ? fd : memfd_create("ipclens-trace", MFD_CLOEXEC);
}

/* Opens the same file by its descriptor, since its name may refer to another file by now. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool is_regular(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/*
 * Returns the descriptor that the trace is written to, or -1 after a message; `*reading` is another
 * one, to read it again.
 */
static int trace_open(const struct run_options *options, int *reading)
{
	const char *why;
	int fd;

	if (!options->trace) {
		fd = scratch_open();
		*reading = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
		if (*reading < 0)
			report_error("cannot make a temporary file: %s; try --trace FILE",
				     error_reason(errno));
		return *reading < 0 ? -1 : fd;
	}
	fd = output_open(options->trace, &why);
	if (fd < 0) {
		report_error("%s: %s", options->trace, why);
		return -1;
	}
	if (!is_regular(fd)) {
		report_error("%s: is no regular file, and run reads the trace again to draw it",
			     options->trace);
		return -1;
	}
	*reading = open_again(fd);
	if (*reading < 0)
		report_error("%s: cannot be read again: %s", options->trace, error_reason(errno));
	return *reading < 0 ? -1 : fd;
}

/* Checks before the command runs that the picture can be written. */
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

/* False if it fails; on stderr it may, as whoever reads that may have seen enough. */
static bool draw(const struct run_options *options, enum view_verdict *verdict)
{
	FILE *trace = NULL;
	int status;

	if (lseek(options->reading, 0, SEEK_SET) == 0)
		trace = fdopen(options->reading, "r");
	if (!trace) {
		report_error("the trace cannot be read again: %s", error_reason(errno));
		return false;
	}
	status = view_draw_stream(stderr, trace, options->trace ? options->trace : "the trace",
				  &options->view, verdict);
	fclose(trace);
	return status == STATUS_OK || !options->view.output;
}

/* With --live, draws only if the user asked for a drawing or findings as well. */
static bool wants_drawing(const struct run_options *options)
{
	return !options->live || options->view.output ||
	       options->view.findings == VIEW_FINDINGS_ONLY;
}

/* The command's own failure takes precedence. A verdict that could not be reached is no pass. */
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
	err = trace < 0 ? -errno
			: live_child_start(live, trace, &options->view.filter,
					   options->view.language);
	if (trace >= 0)
		close(trace);
	if (err)
		report_error("--live: %s", strerror(-err));
	return !err;
}

/* The exit status of the process that draws: a verdict, or this. */
enum { NOT_DRAWN = VIEW_FAILS + 1 };

static int draw_late(void *context)
{
	struct run_options *options = context;
	enum view_verdict verdict = VIEW_UNKNOWN;

	return draw(options, &verdict) ? (int)verdict : NOT_DRAWN;
}

/* What starts tshark is forked while a program can still be executed. */
static bool picture_prepare(struct run_options *options)
{
	int err = 0;

	if (options->view.dissect && wants_drawing(options))
		err = late_picture_prepare(&options->picture, draw_late, options);
	if (err)
		report_error("--dissect: %s", strerror(-err));
	return !err;
}

static bool picture_draw(struct run_options *options, enum view_verdict *verdict)
{
	int status;

	if (options->picture.pid <= 0)
		return command_drop_rights("ipclens run") && draw(options, verdict);
	status = late_picture_draw(&options->picture);
	if (status < 0)
		report_error("the picture was not drawn: the process that draws it was ended");
	if (status < 0 || status >= NOT_DRAWN)
		return false;
	*verdict = (enum view_verdict)status;
	return true;
}

static int trace_and_draw(struct run_options *options)
{
	struct capture_result result;
	struct live_child live = {0};
	enum view_verdict verdict = VIEW_UNKNOWN;
	bool drawn = true;
	int err;

	if (!live_start(options, &live))
		return STATUS_OWN_FAILURE;
	err = capture_run(&options->capture, &result);
	live_child_end(&live);
	late_look_end(&options->look);
	if (err) {
		report_error("%s", result.error);
		return STATUS_OWN_FAILURE;
	}
	report_problems(&options->capture, &result);
	if (!result.exec_error && wants_drawing(options))
		drawn = picture_draw(options, &verdict);
	if (!drawn)
		return STATUS_OWN_FAILURE;
	if (!options->view.fail_on)
		verdict = VIEW_PASSES;
	return judge(capture_exit_status(&result), verdict);
}

static int run(struct run_options *options)
{
	int status = STATUS_OWN_FAILURE;

	if (!report_ready() || !picture_writable(options))
		return STATUS_OWN_FAILURE;
	late_look_prepare(&options->look, &options->capture);
	options->capture.output = trace_open(options, &options->reading);
	if (options->capture.output < 0)
		return STATUS_OWN_FAILURE;
	options->capture.output_follows = options->view.output;
	if (picture_prepare(options))
		status = trace_and_draw(options);
	late_picture_end(&options->picture);
	return status;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&capture_argp, 0, "Tracing:", 0}, {&view_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {rows, parse, "-- COMMAND [ARGUMENT...]", doc, children,
					 0,    0};
	struct run_options options = {
		.view = VIEW_OPTIONS_DEFAULT, .look = {.go = -1}, .reading = -1};
	uint32_t usual_payload;
	int status;

	options.view.findings = VIEW_FINDINGS_BRIEF;
	capture_defaults(&options.capture);
	usual_payload = options.capture.tracer.payload_len;
	options.capture.tracer.payload_len = PAYLOAD_NOT_GIVEN;
	argp_err_exit_status = STATUS_OWN_FAILURE;
	if (command_parse(&argp, argc, argv, ARGP_IN_ORDER, &options))
		return STATUS_OWN_FAILURE;
	if (options.capture.tracer.payload_len == PAYLOAD_NOT_GIVEN)
		options.capture.tracer.payload_len = options.view.dissect ? PAYLOAD_FOR_TSHARK
									  : usual_payload;
	if (options.live && options.view.fail_on && !wants_drawing(&options))
		options.view.findings = VIEW_FINDINGS_ONLY; /* to show the reason */
	status = run(&options);
	view_options_free(&options.view);
	secrets_free(&options.capture.secrets);
	return status;
}
