// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens top: counts in the kernel who talks to whom, and shows it again and again. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "user/capture/caller_identity.h"
#include "user/capture/confinement.h"
#include "user/capture/process_selection.h"
#include "user/cli/commands.h"
#include "user/cli/top_live.h"
#include "user/cli/top_options.h"
#include "user/cli/user_messages.h"
#include "user/top/snapshot.h"
#include "viz/base/clock.h"
#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/private_file.h"
#include "viz/base/terminal.h"
#include "viz/cli/command.h"
#include "viz/format/top_keys.h"
#include "viz/top/output.h"

#define METRICS_MOST 100

struct top {
	const struct top_options *options;
	struct counter *counter;
	struct snapshots *snapshots;
	struct top_metrics metrics;
	struct term term;
	struct pair_tracer tracer;
	struct top_live *live; /* the full-screen table; NULL: there is none */
	struct arena *arena;   /* of the interval that it shows */
	uint64_t from_ns;      /* when the interval began */
	size_t shown;	       /* tables */
	int signals;
	bool failed; /* the output, or the metrics' file */
};

struct pid_list {
	pid_t *items;
	size_t count, capacity;
};

static void pid_push(void *context, pid_t pid)
{
	struct pid_list *list = context;

	LIST_PUSH(list, pid);
}

static int pid_compare(const void *left, const void *right)
{
	const pid_t *a = left, *b = right;

	return COMPARE(*a, *b);
}

/* A control group that has gone has no processes. */
static void pids_chosen(const struct top_options *options, struct pid_list *list)
{
	for (size_t i = 0; i < options->pids.count; i++)
		pid_push(list, options->pids.items[i]);
	for (size_t i = 0; i < options->cgroups.count; i++)
		cgroup_each_process(options->cgroups.items[i], pid_push, list);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), pid_compare);
}

static void pairs_choose(const struct top_options *options, struct top_pairs *pairs)
{
	struct pid_list list = {0};
	struct top_choice choice;

	pids_chosen(options, &list);
	choice = (struct top_choice){
		.pids = list.items,
		.pid_count = list.count,
		.comms = options->comms.items,
		.comm_count = options->comms.count,
		.any = options->pids.count || options->comms.count || options->cgroups.count,
	};
	top_choose(pairs, &choice);
	free(list.items);
}

/* A reader that has seen enough is no failure. */
static bool stdout_flush(struct top *top)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	if (errno != EPIPE) {
		report_error("top: %s", strerror(errno));
		top->failed = true;
	}
	return false;
}

static bool json_print(struct top *top, const struct top_pairs *pairs,
		       const struct top_interval *interval)
{
	struct json json = {0};

	top_json(&json, pairs, interval);
	memory_need(!json.failed);
	fwrite(json.data, 1, json.len, stdout);
	json_free(&json);
	return stdout_flush(top);
}

static bool metrics_publish(struct top *top, const struct top_gaps *gaps)
{
	const char *why;
	char *text;
	size_t len;
	FILE *out = memory_stream(&text, &len);
	int error;

	top_metrics_write(out, &top->metrics, gaps);
	memory_stream_end(out);
	error = output_publish(top->options->metrics, text, len, &why);
	free(text);
	if (!error)
		return true;
	report_error("cannot write '%s': %s", top->options->metrics, why);
	top->failed = true;
	return false;
}

static bool table_print(struct top *top, const struct top_pairs *pairs,
			const struct top_interval *interval)
{
	if (top->shown++)
		putchar('\n');
	top_text(stdout, pairs, interval, top->options->language);
	return stdout_flush(top);
}

/* False: the output has ended. */
static bool interval_show(struct top *top, struct top_pairs *pairs,
			  const struct top_interval *interval)
{
	const struct top_options *options = top->options;

	if (options->metrics) {
		top_metrics_add(&top->metrics, pairs,
				options->pairs_most ? options->pairs_most : METRICS_MOST);
		if (!metrics_publish(top, &interval->gaps))
			return false;
	}
	if (options->json)
		return json_print(top, pairs, interval);
	if (top->live)
		top_live_show(top->live, pairs, interval);
	else if (options->table)
		return table_print(top, pairs, interval);
	return true;
}

static bool interval_end(struct top *top)
{
	struct arena *arena = arena_new();
	struct snapshot snapshot;
	struct top_interval interval;
	struct top_pairs pairs;
	bool more;

	if (snapshot_take(top->snapshots, top->counter, &snapshot)) {
		report_error("top: the counts cannot be read");
		top->failed = true;
	}
	pairs = top_join(arena, snapshot.ends, snapshot.count);
	pairs_choose(top->options, &pairs);
	interval = (struct top_interval){.from_ns = top->from_ns,
					 .to_ns = snapshot.at_ns,
					 .gaps = snapshot.gaps,
					 .pairs_most = top->options->pairs_most};
	more = interval_show(top, &pairs, &interval) && !top->failed;
	top->from_ns = snapshot.at_ns;
	arena_free(top->arena);
	top->arena = arena;
	return more;
}

