// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of all pairs: 80 columns are enough, and more are shared out to the texts. */
#include <stdio.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/top/screen_state.h"

enum { NARROW = 80, LINES_BESIDE = 3 /* the title, the head, the keys */ };

/*
 * To add a column: a row, its place in enum top_column, and its cell below. `least` are the columns
 * on a terminal of 80, `most` those on a wide one; the last column takes what is left.
 */
static const struct {
	const char *head;
	const char *name; /* in a sentence */
	int least, most;
} columns[COLUMN_COUNT] = {
	[COLUMN_FROM] = {"FROM", "sender", 14, 26},
	[COLUMN_TO] = {"TO", "receiver", 14, 26},
	[COLUMN_MECHANISM] = {"MECH", "mechanism", 8, 14},
	[COLUMN_MESSAGES] = {"MSG/S", "messages per second", 5, 8},
	[COLUMN_BYTES] = {"BYTES/S", "bytes per second", 7, 8},
	[COLUMN_SENDER_WAITS] = {"WAIT", "the sender's sleep", 4, 5},
	[COLUMN_RECEIVER_WAITS] = {"WAIT", "the receiver's sleep", 4, 5},
	[COLUMN_FULL] = {"FULL", "how full the channel is", 4, 5},
	[COLUMN_CHANNEL] = {"CHANNEL", "channel", 0, 0},
};

const char *screen_column_name(enum top_column column)
{
	return columns[column].name;
}

/* The columns share out a third of what the terminal has beyond 80; the channel has the rest. */
static int column_width(const struct top_screen *screen, enum top_column column)
{
	int least = columns[column].least, most = columns[column].most;
	int beyond = screen->width > NARROW ? screen->width - NARROW : 0;
	int more = beyond / 4;

	return least + more < most ? least + more : most;
}

/* Sets where each column begins; the last one ends with the terminal. */
static void places_set(const struct top_screen *screen, int places[COLUMN_COUNT + 1])
{
	places[0] = 0;
	for (int column = 0; column < COLUMN_CHANNEL; column++)
		places[column + 1] = places[column] + column_width(screen, column) + 1;
	places[COLUMN_COUNT] = screen->width + 1;
}

static bool is_right(enum top_column column)
{
	return !screen_column_is_text(column);
}

static void head_draw(const struct top_screen *screen, struct screen_sheet *sheet,
		      const int places[COLUMN_COUNT + 1])
{
	for (int column = 0; column < COLUMN_COUNT; column++) {
		const char *head = screen_say(screen, columns[column].head);
		int room = places[column + 1] - places[column] - 1;
		enum text_colour colour = (int)screen->sort == column ? TEXT_YELLOW : TEXT_PLAIN;

		if (is_right(column))
			sheet_put_right(sheet, places[column], room, head, colour);
		else
			sheet_put(sheet, places[column], room, head, colour);
	}
	sheet_line(sheet, TOP_BAR);
}

/* Of a long name the pid at its end stays. */
static void side_put(struct screen_sheet *sheet, int column, int room, const char *text)
{
	const char *pid = strrchr(text, '[');
	int end = pid ? (int)strlen(pid) : 0;
	char name[TOP_SIDE_TEXT];

	if (!pid || text_width(&sheet->canvas, text) <= room || end >= room) {
		sheet_put(sheet, column, room, text, TEXT_PLAIN);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(pid - text), text);
	sheet_put(sheet, column, room - end, name, TEXT_PLAIN);
	sheet_put(sheet, text_line_end(&sheet->canvas), end, pid, TEXT_PLAIN);
}

static void channel_put(const struct top_screen *screen, struct screen_sheet *sheet, int column,
			int room, const struct top_pair *pair)
{
	char text[TOP_NAME_LEN + 64];

	if (pair->channels > 1)
		snprintf(text, sizeof(text), screen_say(screen, "%s and %zu more"), pair->channel,
			 pair->channels - 1);
	else
		snprintf(text, sizeof(text), "%s", pair->channel);
	sheet_put(sheet, column, room, text, TEXT_PLAIN);
}

static void number_put(const struct top_screen *screen, struct screen_sheet *sheet, int place,
		       int room, enum top_column column, double value)
{
	enum text_colour colour = value == 0 ? TEXT_DIM : TEXT_PLAIN;
	char text[SCREEN_NUMBER];

	if (column == COLUMN_MESSAGES)
		screen_rate(screen, value, text);
	else if (column == COLUMN_BYTES)
		screen_size(screen, value, text);
	else
		screen_share(value, text);
	if (column == COLUMN_FULL && value >= 0.9)
		colour = TEXT_RED;
	sheet_put_right(sheet, place, room, text, colour);
}

