/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The full-screen table of `ipclens top`, without a terminal: keys and intervals go in, lines come
 * out. Texts of lines are harmless: they have no control character and no invisible one.
 */
#ifndef VIZ_TOP_SCREEN_H
#define VIZ_TOP_SCREEN_H

#include <stdint.h>

#include "viz/base/canvas.h"
#include "viz/format/language.h"
#include "viz/top/output.h"

struct top_screen;

struct top_look {
	bool utf8;
	enum language language;
};

/* A key is a character, or one of these. */
enum top_key {
	TOP_KEY_ENTER = '\n',
	TOP_KEY_ESCAPE = 0x1b,
	TOP_KEY_BACKSPACE = 0x7f,
	TOP_KEY_UP = 0x110000,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
};

/* What the keys have asked for. */
enum top_ask { TOP_GO_ON, TOP_QUIT, TOP_TRACE, TOP_NOW /* the interval shall end */ };

/* The processes of the pair that shall be traced, and for how long. */
#define TOP_TRACED_MOST 32
#define TOP_TRACE_SECONDS_MOST 3600
struct top_trace {
	pid_t pids[TOP_TRACED_MOST];
	size_t count;
	unsigned seconds;
};

struct top_screen *top_screen_new(const struct top_look *look);
void top_screen_free(struct top_screen *screen); /* NULL is accepted */

/* The size of the terminal. Before this is called it is 24 lines of 80 columns. */
void top_screen_resize(struct top_screen *screen, int rows, int width);

/* Takes an interval's pairs, which must stay as they are until the next call or the last use. */
void top_screen_show(struct top_screen *screen, const struct top_pairs *pairs,
		     const struct top_interval *interval);

enum top_ask top_screen_key(struct top_screen *screen, uint32_t key);

/* Valid after TOP_TRACE. */
const struct top_trace *top_screen_trace(const struct top_screen *screen);

/* Shows a message until the next key; it is copied. */
void top_screen_tell(struct top_screen *screen, const char *message);

enum top_style {
	TOP_PLAIN,
	TOP_BAR, /* the head of the table: from edge to edge */
	TOP_SELECTED
};

/* A part of a line that has one colour. Between two parts are blanks. */
struct top_run {
	int column;
	const char *text;
	enum text_colour colour;
};

struct top_line {
	enum top_style style;
	struct top_run *runs;
	size_t count;
};

struct top_page {
	struct top_line *lines;
	size_t count;
	int cursor_row, cursor_column; /* where something is typed; -1: nowhere */
};

/* As many lines as the terminal has, or fewer; the memory is the arena's. */
void top_screen_draw(struct top_screen *screen, struct arena *arena, struct top_page *page);

#endif
