// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens messages: the messages of a trace as JSON lines. */
#include <errno.h>

#include "command.h"
#include "messages.h"

struct messages_options {
	const char *trace;
	struct viz_filter filter;
	bool follow;
};

enum { OPTION_FOLLOW = 'f' };

static const struct argp_option rows[] = {
	{"follow", OPTION_FOLLOW, NULL, 0,
	 "At the end of TRACE wait for more, until whoever writes it ends it, or Ctrl-C", 0},
	{0},
};

static const char about[] =
	"Prints one JSON line for each message: which send met which receive, in order of receipt; "
	"what nobody received comes last. TRACE is a file or - (stdin); without it, ipclens.ndjson."
	"\v"
	"Examples:\n"
	"  ipclens messages | jq -c '[.from.comm, .to.comm, .bytes]'\n"
	"  ipclens messages lab.ndjson --mechanism pipe,fifo --from ls\n"
	"  ipclens record -o - -- ./lab | ipclens messages -\n"
	"  ipclens messages --follow            while ipclens record writes in another terminal\n"
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
	case ARGP_KEY_ARG:
		command_trace(state, arg, &options->trace);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What comes behind the messages, and needs the whole trace: how it ended. */
static int warn(void *data, const struct viz_model *model)
{
	(void)data;
	if (model->warning.data)
		fprintf(stderr, "ipclens: %s\n", model->warning.data);
	return 0;
}

static int print_messages(const struct messages_options *options)
{
	struct messages_printer printer = {.out = stdout, .filter = &options->filter};
	struct viz_sink sink = messages_sink(&printer);
	struct viz_error error;
	int err;

	sink.end = warn;
	err = options->follow ? viz_stream_follow(options->trace, &sink, &error)
			      : viz_stream_read(options->trace, &sink, &error);
	err = messages_printer_end(&printer, err);
	if (!err || err == -EPIPE) /* a reader that has had enough, as head(1), is no failure */
		return STATUS_OK;
	fprintf(stderr, "ipclens: %s%s\n",
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
