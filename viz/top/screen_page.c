// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/top/screen_state.h"

void sheet_begin(struct screen_sheet *sheet, const struct top_screen *screen, struct arena *arena,
		 struct top_page *page)
{
	*sheet = (struct screen_sheet){.page = page, .arena = arena, .rows = screen->rows};
	memset(page, 0, sizeof(*page));
	page->lines = arena_array(arena, (size_t)screen->rows, sizeof(*page->lines));
	page->cursor_row = page->cursor_column = -1;
	text_canvas_begin(&sheet->canvas, NULL, screen->width, screen->look.utf8, false);
}

void sheet_end(struct screen_sheet *sheet)
{
	text_canvas_end(&sheet->canvas);
}

struct run_place {
	struct arena *arena;
	struct top_line *line;
};

static void run_keep(void *context, int column, const char *text, enum text_colour colour)
{
	const struct run_place *place = context;
	struct top_run run = {.column = column, .colour = colour};

	run.text = (const char *)arena_bytes(place->arena, text, strlen(text)).data;
	ARENA_PUSH(place->arena, place->line->runs, place->line->count, run);
}

void sheet_line(struct screen_sheet *sheet, enum top_style style)
{
	struct top_line beyond = {0}, *line = &beyond;
	struct run_place place = {sheet->arena, NULL};

	if (sheet->page->count < (size_t)sheet->rows)
		line = &sheet->page->lines[sheet->page->count++];
	line->style = style;
	place.line = line;
	text_runs(&sheet->canvas, run_keep, &place);
}

void sheet_put(struct screen_sheet *sheet, int column, int room, const char *text,
	       enum text_colour colour)
{
	char *harmless = scene_harmless(text, strlen(text));

	text_put(&sheet->canvas, column, room, harmless, colour);
	free(harmless);
}

void sheet_put_right(struct screen_sheet *sheet, int column, int room, const char *text,
		     enum text_colour colour)
{
	int width = text_width(&sheet->canvas, text);

	sheet_put(sheet, column + (width < room ? room - width : 0), room, text, colour);
}

void sheet_text(struct screen_sheet *sheet, const char *text, enum text_colour colour)
{
	sheet_put(sheet, 0, sheet->canvas.width, text, colour);
	sheet_line(sheet, TOP_PLAIN);
}

int sheet_room(const struct screen_sheet *sheet)
{
	return sheet->rows - 1 - (int)sheet->page->count;
}

void sheet_fill(struct screen_sheet *sheet, int rows)
{
	while ((int)sheet->page->count < rows)
		sheet_line(sheet, TOP_PLAIN);
}
