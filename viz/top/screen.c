// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The keys of the full-screen table, and its last line. */
#include "viz/top/screen.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/bytes.h"
#include "viz/base/invisible.h"
#include "viz/top/screen_state.h"

#define SECONDS_DEFAULT 5

struct top_screen *top_screen_new(const struct top_look *look)
{
	struct top_screen *screen = memory_new(sizeof(*screen));

	screen->look = *look;
	screen->rows = 24;
	screen->width = 80;
	screen->sort = COLUMN_MESSAGES;
	return screen;
}

void top_screen_free(struct top_screen *screen)
{
	if (!screen)
		return;
	arena_free(screen->arena);
	free(screen);
}

void top_screen_resize(struct top_screen *screen, int rows, int width)
{
	screen->rows = rows > 1 ? rows : 1;
	screen->width = width > 1 ? width : 1;
}

void top_screen_show(struct top_screen *screen, const struct top_pairs *pairs,
		     const struct top_interval *interval)
{
	screen->interval = *interval;
	screen_rows_make(screen, pairs);
	screen_rows_choose(screen);
	if (screen->view == VIEW_PAIR)
		screen_opened_add(screen);
}

const struct top_trace *top_screen_trace(const struct top_screen *screen)
{
	return &screen->trace;
}

void top_screen_tell(struct top_screen *screen, const char *message)
{
	snprintf(screen->message, sizeof(screen->message), "%s", message);
}

/* --- what is typed -------------------------------------------------------------------------- */

static void typed_clear(struct screen_typed *typed)
{
	memset(typed, 0, sizeof(*typed));
}

/* Takes the last character away, which may have several bytes. */
static void typed_shorten(struct screen_typed *typed)
{
	while (typed->len && ((unsigned char)typed->text[typed->len - 1] & 0xc0) == 0x80)
		typed->text[--typed->len] = 0;
	if (typed->len)
		typed->text[--typed->len] = 0;
}

