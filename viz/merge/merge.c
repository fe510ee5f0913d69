// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/merge.h"

#include <errno.h>
#include <inttypes.h>

#include "viz/merge/pass.h"

__attribute__((format(printf, 2, 3))) static int fail(struct viz_error *error, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

/* A trace may be given once, and a copy of it is the same trace. */
static int check_apart(const struct merge *merge, struct viz_error *error)
{
	for (size_t i = 0; i < merge->trace_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct trace_facts *a = &merge->traces[j], *b = &merge->traces[i];
			bool file = a->device == b->device && a->inode == b->inode;

			if (!file && (a->host != b->host || a->start_ns != b->start_ns ||
				      a->tracer != b->tracer))
				continue;
			return fail(error, "%s and %s are the same trace; give each one once",
				    a->path, b->path);
		}
	return 0;
}

/*
 * A process that two traces of one host hold would do everything twice. Its number may be used
 * again later, so its calls must overlap in time.
 */
static int check_processes(const struct merge *merge, const struct trace_pass *passes,
			   struct viz_error *error)
{
	for (size_t i = 0; i < merge->trace_count; i++)
		for (size_t j = 0; j < i; j++) {
			uint32_t pid = merge->traces[i].host == merge->traces[j].host
					       ? pass_common_process(&passes[i], &passes[j])
					       : 0;

			if (pid)
				return fail(error,
					    "%s and %s both hold the calls of process %" PRIu32
					    "; record each process in one trace only",
					    merge->traces[j].path, merge->traces[i].path, pid);
		}
	return 0;
}

static void count_connections(struct merge *merge, const struct trace_pass *passes)
{
	for (size_t i = 0; i < merge->trace_count; i++)
		for (size_t j = 0; j < i; j++)
			merge->connections += survey_meet(passes[j].survey, passes[i].survey, NULL);
}

/* Each trace gets processors of its own; where one does not tell how many, each gets one. */
static void number_processors(struct merge *merge)
{
	uint64_t first = 0;
	bool known = true;

	for (size_t i = 0; i < merge->trace_count; i++)
		known &= merge->traces[i].processors && merge->traces[i].processors < 1U << 20;
	for (size_t i = 0; i < merge->trace_count; i++) {
		struct trace_facts *trace = &merge->traces[i];

		trace->processors = known ? trace->processors : 0;
		trace->first_processor = first;
		first += known ? trace->processors : 1;
	}
}

static void tie_clocks(struct merge *merge, const struct trace_pass *passes)
{
	struct survey **surveys = arena_array(merge->arena, merge->trace_count, sizeof(*surveys));

	for (size_t i = 0; i < merge->trace_count; i++)
		surveys[i] = passes[i].survey;
	merge_hosts_tie(&merge->hosts, merge->traces, surveys);
}

static int look_over(struct merge *merge, struct trace_pass *passes, struct viz_error *error)
{
	int err;

	merge_hosts_find(&merge->hosts, merge->arena, merge->traces, merge->trace_count);
	for (size_t i = 0; i < merge->trace_count; i++)
		pass_list_processes(&passes[i], merge->arena, &merge->traces[i].host->processes);
	err = check_apart(merge, error);
	if (!err)
		err = check_processes(merge, passes, error);
	if (err)
		return err;
	count_connections(merge, passes);
	number_processors(merge);
	tie_clocks(merge, passes);
	return 0;
}

int merge_read(struct merge *merge, char *const *paths, size_t count, struct progress *progress,
	       struct viz_error *error)
{
	struct trace_pass *passes;
	int err = 0;

	*merge = (struct merge){.arena = arena_new(), .trace_count = count};
	merge->traces = arena_array(merge->arena, count, sizeof(*merge->traces));
	passes = arena_array(merge->arena, count, sizeof(*passes));
	progress_stage(progress, "reading the traces");
	for (size_t i = 0; i < count && !err; i++) {
		merge->traces[i].path = paths[i];
		err = pass_read(&passes[i], &merge->traces[i], merge->arena, progress, error);
	}
	if (!err)
		err = look_over(merge, passes, error);
	for (size_t i = 0; i < count; i++)
		pass_end(&passes[i]);
	return err;
}

void merge_free(struct merge *merge)
{
	arena_free(merge->arena);
}
