// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens messages: prints the messages of a trace as JSON lines. */
#include <errno.h>
#include <unistd.h>

#include "viz/base/error.h"
#include "viz/base/progress.h"
#include "viz/cli/command.h"
#include "viz/dissect/dissect.h"
#include "viz/report/messages_json.h"

struct messages_options {
	const char *trace;
	struct viz_filter filter;
	bool follow;
	bool dissect;
};

enum { OPTION_FOLLOW = 'f', OPTION_DISSECT = 0x1000 };

static const struct argp_option rows[] = {
	{"follow", OPTION_FOLLOW, NULL, 0,
	 "At the end of TRACE wait for more, until whoever writes it ends it, or Ctrl-C", 0},
	{"dissect", OPTION_DISSECT, NULL, 0,
	 "Add protocol and summary to messages of HTTP/1, Redis, PostgreSQL, D-Bus, SMTP and FTP: "
	 "what they say, as \"GET /hallo\"; and, where Wireshark's tshark is installed, to those "
	 "of "
	 "TLS, HTTP/2, gRPC, AMQP, MQTT, memcached, ONC RPC, X11, DNS, ...",
	 0},
	{0},
};

static const char about[] =
	"Prints one JSON line for each message: which send met which receive, in order of receipt; "
	"what nobody received comes last, or earlier where it is much. TRACE is a file or - "
	"(stdin); without it, ipclens.ndjson."
	"\v"
	"Examples:\n"
	"  ipclens messages | jq -c '[.from.comm, .to.comm, .bytes]'\n"
	"  ipclens messages lab.ndjson --mechanism pipe,fifo --from ls\n"
	"  ipclens record -o - -- ./lab | ipclens messages -\n"
	"  ipclens messages --follow       while ipclens record writes elsewhere\n"
	"  ipclens messages --dissect | jq -r '.protocol, .summary'\n"
	"\n"
	"\"match\" is exact, or ambiguous where the trace allows another pairing too.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct messages_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->filter;
		return 0;
	case OPTION_FOLLOW:
		options->follow = true;
		return 0;
	case OPTION_DISSECT:
		options->dissect = true;
		return 0;
	case ARGP_KEY_ARG:
		command_trace(state, arg, &options->trace);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Called after the last message: reports a trace that ended early. */
static int warn(void *data, const struct viz_model *model)
{
	(void)data;
	if (model->warning[LANGUAGE_EN].data)
		error_tell("ipclens: %s", model->warning[LANGUAGE_EN].data);
	return 0;
}

/*
 * Has tshark read the trace before its messages are printed. NULL: its messages are printed while
 * they come, or it cannot be read; then reading it again says why.
 */
static struct dissection *dissect_trace(const struct messages_options *options,
					struct progress *progress)
{
	struct dissection *dissection = NULL;
	struct viz_pairing *pairing = NULL;
	struct viz_model *model;
	struct viz_error error;

	if (!options->dissect)
		return NULL;
	if (options->follow || strcmp(options->trace, "-") == 0) {
		fputs("ipclens: --dissect: tshark reads a whole trace, in a file; here it is not "
		      "asked\n",
		      stderr);
		return NULL;
	}
	if (viz_model_read(options->trace, progress, &model, &error))
		return NULL;
	if (!viz_pair(model, &pairing)) {
		dissection = dissect_start(model, pairing);
		dissect_end(dissection, progress);
	}
	viz_pairing_free(pairing);
	viz_model_free(model);
	return dissection;
}

static int print_messages(const struct messages_options *options)
{
	struct progress *progress = progress_new();
	struct dissection *dissection = dissect_trace(options, progress);
	struct messages_printer printer = {.out = stdout,
					   .filter = &options->filter,
					   .dissect = options->dissect,
					   .words = dissection ? dissect_words : NULL,
					   .dissection = dissection};
	struct viz_sink sink = messages_sink(&printer);
	struct viz_error error;
	int err;

	sink.end = warn;
	if (!options->follow && !isatty(STDOUT_FILENO)) /* there the messages show how far it is */
		sink.progress = progress;
	err = options->follow ? viz_stream_follow(options->trace, &sink, &error)
			      : viz_stream_read(options->trace, &sink, &error);
	progress_end(progress);
	err = messages_printer_end(&printer, err);
	dissect_free(dissection);
	if (!err || err == -EPIPE) /* a reader that stops early, as head(1), is no failure */
		return STATUS_OK;
	error_tell("ipclens: %s%s",
		   *error.text ? error.text : "messages: ", *error.text ? "" : strerror(-err));
	return STATUS_FAILURE;
}

int cmd_messages(int argc, char **argv)
{
	static const struct argp_child children[] = {{&filter_argp, 0, "Filters:", 1}, {0}};
	static const struct argp argp = {.options = rows,
					 .parser = parse,
					 .args_doc = "[TRACE]",
					 .doc = about,
					 .children = children};
	struct messages_options options = {.trace = TRACE_DEFAULT};
	int status = STATUS_USAGE;

	if (!command_parse(&argp, argc, argv, 0, &options))
		status = print_messages(&options);
	viz_filter_free(&options.filter);
	return status;
}
