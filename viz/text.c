// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The text renderer: lanes as columns, one line (or two) a row. */
#include <errno.h>
#include <stdlib.h>

#include "render.h"
#include "text_page.h"

static void choose_unit(struct text_page *page)
{
	uint64_t last = page->scene->duration_ns;

	if (page->scene->row_count && page->scene->rows[page->scene->row_count - 1].at_ns > last)
		last = page->scene->rows[page->scene->row_count - 1].at_ns;
	page->unit_ns = last < 10000000 ? 1e3 : last < 100000000000 ? 1e6 : 1e9;
	page->unit = last < 10000000 ? "µs" : last < 100000000000 ? "ms" : "s";
}

/* The head comes again where a screen begins, but not for the last few rows. */
static bool head_due(const struct render_options *options, size_t drawn, size_t left)
{
	size_t every = options->screen_rows > 12 ? (size_t)options->screen_rows - 5 : 0;

	return every && drawn >= every && left > 3;
}

static void draw_lanes(struct text_page *page, const struct render_options *options)
{
	const struct scene *scene = page->scene;
	size_t drawn = 0;

	if (scene->row_count)
		text_boxes(page, 0);
	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];

		if (text_row_hidden(&page->layout, row)) {
			page->hidden++;
			page->hidden_messages += text_row_is_message(row);
			continue;
		}
		if (head_due(options, drawn, scene->row_count - i)) {
			text_boxes(page, i);
			drawn = 0;
		}
		text_row(page, i);
		drawn++;
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
	int err = text_canvas_begin(&page.canvas, out, options->width, options->utf8,
				    options->colour);

	if (err)
		return err;
	err = text_layout_make(&page.layout, scene, &page.canvas);
	for (int i = 0; i < 2; i++) {
		page.until[i] = calloc(scene->lane_count + 1, sizeof(*page.until[i]));
		if (!page.until[i])
			err = -ENOMEM;
	}
	if (!err) {
		choose_unit(&page);
		draw(&page, options);
		err = ferror(out) ? -EIO : 0;
	}
	free(page.until[0]);
	free(page.until[1]);
	text_layout_free(&page.layout);
	text_canvas_end(&page.canvas);
	return err;
}
