// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One pair: its channels, how long calls slept, and how large messages were. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/top/screen_state.h"

enum {
	HISTOGRAMS = 3,
	LABEL = 8,
	COUNT = 7,
	NUMBERS = 7, /* a column of the channels' table */
	CELLS = 6
};

struct powers {
	const char *title, *none;
	const uint64_t *counts;
	bool is_time;
	int column, width; /* of the terminal */
};

/* What the power of two at `i` is the beginning of: µs, or bytes. */
static const char *power_label(const struct powers *powers, int i, char text[SCENE_QUANTITY])
{
	static const char *const times[] = {"µs", "ms", "s"};
	static const char *const sizes[] = {"B", "KiB", "MiB"};

	snprintf(text, SCENE_QUANTITY, "%d %s", 1 << (i % 10),
		 powers->is_time ? times[i / 10] : sizes[i / 10]);
	return text;
}

/* The powers from *first to *last have counts; false: none has. */
static bool powers_range(const struct powers *powers, int *first, int *last)
{
	*first = 0;
	*last = TOP_POWERS - 1;
	while (*first <= *last && !powers->counts[*first])
		++*first;
	while (*last >= *first && !powers->counts[*last])
		--*last;
	return *first <= *last;
}

/* Of how many powers one bar is the sum, so that all fit. */
static int powers_step(int first, int last, int room)
{
	int step = 1;

	while ((last - first) / step + 1 > room && step < TOP_POWERS)
		step++;
	return step;
}

static uint64_t powers_sum(const struct powers *powers, int first, int step)
{
	uint64_t sum = 0;

	for (int i = first; i < first + step && i < TOP_POWERS; i++)
		sum += powers->counts[i];
	return sum;
}

static uint64_t powers_most(const struct powers *powers, int first, int last, int step)
{
	uint64_t most = 0;

	for (int i = first; i <= last; i += step)
		if (powers_sum(powers, i, step) > most)
			most = powers_sum(powers, i, step);
	return most;
}

static void bar_put(struct screen_sheet *sheet, int column, int room, uint64_t count, uint64_t most)
{
	int eighths = most ? (int)((double)count / (double)most * room * 8 + 0.5) : 0;

	if (count && !eighths)
		eighths = 1;
	for (int i = 0; i < eighths / 8; i++)
		text_put_glyph(&sheet->canvas, column + i, GLYPH_BAR_8, TEXT_GREEN);
	if (eighths % 8)
		text_put_glyph(&sheet->canvas, column + eighths / 8, GLYPH_BAR_1 + eighths % 8 - 1,
			       TEXT_GREEN);
}

/* Puts the bar number `line` of a histogram, of which `room` fit. */
static void power_put(const struct top_screen *screen, struct screen_sheet *sheet,
		      const struct powers *powers, int line, int room)
{
	char label[SCENE_QUANTITY], count[SCREEN_NUMBER];
	int first, last, step, at, column = powers->column, width = powers->width;
	uint64_t most;

	if (!powers_range(powers, &first, &last)) {
		if (line == 0)
			sheet_put(sheet, column, width - 1, screen_say(screen, powers->none),
				  TEXT_DIM);
		return;
	}
	step = powers_step(first, last, room);
	at = first + line * step;
	if (at > last)
		return;
	most = powers_most(powers, first, last, step);
	sheet_put_right(sheet, column, LABEL, power_label(powers, at, label), TEXT_PLAIN);
	sheet_put_right(sheet, column + LABEL, COUNT,
			screen_count(screen, powers_sum(powers, at, step), count), TEXT_PLAIN);
	bar_put(sheet, column + LABEL + COUNT + 1, width - LABEL - COUNT - 2,
		powers_sum(powers, at, step), most);
}

static void histograms_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	const struct screen_opened *opened = &screen->opened;
	const int width = screen->width / HISTOGRAMS;
	const bool sent = opened->trace.count && strcmp(opened->from, "?") != 0;
	const struct powers powers[HISTOGRAMS] = {
		{"SENDER ASLEEP", "no call slept", opened->sent.sleeps, true, 0, width},
		{"RECEIVER ASLEEP", "no call slept", opened->received.sleeps, true, width, width},
		{sent ? "MESSAGES SENT" : "MESSAGES RECEIVED", "no message",
		 sent ? opened->sent.sizes : opened->received.sizes, false, 2 * width, width}};
	int room;

	sheet_line(sheet, TOP_PLAIN);
	for (int i = 0; i < HISTOGRAMS; i++)
		sheet_put(sheet, i * width, width - 1, screen_say(screen, powers[i].title),
			  TEXT_BOLD);
	sheet_line(sheet, TOP_PLAIN);
	room = sheet_room(sheet);
	for (int line = 0; line < room && line < TOP_POWERS; line++) {
		for (int i = 0; i < HISTOGRAMS; i++)
			power_put(screen, sheet, &powers[i], line, room);
		sheet_line(sheet, TOP_PLAIN);
	}
}

static int busiest_first(const void *left, const void *right)
{
	const struct top_channel *a = *(const struct top_channel *const *)left;
	const struct top_channel *b = *(const struct top_channel *const *)right;
	uint64_t of_a = a->sent.messages + a->received.messages;
	uint64_t of_b = b->sent.messages + b->received.messages;

	return of_a != of_b ? (of_a < of_b ? 1 : -1) : strcmp(a->name, b->name);
}

