// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/canvas.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "viz/base/json.h"
#include "viz/base/memory.h"

struct text_cell {
	uint32_t c;    /* 0: blank; CONTINUED: the right half of a wide character */
	uint32_t mark; /* a combining mark on it, 0: none */
	enum text_colour colour;
};

#define CONTINUED UINT32_MAX

static const struct {
	const char *utf8;
	char ascii;
} glyphs[] = {
#define GLYPH(id, utf8, ascii) [GLYPH_##id] = {utf8, ascii},
#include "viz/base/glyphs.def"
#undef GLYPH
};

static const char *const sgr[TEXT_COLOURS] = {
	[TEXT_DIM] = "2",     [TEXT_BOLD] = "1",  [TEXT_RED] = "31",	 [TEXT_GREEN] = "32",
	[TEXT_YELLOW] = "33", [TEXT_BLUE] = "94", [TEXT_MAGENTA] = "35", [TEXT_CYAN] = "36",
};

/* How characters of our own texts are spelled in ASCII; others become \u00e9. */
static const struct {
	uint32_t c;
	const char *ascii;
} spelled[] = {
	{0xb5, "u"},	{0xb7, "-"},	{0xd7, "x"},	 {0x2026, "..."},
	{0x2192, "->"}, {0x2190, "<-"}, {0x21c4, "<->"}, {0x25b2, "^"},
	{0x25bc, "v"},	{0xe4, "ae"},	{0xf6, "oe"},	 {0xfc, "ue"},
	{0xdf, "ss"},	{0xc4, "Ae"},	{0xd6, "Oe"},	 {0xdc, "Ue"},
};

/*
 * What one character of a text becomes: up to 10 characters of one column each, or one character of
 * any width.
 */
struct piece {
	uint32_t c[10];
	int count;
	int width; /* of the only one, if count is 1; 0: a combining mark */
};