/* True if the interval passed, false if a signal came that ends it all. */
static bool interval_wait(const struct top *top)
{
	struct pollfd signals = {.fd = top->signals, .events = POLLIN};
	const uint64_t end_ns = top->from_ns + top->options->every_ns;

	if (top->live)
		return top_live_wait(top->live, end_ns);
	for (;;) {
		uint64_t now = clock_now_ns(), left = now < end_ns ? end_ns - now : 0;
		const struct timespec pause = {.tv_sec = (time_t)(left / 1000000000),
					       .tv_nsec = (long)(left % 1000000000)};

		if (ppoll(&signals, 1, &pause, NULL) > 0)
			return false;
		if (!left)
			return true;
	}
}

static int signals_watch(bool live)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (live)
		sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is like a full disk: EFBIG */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* From here on this is the user who typed, who can do nothing that is not needed. */
static bool rights_drop(const struct top_options *options)
{
	struct identity identity;
	int error = identity_find(&identity);

	if (!error) {
		error = identity_drop(&identity, false);
		identity_free(&identity);
	}
	if (error) {
		report_error("cannot give up root's rights: %s", strerror(-error));
		return false;
	}
	if (options->metrics)
		confinement_enter_replacing();
	else
		confinement_enter(true);
	return true;
}

/*
 * The first line and the first metrics say that counting has begun: what happens from now on is in
 * the counts.
 */
static bool begin_tell(struct top *top)
{
	struct top_gaps none = {0};
	struct json json = {0};

	if (top->options->metrics && !metrics_publish(top, &none))
		return false;
	if (!top->options->json)
		return true;
	json_object(&json);
	json_field_text(&json, KEY_TYPE, TOP_TYPE(top));
	json_field_uint(&json, TOP_KEY(top, version), 1);
	json_field_uint(&json, TOP_KEY(top, at_ns), top->from_ns);
	json_field_uint(&json, TOP_KEY(top, every_ns), top->options->every_ns);
	json_end_object(&json);
	json_newline(&json);
	memory_need(!json.failed);
	fwrite(json.data, 1, json.len, stdout);
	json_free(&json);
	return stdout_flush(top);
}

/* What was counted before a signal came is shown as well, where it stays on the terminal. */
static void loop(struct top *top)
{
	bool goes_on;

	do
		goes_on = interval_wait(top) && !top->options->once;
	while ((goes_on || !top->live) && interval_end(top) && goes_on);
}

/* A full-screen table needs someone who reads it, and keys. */
static bool is_live(struct top *top)
{
	const struct top_options *options = top->options;

	term_look(&top->term, STDOUT_FILENO, TERM_AUTO);
	return options->table && !options->once && !options->plain && top->term.tty &&
	       !top->term.dumb && isatty(STDIN_FILENO);
}

/* ncurses reads files and variables of the user, and does so with the user's rights. */
static void live_begin(struct top *top)
{
	if (top->tracer.pid > 0)
		top->live = top_live_open(&top->term, top->options->language, &top->tracer,
					  top->signals);
}

static int count_and_show(struct top *top)
{
	const bool live = is_live(top);
	char why[256];
	int err;

	confinement_hide();
	top->signals = signals_watch(live);
	err = live ? pair_tracer_start(&top->tracer, top->options->language) : 0;
	if (err) {
		report_error("top: %s", strerror(-err));
		return STATUS_FAILURE;
	}
	if (counter_open(&top->counter, why, sizeof(why))) {
		report_error("%s", why);
		return STATUS_FAILURE;
	}
	if (!rights_drop(top->options))
		return STATUS_FAILURE;
	top->snapshots = snapshots_new();
	top->from_ns = clock_now_ns();
	live_begin(top);
	if (begin_tell(top))
		loop(top);
	return top->failed ? STATUS_FAILURE : STATUS_OK;
}

static bool choice_exists(const struct top_options *options)
{
	struct pid_list list = {0};
	char why[256];
	int error = 0;

	for (size_t i = 0; i < options->pids.count; i++) {
		if (process_missing(options->pids.items[i], why, sizeof(why))) {
			report_error("%s", why);
			return false;
		}
	}
	for (size_t i = 0; i < options->cgroups.count && !error; i++) {
		error = cgroup_each_process(options->cgroups.items[i], pid_push, &list);
		if (error)
			report_error("--cgroup %s: %s", options->cgroups.items[i],
				     strerror(-error));
	}
	free(list.items);
	return !error;
}

int cmd_top(int argc, char **argv)
{
	struct top_options options = {0};
	struct top top = {.options = &options, .signals = -1};
	int status = STATUS_FAILURE;

	argp_err_exit_status = STATUS_USAGE;
	if (command_parse(&top_argp, argc, argv, 0, &options))
		return STATUS_FAILURE;
	if (report_ready() && choice_exists(&options))
		status = count_and_show(&top);
	top_live_close(top.live);
	pair_tracer_end(&top.tracer);
	arena_free(top.arena);
	top_metrics_free(&top.metrics);
	snapshots_free(top.snapshots);
	counter_close(top.counter);
	top_options_free(&options);
	return status;
}
