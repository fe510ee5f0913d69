// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/top_options.h"

#include <stdlib.h>
#include <string.h>

#include "user/cli/capture_options.h"
#include "viz/base/memory.h"
#include "viz/cli/command.h"
#include "viz/top/top.h"

#define EVERY_DEFAULT_NS 1000000000ULL
#define EVERY_LEAST_NS 50000000ULL /* reading the counts takes milliseconds */
#define EVERY_MOST 1e6

enum {
	OPTION_COMM = 0x100,
	OPTION_CGROUP,
	OPTION_ONCE,
	OPTION_EVERY,
	OPTION_JSON,
	OPTION_METRICS,
	OPTION_PAIRS,
	OPTION_PLAIN,
	OPTION_LANG
};

static const char doc[] =
	"Show who talks to whom now: each pair of processes with its messages and bytes a second, "
	"the "
	"share of time that both sides sleep at it, how full it is, and the channel. It counts in "
	"the kernel and records nothing, so it may run all the time."
	"\vOn a terminal the table fills it and heeds keys: ? tells which. d traces the selected "
	"pair "
	"for some seconds and shows the picture.\n\n"
	"All processes are counted; -p, --comm and --cgroup choose the pairs that are shown. "
	"Where "
	"several processes send to, or receive from, one channel, nobody can say from counts who "
	"met "
	"whom: the pair then says \"2 senders\". docs/top.md tells what is counted and what the "
	"JSON "
	"lines and metrics mean; `ipclens schema top` prints the schema of those lines. Exit "
	"status: 0, also after Ctrl-C; 1 where counting failed, 2 for "
	"a wrong command line.\n\n"
	"Examples:\n"
	"  sudo ipclens top                              every second, until Ctrl-C\n"
	"  sudo ipclens top --once --every 5s            what happened in 5 seconds\n"
	"  sudo ipclens top --once --json | jq 'select(.type == \"pair\") | .channel'\n"
	"  sudo ipclens top --comm redis-server --every 10s --json >>pairs.ndjson\n"
	"  sudo ipclens top --every 15s --openmetrics ipclens.prom\n";

static const struct argp_option rows[] = {
	{"pid", 'p', "PID", 0, "Show the pairs of this process; may be repeated", 0},
	{"comm", OPTION_COMM, "NAME", 0,
	 "Show the pairs of processes of this name; may be repeated", 0},
	{"cgroup", OPTION_CGROUP, "PATH", 0,
	 "Show the pairs of processes of this control group and those below it, as "
	 "/sys/fs/cgroup/x.slice; may be repeated",
	 0},
	{"once", OPTION_ONCE, NULL, 0, "Count for one interval, or until Ctrl-C, and end", 0},
	{"every", OPTION_EVERY, "TIME", 0,
	 "How long an interval is: 10s, 500ms, 2m, or seconds; 1s if not given", 0},
	{"plain", OPTION_PLAIN, NULL, 0,
	 "Print one table after the other, also on a terminal, instead of one that fills it", 0},
	{"json", OPTION_JSON, NULL, 0, "Print JSON lines: one for each pair and interval", 0},
	{"openmetrics", OPTION_METRICS, "FILE", 0,
	 "Write sums since the start into FILE after each interval, for Prometheus: the textfile "
	 "collector of its node_exporter reads them. FILE is always whole. Without --json nothing "
	 "is printed",
	 0},
	{"max-pairs", OPTION_PAIRS, "NUMBER", 0,
	 "Show at most so many pairs of an interval, the busiest, and say how many more there "
	 "are and what they moved; in metrics, sum the rest as \"other\" (100 there if not given)",
	 0},
	COMMAND_OPTION_LANG(OPTION_LANG),
	{0},
};

/* Sets *ns, or reports a text that is no time. */
static void every_set(struct top_options *options, const char *text, struct argp_state *state)
{
	if (!time_parse(text, EVERY_MOST, &options->every_ns))
		argp_error(state, "--every %s: a time is needed, as 10s, 500ms or 2m", text);
	if (options->every_ns < EVERY_LEAST_NS)
		options->every_ns = EVERY_LEAST_NS;
}

static void pid_add(struct top_options *options, const char *text, struct argp_state *state)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (end == text || *end || pid < 1 || pid > 0x7fffffff)
		argp_error(state, "-p %s: the number of a process is needed", text);
	LIST_PUSH(&options->pids, (pid_t)pid);
}

static void comm_add(struct top_options *options, const char *text, struct argp_state *state)
{
	if (!*text || strlen(text) >= TOP_COMM_LEN)
		argp_error(state, "--comm %s: the kernel keeps the first %d characters of a name",
			   text, TOP_COMM_LEN - 1);
	LIST_PUSH(&options->comms, text);
}

static void pairs_set(struct top_options *options, const char *text, struct argp_state *state)
{
	options->pairs_most = command_count(state, text, "max-pairs");
	if (!options->pairs_most)
		argp_error(state, "--max-pairs %s: 1 or more are needed", text);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct top_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		options->every_ns = EVERY_DEFAULT_NS;
		options->language = language_of_environment();
		return 0;
	case 'p':
		pid_add(options, text, state);
		return 0;
	case OPTION_COMM:
		comm_add(options, text, state);
		return 0;
	case OPTION_CGROUP:
		LIST_PUSH(&options->cgroups, text);
		return 0;
	case OPTION_ONCE:
		options->once = true;
		return 0;
	case OPTION_EVERY:
		every_set(options, text, state);
		return 0;
	case OPTION_PLAIN:
		options->plain = true;
		return 0;
	case OPTION_LANG:
		options->language = command_language(state, text);
		return 0;
	case OPTION_JSON:
		options->json = true;
		return 0;
	case OPTION_METRICS:
		options->metrics = text;
		return 0;
	case OPTION_PAIRS:
		pairs_set(options, text, state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state,
			   "%s: top takes options only; a running program is chosen by -p or "
			   "--comm",
			   text);
		return 0;
	case ARGP_KEY_END:
		options->table = !options->json && !options->metrics;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp top_argp = {.options = rows, .parser = parse, .doc = doc};

void top_options_free(struct top_options *options)
{
	free(options->pids.items);
	free(options->comms.items);
	free(options->cgroups.items);
}
