// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/top/output.h"

#define LINE_LEN 512

static void share_text(double share, char text[8])
{
	if (share < 0)
		snprintf(text, 8, "-");
	else
		snprintf(text, 8, "%d%%", (int)(share * 100 + 0.5));
}

static void line_put(FILE *out, const char *line)
{
	char *harmless = scene_harmless(line, strlen(line));

	fprintf(out, "%s\n", harmless);
	free(harmless);
}

static void pair_put(FILE *out, const struct top_pair *pair, const struct top_interval *interval,
		     enum language language)
{
	const struct top_counts *moved = top_moved(pair);
	char from[TOP_SIDE_TEXT], to[TOP_SIDE_TEXT], bytes[SCENE_QUANTITY], waits[2][8], full[8];
	const char *mechanism = mechanism_info(pair->mechanism)->name;
	const bool twice = strncmp(pair->channel, mechanism, strlen(mechanism)) ==
			   0; /* "pipe:[7]" */
	char more[32] = "", line[LINE_LEN];

	if (pair->channels > 1)
		snprintf(more, sizeof(more), language_say(language, " and %zu more"),
			 pair->channels - 1);
	share_text(top_asleep_share(&pair->sent, &pair->from, interval), waits[0]);
	share_text(top_asleep_share(&pair->received, &pair->to, interval), waits[1]);
	share_text(pair->room ? (double)pair->used / (double)pair->room : -1, full);
	snprintf(line, sizeof(line), "%-21s %-21s %9.0f %10s %4s %4s %4s  %s%s%s%s",
		 top_side_text(&pair->from, true, language, from),
		 top_side_text(&pair->to, false, language, to),
		 top_per_second(moved->messages, interval),
		 scene_bytes((uint64_t)top_per_second(moved->bytes, interval), bytes), waits[0],
		 waits[1], full, twice ? "" : mechanism, twice ? "" : " ", pair->channel, more);
	line_put(out, line);
}

void top_gaps_text(FILE *out, const struct top_gaps *gaps, enum language language)
{
	const struct {
		uint64_t count;
		const char *text;
	} lines[] = {
		{gaps->uncounted, "%s calls were not counted: the kernel's table was full"},
		{gaps->foreign, "%s calls of 32-bit programs were not counted"},
		{gaps->skipped, "the kernel skipped %s runs of the counting programs"},
	};
	char count[SCENE_QUANTITY];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!lines[i].count)
			continue;
		snprintf(count, sizeof(count), "%llu", (unsigned long long)lines[i].count);
		fprintf(out, language_say(language, lines[i].text), count);
		putc('\n', out);
	}
}

static void head_put(FILE *out, enum language language)
{
	static const char *const heads[] = {"FROM", "TO",   "MSG/S", "BYTES/S",
					    "WAIT", "WAIT", "FULL",  "CHANNEL"};
	static const int widths[] = {-21, -21, 9, 10, 4, 4, 4, 0};
	char head[LINE_LEN] = "";

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		snprintf(head + strlen(head), sizeof(head) - strlen(head), "%*s%s", widths[i],
			 language_say(language, heads[i]),
			 widths[i] ? widths[i + 1] ? " " : "  " : "");
	line_put(out, head);
}

const char *top_left_out_text(const struct top_left_out *left, enum language language,
			      char text[TOP_LEFT_OUT_TEXT])
{
	char messages[SCENE_QUANTITY], bytes[SCENE_QUANTITY];

	scene_count(left->messages, messages);
	scene_bytes(left->bytes, bytes);
	snprintf(text, TOP_LEFT_OUT_TEXT, language_say(language, "%zu more pairs: %s messages, %s"),
		 left->pairs, language_number(language, messages),
		 language_number(language, bytes));
	return text;
}

void top_text(FILE *out, const struct top_pairs *pairs, const struct top_interval *interval,
	      enum language language)
{
	const struct top_left_out left = top_left_out(pairs, interval);
	char text[TOP_LEFT_OUT_TEXT];

	head_put(out, language);
	for (size_t i = 0; i < left.shown; i++)
		pair_put(out, &pairs->items[i], interval, language);
	if (left.pairs)
		fprintf(out, "%s\n", top_left_out_text(&left, language, text));
	top_gaps_text(out, &interval->gaps, language);
}
