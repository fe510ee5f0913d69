// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/top/output.h"

#define LINE_LEN 512

static double per_second(uint64_t count, const struct top_interval *interval)
{
	uint64_t ns = interval->to_ns - interval->from_ns;

	return ns ? (double)count * 1e9 / (double)ns : 0;
}

/* Of the processes of a side, in percent of the time that each of them had. */
static int asleep_share(const struct top_counts *sum, const struct top_side *side,
			const struct top_interval *interval)
{
	double share = per_second(sum->asleep_ns, interval) / 1e7;

	if (side->count > 1)
		share /= (double)side->count;
	return share > 100 ? 100 : (int)(share + 0.5);
}

static void share_text(const struct top_counts *sum, const struct top_side *side,
		       const struct top_interval *interval, char text[8])
{
	if (side->count)
		snprintf(text, 8, "%d%%", asleep_share(sum, side, interval));
	else
		snprintf(text, 8, "-");
}

/* Cuts a line of harmless text at a whole character. Not all characters are one column wide. */
static void line_put(FILE *out, char *line, int width)
{
	char *harmless = scene_harmless(line, strlen(line));
	size_t at = 0;

	for (int column = 0; harmless[at] && (!width || column < width); column++) {
		size_t len = utf8_sequence_len((unsigned char *)harmless + at,
					       strlen(harmless + at));

		at += len ? len : 1;
	}
	fprintf(out, "%.*s\n", (int)at, harmless);
	free(harmless);
}

static void pair_put(FILE *out, const struct top_pair *pair, const struct top_interval *interval,
		     int width)
{
	const struct top_counts *moved = top_moved(pair);
	char from[TOP_SIDE_TEXT], to[TOP_SIDE_TEXT], bytes[SCENE_QUANTITY], waits[2][8];
	const char *mechanism = mechanism_info(pair->mechanism)->name;
	const bool twice = strncmp(pair->channel, mechanism, strlen(mechanism)) ==
			   0; /* "pipe:[7]" */
	char more[32] = "", line[LINE_LEN];

	if (pair->channels > 1)
		snprintf(more, sizeof(more), " and %zu more", pair->channels - 1);
	share_text(&pair->sent, &pair->from, interval, waits[0]);
	share_text(&pair->received, &pair->to, interval, waits[1]);
	snprintf(line, sizeof(line), "%-21s %-21s %9.0f %10s %4s %4s  %s%s%s%s",
		 top_side_text(&pair->from, true, from), top_side_text(&pair->to, false, to),
		 per_second(moved->messages, interval),
		 scene_bytes((uint64_t)per_second(moved->bytes, interval), bytes), waits[0],
		 waits[1], twice ? "" : mechanism, twice ? "" : " ", pair->channel, more);
	line_put(out, line, width);
}

void top_gaps_text(FILE *out, const struct top_gaps *gaps)
{
	if (gaps->uncounted)
		fprintf(out, "%llu calls were not counted: the kernel's table was full\n",
			(unsigned long long)gaps->uncounted);
	if (gaps->foreign)
		fprintf(out, "%llu calls of 32-bit programs were not counted\n",
			(unsigned long long)gaps->foreign);
	if (gaps->skipped)
		fprintf(out, "the kernel skipped %llu runs of the counting programs\n",
			(unsigned long long)gaps->skipped);
}

void top_text(FILE *out, const struct top_pairs *pairs, const struct top_interval *interval,
	      int width)
{
	size_t most = pairs->count;
	char head[LINE_LEN];

	if (interval->pairs_most && most > interval->pairs_most)
		most = interval->pairs_most;
	snprintf(head, sizeof(head), "%-21s %-21s %9s %10s %4s %4s  %s", "FROM", "TO", "MSG/S",
		 "BYTES/S", "WAIT", "WAIT", "CHANNEL");
	line_put(out, head, width);
	for (size_t i = 0; i < most; i++)
		pair_put(out, &pairs->items[i], interval, width);
	if (pairs->count > most)
		fprintf(out, "%zu more pairs\n", pairs->count - most);
	top_gaps_text(out, &interval->gaps);
}