static size_t utf8_put(char bytes[4], uint32_t c)
{
	if (c < 0x80) {
		bytes[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		bytes[0] = (char)(0xc0 | c >> 6);
		bytes[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	bytes[0] = (char)(c < 0x10000 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
	bytes[1] = (char)(0x80 | ((c < 0x10000 ? c >> 6 : c >> 12) & 0x3f));
	bytes[2] = (char)(0x80 | ((c < 0x10000 ? c : c >> 6) & 0x3f));
	bytes[3] = (char)(0x80 | (c & 0x3f));
	return c < 0x10000 ? 3 : 4;
}

static void typed_add(struct screen_typed *typed, uint32_t c)
{
	char bytes[4];
	size_t len;

	if (c < ' ' || c >= TOP_KEY_UP || character_is_invisible(c))
		return;
	len = utf8_put(bytes, c);
	if (typed->len + len > TYPED_LEN)
		return;
	memcpy(typed->text + typed->len, bytes, len);
	typed->len += len;
}

static void filter_key(struct top_screen *screen, uint32_t key)
{
	if (key == TOP_KEY_ESCAPE)
		typed_clear(&screen->filter);
	else if (key == TOP_KEY_BACKSPACE)
		typed_shorten(&screen->filter);
	else
		typed_add(&screen->filter, key);
	if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
		screen->prompt = PROMPT_NONE;
	screen_rows_choose(screen);
}

static enum top_ask seconds_key(struct top_screen *screen, uint32_t key)
{
	long seconds;

	if (key == TOP_KEY_BACKSPACE)
		typed_shorten(&screen->seconds);
	else if (key >= '0' && key <= '9' && screen->seconds.len < 5)
		typed_add(&screen->seconds, key);
	if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE || key == 'q')
		screen->prompt = PROMPT_NONE;
	if (key != TOP_KEY_ENTER)
		return TOP_GO_ON;
	seconds = screen->seconds.len ? strtol(screen->seconds.text, NULL, 10) : SECONDS_DEFAULT;
	if (seconds < 1 || seconds > TOP_TRACE_SECONDS_MOST) {
		top_screen_tell(screen, screen_say(screen, "A trace takes 1 to 3600 seconds."));
		return TOP_GO_ON;
	}
	screen->trace.seconds = (unsigned)seconds;
	return TOP_TRACE;
}

/* --- keys ------------------------------------------------------------------------------------ */

/* Numbers begin with the greatest, texts with A. */
static void sort_set(struct top_screen *screen, int column)
{
	screen->sort = (column + COLUMN_COUNT) % COLUMN_COUNT;
	screen->ascending = screen_column_is_text(screen->sort);
	screen_rows_choose(screen);
}

static void select_row(struct top_screen *screen, long row)
{
	long last = (long)screen->shown_count - 1;

	row = row > last ? last : row;
	screen->selected = row > 0 ? (size_t)row : 0;
	if (screen_selected(screen))
		screen->selected_key = screen_selected(screen)->key;
}

static bool move_key(struct top_screen *screen, uint32_t key)
{
	long at = (long)screen->selected, page = screen_table_room(screen);

	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		select_row(screen, at - 1);
		return true;
	case TOP_KEY_DOWN:
	case 'j':
		select_row(screen, at + 1);
		return true;
	case TOP_KEY_PAGE_UP:
		select_row(screen, at - page);
		return true;
	case TOP_KEY_PAGE_DOWN:
		select_row(screen, at + page);
		return true;
	case TOP_KEY_HOME:
	case 'g':
		select_row(screen, 0);
		return true;
	case TOP_KEY_END:
	case 'G':
		select_row(screen, (long)screen->shown_count - 1);
		return true;
	default:
		return false;
	}
}

static bool sort_key(struct top_screen *screen, uint32_t key)
{
	if (key == '<' || key == TOP_KEY_LEFT)
		sort_set(screen, (int)screen->sort - 1);
	else if (key == '>' || key == TOP_KEY_RIGHT)
		sort_set(screen, (int)screen->sort + 1);
	else if (key >= '1' && key < '1' + COLUMN_COUNT)
		sort_set(screen, (int)(key - '1'));
	else if (key == 'r')
		screen->ascending = !screen->ascending;
	else
		return false;
	screen_rows_choose(screen);
	return true;
}

static void pair_open(struct top_screen *screen)
{
	const struct screen_row *row = screen_selected(screen);

	if (!row)
		return;
	screen->selected_key = row->key;
	screen_opened_set(screen, row);
	screen->view = VIEW_PAIR;
}

/* Asks for how long the pair that is selected or open shall be traced. */
static void trace_ask(struct top_screen *screen)
{
	if (screen->view == VIEW_TABLE) {
		if (!screen_selected(screen))
			return;
		screen_opened_set(screen, screen_selected(screen));
	}
	screen->trace = screen->opened.trace;
	typed_clear(&screen->seconds);
	screen->prompt = PROMPT_SECONDS;
}

static enum top_ask table_key(struct top_screen *screen, uint32_t key)
{
	if (move_key(screen, key) || sort_key(screen, key))
		return TOP_GO_ON;
	if (key == 'q')
		return TOP_QUIT;
	if (key == '/')
		screen->prompt = PROMPT_FILTER;
	if (key == TOP_KEY_ENTER)
		pair_open(screen);
	if (key == TOP_KEY_ESCAPE)
		filter_key(screen, key);
	return TOP_GO_ON;
}

static bool is_back(uint32_t key)
{
	return key == TOP_KEY_ESCAPE || key == TOP_KEY_ENTER || key == TOP_KEY_BACKSPACE ||
	       key == 'q';
}

enum top_ask top_screen_key(struct top_screen *screen, uint32_t key)
{
	screen->message[0] = 0;
	if (screen->help) {
		screen->help = false;
		return TOP_GO_ON;
	}
	if (screen->prompt == PROMPT_SECONDS)
		return seconds_key(screen, key);
	if (screen->prompt == PROMPT_FILTER)
		filter_key(screen, key);
	else if (key == '?')
		screen->help = true;
	else if (key == 'd')
		trace_ask(screen);
	else if (key == ' ')
		return TOP_NOW;
	else if (screen->view == VIEW_TABLE)
		return table_key(screen, key);
	else if (is_back(key))
		screen->view = VIEW_TABLE;
	return TOP_GO_ON;
}

/* --- the page -------------------------------------------------------------------------------- */

static void prompt_draw(struct screen_sheet *sheet, const char *question,
			const struct screen_typed *typed)
{
	int at, width = sheet->canvas.width;

	sheet_put(sheet, 0, width, question, TEXT_BOLD);
	at = text_line_end(&sheet->canvas) + 1;
	sheet_put(sheet, at, width - at, typed->text, TEXT_PLAIN);
	at += text_width(&sheet->canvas, typed->text);
	sheet->page->cursor_row = (int)sheet->page->count;
	sheet->page->cursor_column = at < width ? at : width - 1;
}

static const char *question(const struct top_screen *screen, char text[256])
{
	if (screen->prompt == PROMPT_FILTER)
		return screen_say(screen, "filter:");
	snprintf(text, 256, screen_say(screen, "trace %s and %s, seconds [%d]:"),
		 screen->opened.from, screen->opened.to, SECONDS_DEFAULT);
	return text;
}

static const char *keys_text(const struct top_screen *screen)
{
	if (screen->help)
		return "any key: go back";
	if (screen->view == VIEW_PAIR)
		return "Esc back   d trace   ? help";
	return "Enter open   d trace   / filter   < > sort   r reverse   ? help   q quit";
}

static void last_line_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	char text[256];

	sheet_fill(sheet, sheet->rows - 1);
	if (screen->prompt != PROMPT_NONE)
		prompt_draw(sheet, question(screen, text),
			    screen->prompt == PROMPT_FILTER ? &screen->filter : &screen->seconds);
	else if (screen->message[0])
		sheet_put(sheet, 0, screen->width, screen->message, TEXT_YELLOW);
	else
		sheet_put(sheet, 0, screen->width, screen_say(screen, keys_text(screen)), TEXT_DIM);
	sheet_line(sheet, TOP_PLAIN);
}

void top_screen_draw(struct top_screen *screen, struct arena *arena, struct top_page *page)
{
	struct screen_sheet sheet;

	sheet_begin(&sheet, screen, arena, page);
	if (screen->help)
		screen_help_draw(screen, &sheet);
	else if (screen->view == VIEW_PAIR)
		screen_pair_draw(screen, &sheet);
	else
		screen_table_draw(screen, &sheet);
	last_line_draw(screen, &sheet);
	sheet_end(&sheet);
}