static const struct top_channel **channels_sorted(const struct top_pair *pair)
{
	const struct top_channel **list = memory_array(pair->channels,
						       sizeof(struct top_channel *));
	size_t count = 0;

	for (const struct top_channel *c = pair->first; c && count < pair->channels; c = c->next)
		list[count++] = c;
	qsort(list, count, sizeof(struct top_channel *), busiest_first);
	return list;
}

static void cells_put(struct screen_sheet *sheet, const char *const cells[CELLS],
		      enum text_colour colour)
{
	for (int i = 0; i < CELLS; i++)
		sheet_put_right(sheet, i * (NUMBERS + 1), NUMBERS, cells[i], colour);
}

/* A channel of which only one side was seen shows what that side did. */
static void channel_draw(const struct top_screen *screen, struct screen_sheet *sheet,
			 const struct top_pair *pair, const struct top_channel *channel)
{
	const struct top_interval *interval = &screen->interval;
	const struct top_counts *sent = &channel->sent, *received = &channel->received;
	const struct top_counts *moved = pair->from.count ? sent : received;
	char text[CELLS][SCREEN_NUMBER];
	const double full = channel->room ? (double)channel->used / (double)channel->room
					  : NOT_KNOWN;
	const char *const cells[CELLS] = {
		screen_rate(screen, top_per_second(moved->messages, interval), text[0]),
		screen_size(screen, top_per_second(moved->bytes, interval), text[1]),
		screen_rate(screen, top_per_second(received->messages, interval), text[2]),
		screen_share(top_asleep_share(sent, &pair->from, interval), text[3]),
		screen_share(top_asleep_share(received, &pair->to, interval), text[4]),
		screen_share(full, text[5])};

	cells_put(sheet, cells, TEXT_PLAIN);
	sheet_put(sheet, CELLS * (NUMBERS + 1) + 1, screen->width, channel->name, TEXT_PLAIN);
	sheet_line(sheet, TOP_PLAIN);
}

static void channels_head(const struct top_screen *screen, struct screen_sheet *sheet)
{
	const char *const heads[CELLS] = {
		screen_say(screen, "MSG/S"),  screen_say(screen, "BYTES/S"),
		screen_say(screen, "RECV/S"), screen_say(screen, "WAIT"),
		screen_say(screen, "WAIT"),   screen_say(screen, "FULL")};

	cells_put(sheet, heads, TEXT_PLAIN);
	sheet_put(sheet, CELLS * (NUMBERS + 1) + 1, screen->width, screen_say(screen, "CHANNEL"),
		  TEXT_PLAIN);
	sheet_line(sheet, TOP_BAR);
}

/* At most a third of the terminal is for the channels. */
static void channels_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	const struct top_pair *pair = screen->opened.row ? screen->opened.row->pair : NULL;
	size_t most = screen->rows > 12 ? (size_t)screen->rows / 3 : 2;
	const struct top_channel **list;
	char text[128];

	channels_head(screen, sheet);
	if (!pair) {
		sheet_text(sheet, screen_say(screen, "Nothing happened in this interval."),
			   TEXT_DIM);
		return;
	}
	list = channels_sorted(pair);
	if (pair->channels <= most)
		most = pair->channels;
	else
		most--;
	for (size_t i = 0; i < most; i++)
		channel_draw(screen, sheet, pair, list[i]);
	free(list);
	if (most == pair->channels)
		return;
	snprintf(text, sizeof(text), screen_say(screen, "… and %zu channels more"),
		 pair->channels - most);
	sheet_text(sheet, text, TEXT_DIM);
}

static void title_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	const struct screen_opened *opened = &screen->opened;
	char text[2 * TOP_SIDE_TEXT + 64];

	snprintf(text, sizeof(text), "%s → %s  %s", opened->from, opened->to,
		 mechanism_info(opened->mechanism)->name);
	sheet_put(sheet, 0, 11, "ipclens top", TEXT_BOLD);
	sheet_put(sheet, 13, screen->width - 13, text, TEXT_CYAN);
	sheet_line(sheet, TOP_PLAIN);
}

/* "12,345 (2.3 MiB)" */
static const char *sum_text(const struct top_screen *screen, const struct top_counts *counts,
			    char text[2 * SCENE_QUANTITY + 4])
{
	char messages[SCENE_QUANTITY], bytes[SCENE_QUANTITY];

	snprintf(text, 2 * SCENE_QUANTITY + 4, "%s (%s)", scene_count(counts->messages, messages),
		 scene_bytes(counts->bytes, bytes));
	return language_number(screen->look.language, text);
}

static void sums_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	const struct screen_opened *opened = &screen->opened;
	char sent[2 * SCENE_QUANTITY + 4], received[2 * SCENE_QUANTITY + 4], text[256];

	snprintf(text, sizeof(text),
		 screen_say(screen, "since it was opened, %.0f s: sent %s, received %s"),
		 (double)opened->counted_ns / 1e9, sum_text(screen, &opened->sent, sent),
		 sum_text(screen, &opened->received, received));
	sheet_text(sheet, text, TEXT_PLAIN);
}

void screen_pair_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	title_draw(screen, sheet);
	sums_draw(screen, sheet);
	channels_draw(screen, sheet);
	histograms_draw(screen, sheet);
}
