// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens stats: who talks to whom, and what it costs. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "shown.h"
#include "stats.h"

enum { MAX_DEFAULT = 12, WIDTH_LEAST = 40 };
enum stats_key { OPTION_JSON = 0x1000, OPTION_EXPLAIN, OPTION_MAX, OPTION_WIDTH };

struct stats_options {
	const char *trace;
	struct viz_filter filter;
	bool json, explain;
	size_t max;
	int width; /* 0: the terminal's */
	struct shown_options shown;
};

/* Reading, then printing. */
struct stats_job {
	const struct stats_options *options;
	struct account *account;
	struct term term;
	int err; /* of printing */
};

static const struct argp_option options[] = {
	{"json", OPTION_JSON, NULL, 0, "print JSON lines: pairs, routes, ends, channels, total", 0},
	{"explain", OPTION_EXPLAIN, NULL, 0, "say why each channel is classified as it is", 0},
	{"max", OPTION_MAX, "ROWS", 0, "print at most ROWS rows of each table, 0 for all (12)", 0},
	{"width", OPTION_WIDTH, "COLUMNS", 0, "as wide as that (the terminal's width, or $COLUMNS)",
	 0},
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
	"  ipclens stats --json | jq -c 'select(.type == \"pair\") | "
	"[.a.comm, .b.comm, .crossings, .copies]'\n"
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
	case ARGP_KEY_ARG:
		command_trace(state, arg, &stats->trace);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
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
		.width = o->width ? o->width : job->term.width,
		.utf8 = job->term.utf8 && !o->shown.ascii,
		.colour = job->term.colour,
	};
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);

	account_finish(job->account, model);
	if (!memory)
		return -ENOMEM;
	if (model->warning.data && o->json)
		fprintf(stderr, "ipclens: %s\n", model->warning.data);
	job->err = o->json ? stats_print_json(memory, &report) : stats_print(memory, &report);
	if (fclose(memory) && !job->err)
		job->err = -ENOMEM;
	if (!job->err)
		job->err = shown_put(text, len, &job->term, !o->shown.no_pager && !o->json);
	free(text);
	return job->err;
}

/* The account's sink, whose end prints. */
static struct stats_job *job_of(void *data)
{
	return data;
}

static int take_operation(void *data, const struct viz_operation *op)
{
	account_add_operation(job_of(data)->account, op);
	return 0;
}

static int take_message(void *data, const struct viz_message *message)
{
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
	const struct viz_sink sink = {
		.data = &job,
		.operation = take_operation,
		.message = take_message,
		.gap = take_gap,
		.end = print,
	};
	struct viz_error error = {""};
	int err;

	term_look(&job.term, STDOUT_FILENO, stats->shown.colour);
	err = viz_stream_read(stats->trace, &sink, &error);
	account_free(job.account);
	if (!err || err == -EPIPE) /* a reader that has had enough, as head(1), is no failure */
		return STATUS_OK;
	fprintf(stderr, "ipclens: %s%s\n",
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
