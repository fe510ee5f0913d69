// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The text renderer: lanes are columns, and a row has one line or two. */
#include <errno.h>
#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/render/render.h"
#include "viz/render/text/picture.h"

/* The time column fits 99999.9. */
#define US_MOST_NS 100000000
#define MS_MOST_NS 90000000000

static void choose_unit(struct text_page *page)
{
	uint64_t last = page->scene->duration_ns;

	if (page->scene->row_count && page->scene->rows[page->scene->row_count - 1].at_ns > last)
		last = page->scene->rows[page->scene->row_count - 1].at_ns;
	page->unit_ns = last < US_MOST_NS ? 1e3 : last < MS_MOST_NS ? 1e6 : 1e9;
	page->unit = last < US_MOST_NS ? "µs" : last < MS_MOST_NS ? "ms" : "s";
}

/* True if the head is to be repeated: once per screen, but not for the last few rows. */
static bool head_due(const struct render_options *options, size_t lines, size_t rows_left)
{
	size_t every = options->screen_rows > 12 ? (size_t)options->screen_rows - 2 : 0;

	return every && lines >= every && rows_left > 3;
}

static void draw_lanes(struct text_page *page, const struct render_options *options)
{
	const struct scene *scene = page->scene;
	size_t head = 0; /* line where the last head began */

	if (scene->row_count)
		text_boxes(page, 0);
	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];

		if (text_row_hidden(&page->layout, row)) {
			page->hidden++;
			page->hidden_messages += text_row_is_message(row) ? row->folded + 1 : 0;
			continue;
		}
		if (head_due(options, page->canvas.lines - head, scene->row_count - i)) {
			head = page->canvas.lines;
			text_boxes(page, i);
		}
		text_newcomers(page, i);
		text_row(page, i);
	}
}

static void draw(struct text_page *page, const struct render_options *options)
{
	text_head(page);
	if (options->plain || page->layout.lines)
		for (size_t i = 0; i < page->scene->row_count; i++)
			text_line(page, i);
	else
		draw_lanes(page, options);
	text_foot(page);
}

int render_text(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct text_page page = {.scene = scene};

	text_canvas_begin(&page.canvas, out, options->width, options->utf8, options->colour);
	text_layout_make(&page.layout, scene, &page.canvas);
	for (int i = 0; i < SCENE_BAR_KIND_COUNT; i++)
		page.until[i] = memory_array(scene->lane_count + 1, sizeof(*page.until[i]));
	page.headed = memory_array(scene->lane_count + 1, sizeof(*page.headed));
	choose_unit(&page);
	draw(&page, options);
	for (int i = 0; i < SCENE_BAR_KIND_COUNT; i++)
		free(page.until[i]);
	free(page.headed);
	text_layout_free(&page.layout);
	text_canvas_end(&page.canvas);
	return ferror(out) ? -EIO : 0;
}
