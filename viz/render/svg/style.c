// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Escaped text, and the classes by which rows and lines have their colours. */
#include "viz/render/common/palette.h"
#include "viz/render/common/steps.h"
#include "viz/render/svg/drawing.h"

void svg_put_text(struct svg_page *page, const char *text, size_t most)
{
	size_t len = render_cut(text, most);

	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '&':
			fputs("&amp;", page->out);
			break;
		case '<':
			fputs("&lt;", page->out);
			break;
		case '>':
			fputs("&gt;", page->out);
			break;
		default:
			putc(text[i], page->out);
		}
	}
	if (text[len])
		fputs("…", page->out);
}

const char *svg_line_class(enum scene_style style)
{
	static const char *const classes[] = {
		[SCENE_COPY] = "copy", [SCENE_CONTROL] = "thin", [SCENE_NOTIFY] = "dots"};

	return classes[style];
}

const char *svg_row_class(const struct scene_row *row)
{
	if (row->kind == SCENE_FAILED || row->part == SCENE_DROPPED ||
	    row->severity == SEVERITY_ERROR)
		return "bad";
	if (row->kind == SCENE_FOUND)
		return "warn";
	return render_colours(render_family(row->mechanism))->name;
}