static uint32_t next_char(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	size_t n = utf8_sequence_len(p, strnlen(*text, 4));
	uint32_t c = n == 1 ? *p : *p & (0x7fu >> n);

	*text += n ? n : 1;
	if (n == 0)
		return 0xfffd;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static void spell(struct piece *piece, uint32_t c)
{
	char buf[16];
	const char *text = buf;

	snprintf(buf, sizeof(buf), c > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32, c);
	for (size_t i = 0; i < sizeof(spelled) / sizeof(*spelled); i++)
		if (spelled[i].c == c)
			text = spelled[i].ascii;
	for (piece->count = 0; text[piece->count]; piece->count++)
		piece->c[piece->count] = (unsigned char)text[piece->count];
	piece->width = 1;
}

static struct piece next_piece(const struct text_canvas *canvas, const char **text)
{
	uint32_t c = next_char(text);
	struct piece piece = {.c = {c}, .count = 1, .width = 1};

	if (c >= 0x20 && c < 0x7f)
		return piece;
	if (canvas->utf8 && c >= 0xa0)
		piece.width = wcwidth((wchar_t)c);
	if (!canvas->utf8 || c < 0xa0 || piece.width < 0)
		spell(&piece, c);
	return piece;
}

void text_canvas_begin(struct text_canvas *canvas, FILE *out, int width, bool utf8, bool colour)
{
	*canvas = (struct text_canvas){.width = width, .utf8 = utf8, .colour = colour, .out = out};
	canvas->cells = memory_array((size_t)width + 1, sizeof(*canvas->cells));
	canvas->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (canvas->locale)
		canvas->saved = uselocale(canvas->locale);
}

void text_canvas_end(struct text_canvas *canvas)
{
	if (canvas->locale) {
		uselocale(canvas->saved);
		freelocale(canvas->locale);
	}
	free(canvas->cells);
}

/* If the cell is half of a wide character, its other half becomes blank. */
static void put_cell(struct text_canvas *canvas, int column, uint32_t c, enum text_colour colour)
{
	struct text_cell *cell;

	if (column < 0 || column >= canvas->width)
		return;
	cell = &canvas->cells[column];
	if (cell->c == CONTINUED && column > 0)
		cell[-1] = (struct text_cell){0};
	if (cell[1].c == CONTINUED)
		cell[1] = (struct text_cell){0};
	*cell = (struct text_cell){.c = c, .colour = colour};
}

void text_put_glyph(struct text_canvas *canvas, int column, enum text_glyph glyph,
		    enum text_colour colour)
{
	const char *text = glyphs[glyph].utf8;

	put_cell(canvas, column,
		 canvas->utf8 ? next_char(&text) : (unsigned char)glyphs[glyph].ascii, colour);
}

bool text_shows_glyph(const struct text_canvas *canvas, int column, enum text_glyph glyph)
{
	const char *text = glyphs[glyph].utf8;
	uint32_t c = canvas->utf8 ? next_char(&text) : (unsigned char)glyphs[glyph].ascii;

	return column >= 0 && column < canvas->width && canvas->cells[column].c == c;
}

static void put_mark(struct text_canvas *canvas, int column, uint32_t mark)
{
	if (column > 0 && column < canvas->width && canvas->cells[column].c == CONTINUED)
		column--;
	if (column >= 0 && column < canvas->width && canvas->cells[column].c > ' ' &&
	    !canvas->cells[column].mark)
		canvas->cells[column].mark = mark;
}

static int piece_width(const struct piece *piece)
{
	return piece->count > 1 ? piece->count : piece->width;
}

static void put_piece(struct text_canvas *canvas, int column, const struct piece *piece,
		      enum text_colour colour)
{
	if (piece->count == 1 && piece->width == 0) {
		put_mark(canvas, column - 1, piece->c[0]);
		return;
	}
	for (int i = 0; i < piece->count; i++)
		put_cell(canvas, column + i, piece->c[i], colour);
	if (piece->count == 1 && piece->width == 2 && column + 1 < canvas->width)
		canvas->cells[column + 1] = (struct text_cell){.c = CONTINUED, .colour = colour};
}

int text_width(const struct text_canvas *canvas, const char *text)
{
	int width = 0;

	while (*text && width < INT32_MAX / 2) {
		struct piece piece = next_piece(canvas, &text);

		width += piece_width(&piece);
	}
	return width;
}

int text_put(struct text_canvas *canvas, int column, int room, const char *text,
	     enum text_colour colour)
{
	bool cut;
	int used = 0;

	if (column + room > canvas->width)
		room = canvas->width - column;
	if (room <= 0)
		return 0;
	cut = text_width(canvas, text) > room;
	while (*text) {
		struct piece piece = next_piece(canvas, &text);

		if (used + piece_width(&piece) > room - cut)
			break;
		put_piece(canvas, column + used, &piece, colour);
		used += piece_width(&piece);
	}
	if (cut)
		text_put_glyph(canvas, column + used++, GLYPH_ELLIPSIS, colour);
	return used;
}

int text_put_end(struct text_canvas *canvas, int column, int room, const char *text,
		 enum text_colour colour)
{
	int width = text_width(canvas, text);

	if (column + room > canvas->width)
		room = canvas->width - column;
	if (room <= 0 || width <= room)
		return text_put(canvas, column, room, text, colour);
	while (*text && width > room - 1) {
		struct piece piece = next_piece(canvas, &text);

		width -= piece_width(&piece);
	}
	text_put_glyph(canvas, column, GLYPH_ELLIPSIS, colour);
	return 1 + text_put(canvas, column + 1, room - 1, text, colour);
}

int text_break(const struct text_canvas *canvas, const char *text, int room)
{
	const char *start = text;
	const char *fits = text;
	const char *space = NULL;
	int width = 0;

	while (*text) {
		struct piece piece = next_piece(canvas, &text);

		width += piece_width(&piece);
		if (width > room)
			return (int)((space ? space : fits > start ? fits : text) - start);
		fits = text;
		if (*text == ' ')
			space = text;
	}
	return (int)(text - start);
}

static void write_char(FILE *out, uint32_t c)
{
	if (c < 0x80) {
		putc((int)(c ? c : ' '), out);
		return;
	}
	if (c < 0x800) {
		putc((int)(0xc0 | c >> 6), out);
	} else if (c < 0x10000) {
		putc((int)(0xe0 | c >> 12), out);
		putc((int)(0x80 | (c >> 6 & 0x3f)), out);
	} else {
		putc((int)(0xf0 | c >> 18), out);
		putc((int)(0x80 | (c >> 12 & 0x3f)), out);
		putc((int)(0x80 | (c >> 6 & 0x3f)), out);
	}
	putc((int)(0x80 | (c & 0x3f)), out);
}

static void set_colour(struct text_canvas *canvas, enum text_colour colour)
{
	if (canvas->colour)
		fprintf(canvas->out, "\x1b[%sm", sgr[colour] ? sgr[colour] : "0");
}

int text_line_end(const struct text_canvas *canvas)
{
	int end = canvas->width;

	while (end > 0 && (canvas->cells[end - 1].c == 0 || canvas->cells[end - 1].c == ' '))
		end--;
	return end;
}

static bool is_blank(const struct text_cell *cell)
{
	return cell->c == 0 || cell->c == ' ';
}

static void cell_write(FILE *out, const struct text_cell *cell)
{
	if (cell->c == CONTINUED)
		return;
	write_char(out, cell->c);
	if (cell->mark)
		write_char(out, cell->mark);
}

/* Gives the cells from `from` on that have its colour, and blanks amid them; returns the end. */
static int run_give(const struct text_canvas *canvas, int from, int end, text_run_fn *run,
		    void *context)
{
	const enum text_colour colour = canvas->cells[from].colour;
	char *text;
	size_t len;
	FILE *out = memory_stream(&text, &len);
	int at = from;

	for (; at < end; at++) {
		const struct text_cell *cell = &canvas->cells[at];

		if (!is_blank(cell) && cell->colour != colour)
			break;
		cell_write(out, cell);
	}
	memory_stream_end(out);
	run(context, from, text, colour);
	free(text);
	return at;
}

void text_runs(struct text_canvas *canvas, text_run_fn *run, void *context)
{
	int end = text_line_end(canvas);

	for (int at = 0; at < end;) {
		if (is_blank(&canvas->cells[at]))
			at++;
		else
			at = run_give(canvas, at, end, run, context);
	}
	canvas->lines++;
	memset(canvas->cells, 0, ((size_t)canvas->width + 1) * sizeof(*canvas->cells));
}

void text_flush(struct text_canvas *canvas)
{
	enum text_colour colour = TEXT_PLAIN;
	int end = text_line_end(canvas);

	for (int i = 0; i < end; i++) {
		const struct text_cell *cell = &canvas->cells[i];

		if (cell->c == CONTINUED)
			continue;
		if (cell->c > ' ' && cell->colour != colour) {
			if (colour != TEXT_PLAIN && cell->colour != TEXT_PLAIN)
				set_colour(canvas, TEXT_PLAIN);
			colour = cell->colour;
			set_colour(canvas, colour);
		}
		cell_write(canvas->out, cell);
	}
	if (colour != TEXT_PLAIN)
		set_colour(canvas, TEXT_PLAIN);
	putc('\n', canvas->out);
	canvas->lines++;
	memset(canvas->cells, 0, ((size_t)canvas->width + 1) * sizeof(*canvas->cells));
}
