/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the full-screen table share (screen.h). */
#ifndef VIZ_TOP_SCREEN_STATE_H
#define VIZ_TOP_SCREEN_STATE_H

#include "viz/top/screen.h"

/* The columns of the table, from left to right. */
enum top_column {
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_MECHANISM,
	COLUMN_MESSAGES,
	COLUMN_BYTES,
	COLUMN_SENDER_WAITS,
	COLUMN_RECEIVER_WAITS,
	COLUMN_FULL,
	COLUMN_CHANNEL,
	COLUMN_COUNT
};

#define NOT_KNOWN (-1.0)
#define TYPED_LEN 63

enum screen_view { VIEW_TABLE, VIEW_PAIR };
enum screen_prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_SECONDS };

/* One pair as a row, whether it is shown or not. */
struct screen_row {
	const struct top_pair *pair;
	uint64_t key;  /* of its parties: the same in each interval */
	size_t number; /* the busiest pair is 0 */
	char from[TOP_SIDE_TEXT], to[TOP_SIDE_TEXT];
	double values[COLUMN_COUNT]; /* of the columns of numbers; NOT_KNOWN */
};

struct screen_typed {
	char text[TYPED_LEN + 1];
	size_t len;
};

/* The pair that was opened, and the sums since then. */
struct screen_opened {
	uint64_t key;
	enum mechanism mechanism;
	char from[TOP_SIDE_TEXT], to[TOP_SIDE_TEXT];
	char channel[TOP_NAME_LEN + 1];
	struct top_trace trace;
	struct top_counts sent, received;
	uint64_t counted_ns;
	const struct screen_row *row; /* of this interval; NULL: it did nothing */
};

struct top_screen {
	struct top_look look;
	int rows, width;
	enum screen_view view;
	enum screen_prompt prompt;
	bool help;

	struct arena *arena; /* of the rows */
	struct screen_row *all;
	size_t made_count; /* of all pairs: the one that was opened may be left out of the table */
	size_t all_count;  /* those that the table may show: the first ones */
	struct top_left_out left_out;
	const struct screen_row **shown; /* those that the filter lets through, in order */
	size_t shown_count;
	struct top_interval interval; /* to_ns 0: none has passed yet */

	enum top_column sort;
	bool ascending;
	struct screen_typed filter, seconds;
	size_t selected, top; /* rows: the selected one, the first on the terminal */
	uint64_t selected_key;
	struct screen_opened opened;
	struct top_trace trace;
	char message[160];
};

__attribute__((format_arg(2))) static inline const char *screen_say(const struct top_screen *screen,
								    const char *english)
{
	return language_say(screen->look.language, english);
}

/* screen_rows.c: makes the rows of an interval, and chooses and sorts those that are shown. */
void screen_rows_make(struct top_screen *screen, const struct top_pairs *pairs);
void screen_rows_choose(struct top_screen *screen);
const struct screen_row *screen_selected(const struct top_screen *screen); /* NULL: none */
bool screen_column_is_text(enum top_column column);

/* screen_numbers.c: "58241", "123k"; "97.7K"; "12%"; "-" where it is not known */
#define SCREEN_NUMBER 16
const char *screen_rate(const struct top_screen *screen, double rate, char text[SCREEN_NUMBER]);
const char *screen_count(const struct top_screen *screen, uint64_t count, char text[SCREEN_NUMBER]);
const char *screen_size(const struct top_screen *screen, double bytes, char text[SCREEN_NUMBER]);
const char *screen_share(double share, char text[SCREEN_NUMBER]);

/* screen_opened.c: the pair that was opened. */
void screen_opened_set(struct top_screen *screen, const struct screen_row *row);
void screen_opened_add(struct top_screen *screen);

/* screen_page.c: lines of a page that is being made. */
struct screen_sheet {
	struct top_page *page;
	struct arena *arena;
	struct text_canvas canvas;
	int rows; /* those of the terminal */
};
void sheet_begin(struct screen_sheet *sheet, const struct top_screen *screen, struct arena *arena,
		 struct top_page *page);
void sheet_line(struct screen_sheet *sheet, enum top_style style); /* ends a line */
void sheet_text(struct screen_sheet *sheet, const char *text, enum text_colour colour);
void sheet_fill(struct screen_sheet *sheet, int rows); /* empty lines, until there are `rows` */
void sheet_end(struct screen_sheet *sheet);
int sheet_room(const struct screen_sheet *sheet); /* lines that are left, but for the last one */
/* Hostile text in `room` columns, to the left or the right of them. */
void sheet_put(struct screen_sheet *sheet, int column, int room, const char *text,
	       enum text_colour colour);
void sheet_put_right(struct screen_sheet *sheet, int column, int room, const char *text,
		     enum text_colour colour);

/* screen_table.c, screen_pair.c, screen_help.c: what stands above the last line. */
void screen_table_draw(struct top_screen *screen, struct screen_sheet *sheet);
void screen_pair_draw(const struct top_screen *screen, struct screen_sheet *sheet);
void screen_help_draw(const struct top_screen *screen, struct screen_sheet *sheet);
const char *screen_column_name(enum top_column column);
int screen_table_room(const struct top_screen *screen); /* rows of pairs that fit */

#endif
