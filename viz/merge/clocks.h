/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The machines that traces are of, and how their clocks become one. */
#ifndef VIZ_MERGE_CLOCKS_H
#define VIZ_MERGE_CLOCKS_H

#include "viz/merge/survey.h"

/* Its own pids are less than this (the kernel's PID_MAX_LIMIT is 2^22); decimal, to be read. */
#define MERGE_PID_STEP 10000000u

struct merge_host {
	size_t index;
	const struct trace_facts *first; /* its first trace */
	const struct trace_facts *last;	 /* its last one; the others are its next_of_host */
	size_t trace_count;
	struct viz_bytes name; /* other than that of all other hosts */
	uint32_t pid_base;
	struct map processes;	 /* by pid: those whose calls are in one of its traces */
	uint64_t from_ns, to_ns; /* its run, by its own clock */
	/* How its clock becomes that of `parent`; NULL: its own is what all others become. */
	const struct merge_host *parent;
	struct clock_line line;
	enum clock_tie tie;
	uint64_t uncertainty_ns; /* against the first host, where all ties up to it are both ways */
	int64_t lift_ns;	 /* added to all times of all hosts, so that none is below 0 */
};

struct merge_hosts {
	struct merge_host **items;
	size_t count;
	struct map names; /* those that are taken */
	struct map
		numbers; /* by name of a machine, the last number behind it (struct name_number) */
};

/*
 * Puts each trace to its host: by boot_id, or for traces without it, by name, kernel and the time
 * of the boot. Gives the hosts in order of their first trace; they live as long as the arena.
 */
void merge_hosts_find(struct merge_hosts *hosts, struct arena *arena, struct trace_facts *traces,
		      size_t count);

/* Ties the clock of each host to that of the first one. `surveys` are of the traces. */
void merge_hosts_tie(const struct merge_hosts *hosts, const struct trace_facts *traces,
		     struct survey *const *surveys);

/* A time of the host's own clock in the merged trace; below 0: it is none. */
int64_t merge_host_time(const struct merge_host *host, uint64_t ns);

#endif
