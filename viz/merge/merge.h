/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes one trace of several. All lines come in order of time, by one clock. What names something
 * of one machine is renamed where the traces are of several (renaming.h); traces of one machine
 * keep their names and times, and only the numbers of calls change. Each trace is read twice: to
 * find the connections between them and what they say of the clocks, and to write its lines. Memory
 * is bounded by the sockets and processes in the traces, not by their calls.
 */
#ifndef VIZ_MERGE_MERGE_H
#define VIZ_MERGE_MERGE_H

#include "viz/base/progress.h"
#include "viz/merge/clocks.h"

/* What there is to tell of a merge. It lives until merge_free(). */
struct merge {
	struct arena *arena;
	struct trace_facts *traces;
	size_t trace_count;
	struct merge_hosts hosts;
	size_t connections; /* TCP: those with ends in two of the traces */
	uint64_t lines;	    /* written */
	uint64_t unknown;   /* lines left out since their type is not known */
	uint64_t looks;	    /* lines left out since they are of a look at one machine */
	uint64_t unfitting; /* lines left out since a number in them has no place */
};

/*
 * The first pass, through all traces. 0; or -errno, with a sentence in `error`. The caller calls
 * merge_free() in any case.
 */
int merge_read(struct merge *merge, char *const *paths, size_t count, struct progress *progress,
	       struct viz_error *error);

/*
 * The second pass, after a successful first one: writes the merged trace to `out`. 0; or -errno,
 * with an empty sentence where it cannot be written.
 */
int merge_write(struct merge *merge, FILE *out, struct progress *progress, struct viz_error *error);

void merge_free(struct merge *merge);

#endif
