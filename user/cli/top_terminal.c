// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/top_terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CTRL_L 12
#define ESCAPE_MS 25 /* what follows an Esc later is no key's sequence */

/* What ncurses makes of a colour: a pair of its own, or something else where there is none. */
static const struct {
	short colour;
	attr_t always, without;
} looks[TEXT_COLOURS] = {
	[TEXT_PLAIN] = {-1, A_NORMAL, A_NORMAL},
	[TEXT_DIM] = {-1, A_DIM, A_NORMAL},
	[TEXT_BOLD] = {-1, A_BOLD, A_NORMAL},
	[TEXT_RED] = {COLOR_RED, A_BOLD, A_NORMAL},
	[TEXT_GREEN] = {COLOR_GREEN, A_NORMAL, A_NORMAL},
	[TEXT_YELLOW] = {COLOR_YELLOW, A_BOLD, A_UNDERLINE},
	[TEXT_BLUE] = {COLOR_BLUE, A_NORMAL, A_NORMAL},
	[TEXT_MAGENTA] = {COLOR_MAGENTA, A_NORMAL, A_NORMAL},
	[TEXT_CYAN] = {COLOR_CYAN, A_NORMAL, A_NORMAL},
};

/* Characters are as wide as the locale says: one of UTF-8, where the terminal is. */
static void locale_take(const struct term *term)
{
	setlocale(LC_CTYPE, "");
	if (term->utf8 && strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static void colours_begin(void)
{
	start_color();
	use_default_colors();
	for (int i = 0; i < TEXT_COLOURS; i++)
		if (looks[i].colour >= 0)
			init_pair((short)(i + 1), looks[i].colour, -1);
}

bool top_terminal_open(const struct term *term)
{
	locale_take(term);
	if (!newterm(NULL, stdout, stdin))
		return false;
	atexit(top_terminal_close);
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	if (term->colour && has_colors())
		colours_begin();
	return true;
}

void top_terminal_close(void)
{
	if (!isendwin())
		endwin();
}

void top_terminal_leave(void)
{
	endwin();
}

void top_terminal_return(void)
{
	flushinp();
	clearok(curscr, TRUE);
}

void top_terminal_measure(int *rows, int *width)
{
	struct winsize size = {0};

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	getmaxyx(stdscr, *rows, *width);
}

static attr_t look_of(enum text_colour colour, enum top_style style)
{
	attr_t look = looks[colour].always;
	bool coloured = looks[colour].colour >= 0 && COLOR_PAIRS > TEXT_COLOURS;

	if (style != TOP_PLAIN) /* dim letters on a bright bar cannot be read */
		look = (look & ~A_DIM) | A_REVERSE;
	if (!coloured)
		return look | looks[colour].without;
	return style == TOP_SELECTED ? look : look | (attr_t)COLOR_PAIR(colour + 1);
}

static void line_draw(int row, const struct top_line *line)
{
	attrset((int)look_of(TEXT_PLAIN, line->style));
	if (line->style != TOP_PLAIN)
		mvhline(row, 0, ' ' | look_of(TEXT_PLAIN, line->style), COLS);
	for (size_t i = 0; i < line->count; i++) {
		attrset((int)look_of(line->runs[i].colour, line->style));
		mvaddstr(row, line->runs[i].column, line->runs[i].text);
	}
	attrset(A_NORMAL);
}

void top_terminal_draw(const struct top_page *page)
{
	erase();
	for (size_t i = 0; i < page->count; i++)
		line_draw((int)i, &page->lines[i]);
	curs_set(page->cursor_row >= 0);
	if (page->cursor_row >= 0)
		move(page->cursor_row, page->cursor_column);
	refresh();
}

static uint32_t special_key(wint_t code)
{
	static const struct {
		wint_t code;
		uint32_t key;
	} keys[] = {
		{KEY_UP, TOP_KEY_UP},	      {KEY_DOWN, TOP_KEY_DOWN},
		{KEY_LEFT, TOP_KEY_LEFT},     {KEY_RIGHT, TOP_KEY_RIGHT},
		{KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
		{KEY_HOME, TOP_KEY_HOME},     {KEY_END, TOP_KEY_END},
		{KEY_ENTER, TOP_KEY_ENTER},   {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return 0;
}

/* 0: it means nothing. */
static uint32_t plain_key(wint_t code)
{
	if (code == '\r')
		return TOP_KEY_ENTER;
	if (code == '\b')
		return TOP_KEY_BACKSPACE;
	if (code == CTRL_L) {
		clearok(curscr, TRUE);
		return 0;
	}
	return code;
}

bool top_terminal_key(uint32_t *key)
{
	wint_t code;
	int got = get_wch(&code);

	if (got == ERR)
		return false;
	*key = got == KEY_CODE_YES ? special_key(code) : plain_key(code);
	return true;
}