static void row_draw(const struct top_screen *screen, struct screen_sheet *sheet,
		     const int places[COLUMN_COUNT + 1], const struct screen_row *row)
{
	const char *mechanism = mechanism_info(row->pair->mechanism)->name;

	for (int column = 0; column < COLUMN_COUNT; column++) {
		int at = places[column], room = places[column + 1] - at - 1;

		if (column == COLUMN_FROM)
			side_put(sheet, at, room, row->from);
		else if (column == COLUMN_TO)
			side_put(sheet, at, room, row->to);
		else if (column == COLUMN_MECHANISM)
			sheet_put(sheet, at, room, mechanism, TEXT_CYAN);
		else if (column == COLUMN_CHANNEL)
			channel_put(screen, sheet, at, room, row->pair);
		else
			number_put(screen, sheet, at, room, column, row->values[column]);
	}
	sheet_line(sheet, row == screen_selected(screen) ? TOP_SELECTED : TOP_PLAIN);
}

static void title_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	char text[256];
	int used;

	if (screen->shown_count == screen->all_count)
		used = snprintf(text, sizeof(text), screen_say(screen, "%zu pairs"),
				screen->all_count);
	else
		used = snprintf(text, sizeof(text), screen_say(screen, "%zu of %zu pairs"),
				screen->shown_count, screen->all_count);
	used += snprintf(text + used, sizeof(text) - (size_t)used,
			 screen_say(screen, ", sorted by %s%s"),
			 screen_say(screen, columns[screen->sort].name),
			 screen->ascending ? screen_say(screen, ", least first") : "");
	if (screen->filter.len)
		snprintf(text + used, sizeof(text) - (size_t)used,
			 screen_say(screen, ", filter: %s"), screen->filter.text);
	sheet_put(sheet, 0, 11, "ipclens top", TEXT_BOLD);
	sheet_put(sheet, 13, screen->width - 13, text, TEXT_PLAIN);
	sheet_line(sheet, TOP_PLAIN);
}

static uint64_t not_counted(const struct top_screen *screen)
{
	const struct top_gaps *gaps = &screen->interval.gaps;

	return gaps->uncounted + gaps->foreign + gaps->skipped;
}

/* Lines of their own above the keys. */
static int notes_count(const struct top_screen *screen)
{
	return (screen->left_out.pairs != 0) + (not_counted(screen) != 0);
}

static void left_out_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	char text[TOP_LEFT_OUT_TEXT];

	if (!screen->left_out.pairs)
		return;
	sheet_fill(sheet, screen->rows - 1 - notes_count(screen));
	sheet_text(sheet, top_left_out_text(&screen->left_out, screen->look.language, text),
		   TEXT_YELLOW);
}

static void gaps_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	char number[SCENE_QUANTITY], text[128];

	if (!not_counted(screen))
		return;
	scene_count(not_counted(screen), number);
	snprintf(text, sizeof(text), screen_say(screen, "%s calls were not counted so far"),
		 language_number(screen->look.language, number));
	sheet_fill(sheet, screen->rows - 2);
	sheet_text(sheet, text, TEXT_RED);
}

int screen_table_room(const struct top_screen *screen)
{
	int room = screen->rows - LINES_BESIDE - notes_count(screen);

	return room > 1 ? room : 1;
}

/* Scrolls so that the selected row is on the terminal. */
static void table_scroll(struct top_screen *screen)
{
	size_t room = (size_t)screen_table_room(screen);

	if (screen->selected < screen->top)
		screen->top = screen->selected;
	if (screen->selected >= screen->top + room)
		screen->top = screen->selected - room + 1;
	if (screen->top && screen->top + room > screen->shown_count)
		screen->top = screen->shown_count > room ? screen->shown_count - room : 0;
}

void screen_table_draw(struct top_screen *screen, struct screen_sheet *sheet)
{
	int places[COLUMN_COUNT + 1];
	size_t end;

	table_scroll(screen);
	places_set(screen, places);
	title_draw(screen, sheet);
	head_draw(screen, sheet, places);
	end = screen->top + (size_t)screen_table_room(screen);
	for (size_t i = screen->top; i < screen->shown_count && i < end; i++)
		row_draw(screen, sheet, places, screen->shown[i]);
	if (!screen->interval.to_ns)
		sheet_text(sheet, screen_say(screen, "The first interval is being counted."),
			   TEXT_DIM);
	else if (!screen->shown_count)
		sheet_text(sheet,
			   screen_say(screen, screen->all_count
						      ? "No pair matches the filter."
						      : "Nobody has sent or received anything."),
			   TEXT_DIM);
	left_out_draw(screen, sheet);
	gaps_draw(screen, sheet);
}
