/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `ipclens top` says of pairs (docs/top.md): a table, JSON lines, metrics for Prometheus. */
#ifndef VIZ_TOP_OUTPUT_H
#define VIZ_TOP_OUTPUT_H

#include <stdio.h>

#include "viz/base/json.h"
#include "viz/top/top.h"

struct top_interval {
	uint64_t from_ns; /* CLOCK_MONOTONIC */
	uint64_t to_ns;
	struct top_gaps gaps;
	size_t pairs_most; /* show no more than these; 0: no limit */
};

/* Of what happened in an interval. */
double top_per_second(uint64_t count, const struct top_interval *interval);

/*
 * The share of the time that the processes of a side had in which they slept, 0 to 1; below 0:
 * that side was not seen.
 */
double top_asleep_share(const struct top_counts *sum, const struct top_side *side,
			const struct top_interval *interval);

/* The first pairs are shown, the busiest; of the others, how many there are and what they moved. */
struct top_left_out {
	size_t shown, pairs;
	uint64_t messages, bytes;
};

struct top_left_out top_left_out(const struct top_pairs *pairs,
				 const struct top_interval *interval);

/* "3 more pairs: 1,200 messages, 11.7 KiB" */
#define TOP_LEFT_OUT_TEXT 128
const char *top_left_out_text(const struct top_left_out *left, enum language language,
			      char text[TOP_LEFT_OUT_TEXT]);

/* A line for each pair, then one for the interval. */
void top_json(struct json *json, const struct top_pairs *pairs,
	      const struct top_interval *interval);

/* A table, as wide as it is. */
void top_text(FILE *out, const struct top_pairs *pairs, const struct top_interval *interval,
	      enum language language);

/* A sentence for each kind of gap, with a newline; nothing where there is none. */
void top_gaps_text(FILE *out, const struct top_gaps *gaps, enum language language);

/* Sums by mechanism and names of programs, since counting began. A zeroed struct has none. */
struct top_metrics {
	struct top_metric *items;
	size_t count, capacity;
	struct top_metric *other; /* the sum of those beyond the limit */
	uint64_t other_pairs;	  /* how often a pair was added there */
};

/* Adds an interval; at most `most` different ones are kept apart. */
void top_metrics_add(struct top_metrics *metrics, const struct top_pairs *pairs, size_t most);

/* In Prometheus' text format. */
void top_metrics_write(FILE *out, const struct top_metrics *metrics, const struct top_gaps *gaps);
void top_metrics_free(struct top_metrics *metrics);

#endif
