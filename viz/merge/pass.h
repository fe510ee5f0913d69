/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first pass through a trace: what it holds, before anything is written. */
#ifndef VIZ_MERGE_PASS_H
#define VIZ_MERGE_PASS_H

#include "viz/base/progress.h"
#include "viz/merge/survey.h"

struct trace_pass {
	struct survey *survey;
	/* By pid: the first and the last moment of the calls of a process, struct process_span. */
	struct map processes;
	struct process_span *spans;
};

/* Reads a whole trace; fills in its facts. 0 or -errno, with a sentence in `error`. */
int pass_read(struct trace_pass *pass, struct trace_facts *facts, struct arena *arena,
	      struct progress *progress, struct viz_error *error);

/* A process that made calls in both traces at the same time; 0: there is none. */
uint32_t pass_common_process(const struct trace_pass *a, const struct trace_pass *b);

/* Enters the processes that made calls into a map, by pid. */
void pass_list_processes(const struct trace_pass *pass, struct arena *arena, struct map *list);

/* Frees the survey; the processes live as long as the arena. */
void pass_end(struct trace_pass *pass);

#endif
