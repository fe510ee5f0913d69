// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Metrics in Prometheus' text format. Pids would make new series with each process, so the labels
 * are the names of programs; how many series there are is bounded.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/top/output.h"

#define LABEL_LEN 32

struct top_metric {
	enum mechanism mechanism; /* MECH_NONE: all that has no room */
	char from[LABEL_LEN], to[LABEL_LEN];
	uint64_t messages, bytes;
	uint64_t asleep_ns[2]; /* of senders, of receivers */
};

/* One program's name, "several" programs, or an "unknown" one. */
static void side_label(const struct top_side *side, char label[LABEL_LEN])
{
	snprintf(label, LABEL_LEN, "%.*s", TOP_COMM_LEN,
		 side->count ? side->members[0].comm : "unknown");
	for (size_t i = 1; i < side->count; i++)
		if (strncmp(side->members[i].comm, side->members[0].comm, TOP_COMM_LEN) != 0)
			snprintf(label, LABEL_LEN, "several");
}

static struct top_metric *metric_find(struct top_metrics *metrics, const struct top_metric *key)
{
	for (size_t i = 0; i < metrics->count; i++) {
		struct top_metric *metric = &metrics->items[i];

		if (metric->mechanism == key->mechanism && strcmp(metric->from, key->from) == 0 &&
		    strcmp(metric->to, key->to) == 0)
			return metric;
	}
	return NULL;
}

static struct top_metric *metric_get(struct top_metrics *metrics, const struct top_metric *key,
				     size_t most)
{
	struct top_metric *metric = metric_find(metrics, key);

	if (metric)
		return metric;
	if (metrics->count < most) {
		LIST_PUSH(metrics, *key);
		return &metrics->items[metrics->count - 1];
	}
	if (!metrics->other)
		metrics->other = memory_new(sizeof(*metrics->other));
	metrics->other_pairs++;
	return metrics->other;
}

void top_metrics_add(struct top_metrics *metrics, const struct top_pairs *pairs, size_t most)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const struct top_pair *pair = &pairs->items[i];
		struct top_metric key = {.mechanism = pair->mechanism}, *metric;

		side_label(&pair->from, key.from);
		side_label(&pair->to, key.to);
		metric = metric_get(metrics, &key, most);
		metric->messages += top_moved(pair)->messages;
		metric->bytes += top_moved(pair)->bytes;
		metric->asleep_ns[0] += pair->sent.asleep_ns;
		metric->asleep_ns[1] += pair->received.asleep_ns;
	}
}

/* The text is harmless, and what the format gives a meaning to is escaped. */
static void label_put(FILE *out, const char *name, const char *value)
{
	char *harmless = scene_harmless(value, strlen(value));

	fprintf(out, "%s=\"", name);
	for (const char *c = harmless; *c; c++) {
		if (*c == '\\' || *c == '"')
			putc('\\', out);
		if (*c == '\n')
			fputs("\\n", out);
		else
			putc(*c, out);
	}
	putc('"', out);
	free(harmless);
}

static void labels_put(FILE *out, const struct top_metric *metric)
{
	bool other = metric->mechanism == MECH_NONE;

	label_put(out, "mechanism", other ? "other" : mechanism_info(metric->mechanism)->name);
	putc(',', out);
	label_put(out, "from", other ? "other" : metric->from);
	putc(',', out);
	label_put(out, "to", other ? "other" : metric->to);
}

typedef void value_fn(FILE *out, const struct top_metric *metric, const char *name);

static void messages_put(FILE *out, const struct top_metric *metric, const char *name)
{
	fprintf(out, "%s{", name);
	labels_put(out, metric);
	fprintf(out, "} %" PRIu64 "\n", metric->messages);
}

static void bytes_put(FILE *out, const struct top_metric *metric, const char *name)
{
	fprintf(out, "%s{", name);
	labels_put(out, metric);
	fprintf(out, "} %" PRIu64 "\n", metric->bytes);
}

static void sleeps_put(FILE *out, const struct top_metric *metric, const char *name)
{
	static const char *const sides[] = {"from", "to"};

	for (int i = 0; i < 2; i++) {
		fprintf(out, "%s{", name);
		labels_put(out, metric);
		fprintf(out, ",side=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n", sides[i],
			metric->asleep_ns[i] / 1000000000, metric->asleep_ns[i] % 1000000000);
	}
}

static void family_put(FILE *out, const struct top_metrics *metrics, const char *name,
		       const char *help, value_fn *put)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
	for (size_t i = 0; i < metrics->count; i++)
		put(out, &metrics->items[i], name);
	if (metrics->other)
		put(out, metrics->other, name);
}

static void number_put(FILE *out, const char *name, const char *help, uint64_t value)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, help, name, name,
		value);
}

void top_metrics_write(FILE *out, const struct top_metrics *metrics, const struct top_gaps *gaps)
{
	family_put(out, metrics, "ipclens_messages_total", "Messages from one program to another.",
		   messages_put);
	family_put(out, metrics, "ipclens_bytes_total", "Bytes from one program to another.",
		   bytes_put);
	family_put(out, metrics, "ipclens_sleep_seconds_total",
		   "Time asleep in calls that send (side from) or receive (side to).", sleeps_put);
	number_put(out, "ipclens_other_pairs_total",
		   "Times that a pair was summed under other, for want of series.",
		   metrics->other_pairs);
	number_put(out, "ipclens_uncounted_calls_total",
		   "Calls that found no room in the kernel's table.", gaps->uncounted);
	number_put(out, "ipclens_foreign_calls_total",
		   "Calls of 32-bit programs, which are not counted.", gaps->foreign);
	number_put(out, "ipclens_skipped_runs_total",
		   "Runs of the counting programs that the kernel skipped.", gaps->skipped);
}

void top_metrics_free(struct top_metrics *metrics)
{
	free(metrics->items);
	free(metrics->other);
	memset(metrics, 0, sizeof(*metrics));
}
