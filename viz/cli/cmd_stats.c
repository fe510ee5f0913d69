// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens stats: prints which processes communicate, and what it costs. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "viz/base/error.h"
#include "viz/base/memory.h"
#include "viz/cli/command.h"
#include "viz/cli/display_options.h"
#include "viz/report/stats.h"

enum { MAX_DEFAULT = 12, WIDTH_LEAST = 40 };
enum stats_key { OPTION_JSON = 0x1000, OPTION_EXPLAIN, OPTION_MAX, OPTION_WIDTH, OPTION_LANG };

struct stats_options {
	const char *trace;
	struct viz_filter filter;
	bool json, explain;
	size_t max;
	int width; /* 0: the terminal's */
	enum language language;
	struct shown_options shown;
};

/* The state of reading a trace and then printing. */
struct stats_job {
	const struct stats_options *options;
	struct account *account;
	uint32_t tracer; /* 0: not known */
	struct term term;
	int err; /* of printing */
};

static const struct argp_option options[] = {
	{"json", OPTION_JSON, NULL, 0, "print JSON lines: pairs, routes, ends, channels, total", 0},
	{"explain", OPTION_EXPLAIN, NULL, 0, "say why each channel is classified as it is", 0},
	{"max", OPTION_MAX, "ROWS", 0, "print at most ROWS rows of each table, 0 for all (12)", 0},
	{"width", OPTION_WIDTH, "COLUMNS", 0, "as wide as that (the terminal's width, or $COLUMNS)",
	 0},
	{"lang", OPTION_LANG, "LANGUAGE", 0, "en or de (from LC_ALL, LC_MESSAGES or LANG)", 0},
	{0},
};

static const char about[] =
	"Adds up a trace: who talks to whom, how many messages and bytes, crossings between user "
	"and kernel, copies, latency, waiting and for whom, what became of each byte, and what "
	"kind "
	"of communication it was. TRACE is a file or - (stdin); without it, ipclens.ndjson."
	"\v"
	"Examples:\n"
	"  ipclens stats\n"
	"  ipclens stats --explain --mechanism pipe lab.ndjson\n"
	"  ipclens stats --json | jq 'select(.type == \"pair\") | .copies'\n"
	"\n"
	"A crossing is a call that transferred something; each is two mode switches. Calls that "
	"came "
	"back empty-handed and calls that only waited are told apart. Latency is from the "
	"beginning "
	"of the send to the end of the receive.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stats_options *stats = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &stats->filter;
		state->child_inputs[1] = &stats->shown;
		stats->language = language_of_environment();
		return 0;
	case OPTION_JSON:
		stats->json = true;
		return 0;
	case OPTION_EXPLAIN:
		stats->explain = true;
		return 0;
	case OPTION_MAX:
		stats->max = command_count(state, arg, "max");
		return 0;
	case OPTION_WIDTH:
		stats->width = command_width(state, arg, WIDTH_LEAST);
		return 0;
	case OPTION_LANG:
		stats->language = command_language(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		command_trace(state, arg, &stats->trace);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Line by line: the whole may be longer than the trace. */
static int print_json(const struct stats_report *report)
{
	int err = stats_print_json(stdout, report);

	if (err)
		return err;
	return fflush(stdout) == 0 ? 0 : -errno;
}

static int print_text(const struct stats_job *job, const struct stats_report *report)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = memory_stream(&text, &len);
	int err = stats_print(memory, report);

	memory_stream_end(memory);
	if (!err)
		err = shown_put(text, len, &job->term, !job->options->shown.no_pager);
	free(text);
	return err;
}

static int print(void *data, const struct viz_model *model)
{
	struct stats_job *job = data;
	const struct stats_options *o = job->options;
	const struct stats_report report = {
		.account = job->account,
		.model = model,
		.explain = o->explain,
		.max = o->max,
		.language = o->language,
		.width = o->width ? o->width : job->term.width,
		.utf8 = job->term.utf8 && !o->shown.ascii,
		.colour = job->term.colour,
	};

	account_finish(job->account, model);
	if (model->warning[LANGUAGE_EN].data && o->json)
		error_tell("ipclens: %s", model->warning[LANGUAGE_EN].data);
	job->err = o->json ? print_json(&report) : print_text(job, &report);
	return job->err;
}

/* The sink that adds up an account; its end prints the account. */
static struct stats_job *job_of(void *data)
{
	return data;
}

static int take_header(void *data, const struct viz_model *model)
{
	job_of(data)->tracer = model->header.tracer;
	return 0;
}

static int take_operation(void *data, const struct viz_operation *op)
{
	account_add_operation(job_of(data)->account, op);
	return 0;
}

/*
 * The tracer started the command, so that its end tells the tracer: no part of the command's IPC.
 */
static bool tells_tracer(const struct stats_job *job, const struct viz_message *message)
{
	return message->signal && message->signal->number == SIGCHLD && job->tracer &&
	       message->to.pid == job->tracer;
}

static int take_message(void *data, const struct viz_message *message)
{
	if (!tells_tracer(data, message))
		account_add_message(job_of(data)->account, message);
	return 0;
}

static int take_gap(void *data, const struct viz_gap *gap)
{
	account_add_gap(job_of(data)->account, gap);
	return 0;
}

static int add_up(const struct stats_options *stats)
{
	struct stats_job job = {.options = stats, .account = account_new(&stats->filter)};
	struct progress *progress = progress_new();
	const struct viz_sink sink = {
		.data = &job,
		.progress = progress,
		.begin = take_header,
		.operation = take_operation,
		.message = take_message,
		.gap = take_gap,
		.end = print,
	};
	struct viz_error error = {0};
	int err;

	term_look(&job.term, STDOUT_FILENO, stats->shown.colour);
	err = viz_stream_read(stats->trace, &sink, &error);
	progress_end(progress);
	account_free(job.account);
	if (!err || err == -EPIPE) /* a reader that stops early, as head(1), is no failure */
		return STATUS_OK;
	error_tell("ipclens: %s%s",
		   *error.text ? error.text : "stats: ", *error.text ? "" : strerror(-err));
	return STATUS_FAILURE;
}

int cmd_stats(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&filter_argp, 0, "Filters:", 1}, {&shown_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[TRACE]",
		.doc = about,
		.children = children,
	};
	struct stats_options stats = {.trace = TRACE_DEFAULT, .max = MAX_DEFAULT};
	int status = STATUS_USAGE;

	if (!command_parse(&argp, argc, argv, 0, &stats))
		status = add_up(&stats);
	viz_filter_free(&stats.filter);
	return status;
}
