// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens merge: makes one trace of several. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/base/compressor.h"
#include "viz/base/error.h"
#include "viz/base/memory.h"
#include "viz/base/private_file.h"
#include "viz/cli/command.h"
#include "viz/merge/merge.h"
#include "viz/model/model.h"

struct merge_options {
	char **traces; /* arguments, not copied */
	size_t count, capacity;
	const char *output; /* NULL: stdout */
};

static const struct argp_option rows[] = {
	{"output", 'o', "FILE", 0,
	 "write the merged trace to FILE (-: stdout); compressed if its name ends in .zst", 0},
	{0},
};

static const char about[] =
	"Makes one trace of those of several machines, network namespaces or runs with -p, which "
	"all commands read: TCP connections and datagrams from one to another get both their ends. "
	"Clocks of machines are brought together by the messages themselves; how sure that is, "
	"the merged trace tells, and stats and view do. Each TRACE is a file, and is read twice."
	"\v"
	"Examples:\n"
	"  ipclens merge client.ndjson server.ndjson -o both.ndjson\n"
	"  ipclens view both.ndjson\n"
	"  ipclens merge web?.ndjson db.ndjson.zst | ipclens stats -\n"
	"\n"
	"Traces of several machines name processes host:comm[pid] and channels id@host.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct merge_options *merge = state->input;

	switch (key) {
	case 'o':
		merge->output = strcmp(arg, "-") ? arg : NULL;
		return 0;
	case ARGP_KEY_ARG:
		merge->traces = list_grow(merge->traces, merge->count, &merge->capacity,
					  sizeof(*merge->traces));
		merge->traces[merge->count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (merge->count < 2)
			argp_error(state, merge->count ? "one trace has nothing to be merged with; "
							 "give two or more"
						       : "give two traces or more");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void tell_host(const struct merge_host *host)
{
	uint64_t time = (uint64_t)merge_host_time(host, host->from_ns);
	const struct viz_host told = {.name = host->name,
				      .clock = host->tie,
				      .offset_ns = (int64_t)(time - host->from_ns),
				      .uncertainty_ns = host->uncertainty_ns};
	char buf[VIZ_CLOCK_TEXT];

	if (viz_host_clock(&told, LANGUAGE_EN, buf))
		error_tell("ipclens: %s", buf);
}

static void tell_trace(const struct trace_facts *trace)
{
	if (trace->wrong)
		error_tell("ipclens: %s: %" PRIu64 " lines are damaged and left out; they are "
			   "announced as lost",
			   trace->path, trace->wrong);
	if (!trace->why)
		error_tell("ipclens: %s is cut off: what came later is not known", trace->path);
}

static void tell(const struct merge *merge)
{
	for (size_t i = 0; i < merge->trace_count; i++)
		tell_trace(&merge->traces[i]);
	if (merge->unknown)
		error_tell("ipclens: %" PRIu64 " lines are of types that this ipclens does not "
			   "know, and left out",
			   merge->unknown);
	if (merge->unfitting)
		error_tell("ipclens: %" PRIu64 " lines have numbers that no machine has, and are "
			   "left out",
			   merge->unfitting);
	if (merge->looks)
		error_tell("ipclens: the look at the machine at a time limit is not merged: "
			   "for what it found, diagnose the trace itself");
	for (size_t i = 0; i < merge->hosts.count; i++)
		tell_host(merge->hosts.items[i]);
	if (!merge->connections)
		error_tell("ipclens: no TCP connection in these traces has its ends in two of "
			   "them");
	else
		error_tell("ipclens: %zu TCP connection%s from trace to trace", merge->connections,
			   merge->connections == 1 ? "" : "s");
}

/* NULL after a message. */
static FILE *open_output(const char *path)
{
	const char *why = NULL;
	FILE *out = NULL, *packed;
	int fd = path ? output_open(path, &why) : dup(STDOUT_FILENO);

	if (fd >= 0)
		out = fdopen(fd, "w");
	if (!out)
		error_tell("ipclens: %s: %s", path ? path : "stdout",
			   why ? why : error_reason(fd < 0 && path ? -fd : errno));
	if (!out || !path || !compressor_wanted(path))
		return out;
	packed = compressor_stream(out);
	if (!packed) {
		error_tell("ipclens: %s: %s", path, error_reason(errno));
		fclose(out);
	}
	return packed;
}

/* The traces are read once more while it is written, so it must be none of them. */
static bool is_trace(const struct merge_options *options)
{
	struct stat output, trace;

	if (!options->output || stat(options->output, &output))
		return false;
	for (size_t i = 0; i < options->count; i++)
		if (!stat(options->traces[i], &trace) && trace.st_dev == output.st_dev &&
		    trace.st_ino == output.st_ino)
			return true;
	return false;
}

static int write_merged(struct merge *merge, const struct merge_options *options,
			struct progress *progress, struct viz_error *error)
{
	FILE *out = open_output(options->output);
	int err;

	if (!out)
		return -EPIPE; /* open_output() has said why */
	err = merge_write(merge, out, progress, error);
	if (fclose(out) && !err)
		err = -errno;
	return err;
}

static int merge_traces(const struct merge_options *options)
{
	struct progress *progress = progress_new();
	struct viz_error error = {.text = ""};
	struct merge merge;
	int err = merge_read(&merge, options->traces, options->count, progress, &error);

	if (!err)
		err = write_merged(&merge, options, progress, &error);
	progress_end(progress);
	if (!err)
		tell(&merge);
	else if (err != -EPIPE || *error.text)
		error_tell("ipclens: %s%s",
			   *error.text ? error.text : "merge: ", *error.text ? "" : strerror(-err));
	merge_free(&merge);
	return err ? STATUS_FAILURE : STATUS_OK;
}

int cmd_merge(int argc, char **argv)
{
	static const struct argp argp = {
		.options = rows, .parser = parse, .args_doc = "TRACE TRACE...", .doc = about};
	struct merge_options merge = {0};
	int status = STATUS_USAGE;

	if (!command_parse(&argp, argc, argv, 0, &merge)) {
		if (is_trace(&merge))
			error_tell("ipclens: %s is one of the traces; give another name with -o",
				   merge.output);
		else
			status = merge_traces(&merge);
	}
	free(merge.traces);
	return status;
}
