/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One line of a text picture as cells, so that nothing drifts: what is put at a column stays
 * there, wide characters take two, nothing goes beyond the width, and no control character leaves.
 */
#ifndef VIZ_TEXT_CANVAS_H
#define VIZ_TEXT_CANVAS_H

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum text_glyph {
#define GLYPH(id, utf8, ascii) GLYPH_##id,
#include "text_glyphs.def"
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
	struct text_cell *cells; /* one line */
	int width;
	size_t lines; /* written so far */
	bool utf8;
	bool colour;
	locale_t locale; /* knows how wide characters are */
	locale_t saved;
	FILE *out;
};

/* 0 or -ENOMEM. Changes the thread's LC_CTYPE until text_canvas_end(). */
int text_canvas_begin(struct text_canvas *canvas, FILE *out, int width, bool utf8, bool colour);
void text_canvas_end(struct text_canvas *canvas);

void text_put_glyph(struct text_canvas *canvas, int column, enum text_glyph glyph,
		    enum text_colour colour);

/* Puts at most `room` columns, ending in … where the text is longer. Gives the columns used. */
int text_put(struct text_canvas *canvas, int column, int room, const char *text,
	     enum text_colour colour);

/* The same, beginning with … where the text is longer: of numbers the end tells most. */
int text_put_end(struct text_canvas *canvas, int column, int room, const char *text,
		 enum text_colour colour);

/* Columns the whole text would take. */
int text_width(const struct text_canvas *canvas, const char *text);

/* Bytes of `text` that fit `room` columns, broken at a space where there is one. */
int text_break(const struct text_canvas *canvas, const char *text, int room);

/* Writes the line without blanks at its end, and clears it. */
void text_flush(struct text_canvas *canvas);

#endif
