/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One line of a text picture, as an array of cells. What is put at a column stays there: wide
 * characters take two cells, nothing is written beyond the width, and no control character is
 * printed.
 */
#ifndef VIZ_BASE_CANVAS_H
#define VIZ_BASE_CANVAS_H

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum text_glyph {
#define GLYPH(id, utf8, ascii) GLYPH_##id,
#include "viz/base/glyphs.def"
#undef GLYPH
	GLYPH_COUNT
};

enum text_colour {
	TEXT_PLAIN,
	TEXT_DIM,
	TEXT_BOLD,
	TEXT_RED,
	TEXT_GREEN,
	TEXT_YELLOW,
	TEXT_BLUE,
	TEXT_MAGENTA,
	TEXT_CYAN,
	TEXT_COLOURS
};

struct text_cell;

struct text_canvas {
	struct text_cell *cells; /* the current line */
	int width;
	size_t lines; /* lines written so far */
	bool utf8;
	bool colour;
	locale_t locale; /* it knows the width of characters */
	locale_t saved;
	FILE *out;
};

/* Changes the LC_CTYPE of the thread until text_canvas_end(). */
void text_canvas_begin(struct text_canvas *canvas, FILE *out, int width, bool utf8, bool colour);
void text_canvas_end(struct text_canvas *canvas);

/* Puts a glyph at a column, in UTF-8 or ASCII; columns outside the line are ignored. */
void text_put_glyph(struct text_canvas *canvas, int column, enum text_glyph glyph,
		    enum text_colour colour);

/* True if the current line has that glyph at a column: nothing was put over it. */
bool text_shows_glyph(const struct text_canvas *canvas, int column, enum text_glyph glyph);

/* The first column behind all that is on the current line. */
int text_line_end(const struct text_canvas *canvas);

/*
 * Puts the text into at most `room` columns and ends it with … if it is longer. Gives the number of
 * columns used.
 */
int text_put(struct text_canvas *canvas, int column, int room, const char *text,
	     enum text_colour colour);

/* text_put(), but cuts the beginning and puts … there: the end of a number matters most. */
int text_put_end(struct text_canvas *canvas, int column, int room, const char *text,
		 enum text_colour colour);

/* The number of columns that the whole text takes. */
int text_width(const struct text_canvas *canvas, const char *text);

/* The number of bytes of `text` that fit into `room` columns, up to a space if there is one. */
int text_break(const struct text_canvas *canvas, const char *text, int room);

/* Gives the line to `run` in pieces of one colour, without the blanks at its end, and clears it. */
typedef void text_run_fn(void *context, int column, const char *text, enum text_colour colour);
void text_runs(struct text_canvas *canvas, text_run_fn *run, void *context);

/* Writes the line, without the blanks at its end, and clears it. */
void text_flush(struct text_canvas *canvas);

#endif
