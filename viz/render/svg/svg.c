// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes a sequence diagram for documents and browsers: text that can be selected and searched,
 * light or dark as the reader's system, a title on every arrow, no script and no external
 * resources.
 */
#include <errno.h>
#include <stdlib.h>

#include "viz/base/safe_text.h"
#include "viz/render/common/palette.h"
#include "viz/render/common/steps.h"
#include "viz/render/render.h"
#include "viz/render/svg/drawing.h"

enum { LINE = 18, ROUTE_MOST = 80, NOTE_MOST = 140, NAME_MOST = 40, DETAIL_CHARACTERS = 100 };
enum { SVG_DEPTH_MOST = 8, SVG_INSET = 4 };

/* --- style --- */

static const char style[] =
	"text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1b1f24;"
	"white-space:pre}"
	".paper{fill:#fff}.lane{stroke:#8a929c;stroke-width:1}"
	".box{fill:#fff;stroke:#59626d;stroke-width:1}.c{font-weight:bold;font-size:13px}"
	".h{font-weight:bold}.l,.n{paint-order:stroke;stroke:#fff;stroke-width:4px;"
	"stroke-linejoin:round}.n{font-size:10px;stroke:none}.t,.d{fill:#59626d}.b{fill:#1b1f24}"
	".w{fill:#8a5a00}.copy,.thin,.dots,.o{fill:none;stroke:currentColor;stroke-width:1.5}"
	".copy{stroke-width:2}.dots{stroke-dasharray:4 3}.f{fill:currentColor;stroke:currentColor}"
	".p,.tie{fill:#fff}.tie{stroke:currentColor}.asleep{fill:url(#hatch);stroke:#8a929c}"
	".hatch{stroke:#8a929c;stroke-width:2}.handler{fill:#C4699B;stroke:#8a929c}"
	".held{fill:#1020A0;fill-opacity:.3;stroke:#8a929c}"
	".bad{color:#c00000}.warn{color:#8a5a00}.k{fill:currentColor}"
	".via{stroke-width:3}.loop{fill:none;stroke:#59626d;stroke-dasharray:2 2}";

static const char dark[] =
	"text,.b{fill:#e6e9ec}.paper,.box,.p,.tie{fill:#0f1419}.lane{stroke:#6b7580}"
	".box{stroke:#9aa4af}.l{stroke:#0f1419}.t,.d{fill:#a3adb8}.w{fill:#E69F00}"
	".bad{color:#ff7b72}.warn{color:#E69F00}.k{fill:currentColor}.held{fill:#56B4E9}";

static void put_style(struct svg_page *page)
{
	fprintf(page->out, "<style>%s", style);
	for (enum render_family i = 0; i < FAMILY_COUNT; i++)
		fprintf(page->out, ".%s{color:%s}", render_colours(i)->name,
			render_colours(i)->light);
	fprintf(page->out, "@media (prefers-color-scheme:dark){%s", dark);
	for (enum render_family i = 0; i < FAMILY_COUNT; i++)
		fprintf(page->out, ".%s{color:%s}", render_colours(i)->name,
			render_colours(i)->dark);
	fputs("}@media print{text{fill:#000}.copy,.thin,.dots,.o{stroke-width:2}}</style>\n"
	      "<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" "
	      "patternUnits=\"userSpaceOnUse\"><path class=\"hatch\" d=\"M0 5L5 0\"/></pattern>"
	      "</defs>\n",
	      page->out);
}

/* --- lanes --- */

static void put_box(struct svg_page *page, size_t lane, double y)
{
	char *name = render_lane_name(&page->scene->lanes[lane]);
	double width = svg_box_width(&page->scene->lanes[lane]);
	double x = page->lane_x[lane];

	fprintf(page->out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"4\"/>"
		"<text class=\"h\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
		page->scene->lanes[lane].kind >= SCENE_LANE_KERNEL ? "box via" : "box",
		x - width / 2, y - SVG_BOX / 2.0, width, SVG_BOX, x, y + 4);
	svg_put_text(page, name, SIZE_MAX);
	fputs("</text>\n", page->out);
	free(name);
}

static double bottom(const struct svg_page *page)
{
	return svg_row_y(page->rows) - SVG_ROW / 2.0;
}

static size_t last_row(const struct svg_page *page, const struct scene_lane *lane)
{
	return lane->last_row < page->rows ? lane->last_row : page->rows;
}

/*
 * Returns the y of a lane's beginning: the top for processes that existed before, the row of the
 * fork, or between two rows if the fork was not seen.
 */
static double birth_y(const struct scene_lane *lane)
{
	if (lane->born)
		return svg_row_y(lane->first_row);
	return lane->first_row ? svg_row_y(lane->first_row) - SVG_ROW / 2.0
			       : SVG_HEAD_TOP + SVG_HEADS / 2.0;
}

static void put_lane(struct svg_page *page, size_t index)
{
	const struct scene_lane *lane = &page->scene->lanes[index];
	double top = birth_y(lane);
	bool ends = lane->ended && lane->last_row < page->rows;
	double end = ends ? svg_row_y(lane->last_row) : bottom(page);

	if (lane->first_row < page->rows || lane->first_row == 0)
		fprintf(page->out, "<path class=\"lane\" d=\"M%.1f %.1fV%.1f\"/>\n",
			page->lane_x[index], top, end);
}

static void put_bar(struct svg_page *page, const struct scene_bar *bar)
{
	static const char *const classes[] = {
		[SCENE_BLOCKED] = "asleep", [SCENE_HANDLER] = "handler", [SCENE_HELD] = "held"};
	static const char *const words[] = {
		[SCENE_BLOCKED] = "asleep in a call for %s",
		[SCENE_HANDLER] = "a signal's handler runs for %s",
		[SCENE_HELD] = "somebody has it for %s",
	};
	bool group = bar->kind == SCENE_BLOCKED &&
		     page->scene->lanes[bar->lane].kind == SCENE_LANE_GROUP;
	size_t last = bar->last_row < page->rows ? bar->last_row : page->rows - 1;
	double top = svg_row_y(bar->first_row) - SVG_ROW / 2.0;
	char buf[SCENE_QUANTITY];

	if (bar->first_row >= page->rows)
		return;
	fprintf(page->out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"8\" height=\"%.1f\"><title>",
		classes[bar->kind], page->lane_x[bar->lane] - 4, top,
		svg_row_y(last) + SVG_ROW / 2.0 - top);
	fprintf(page->out,
		scene_say(page->scene,
			  group ? "all of them asleep in calls for %s" : words[bar->kind]),
		scene_say_duration(page->scene, bar->to_ns - bar->from_ns, buf));
	fputs("</title></rect>\n", page->out);
}

/* Draws a frame around a loop's rows with its text at the top left; nested frames are narrower. */
static void put_frame(struct svg_page *page, size_t begin, size_t end, int depth)
{
	const struct scene_row *row = &page->scene->rows[begin];
	double x = SVG_TIME + 4 + SVG_INSET * depth, top = svg_row_y(begin) - SVG_ROW / 2.0 + 3;
	double right = page->detail_x - 4 - SVG_INSET * depth;

	fprintf(page->out,
		"<rect class=\"loop\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
		"rx=\"3\"/><text class=\"l\" x=\"%.1f\" y=\"%.1f\"><tspan class=\"h\">%s",
		x, top, right - x, svg_row_y(end) - top, x + 6, top + 15,
		scene_say(page->scene, "loop "));
	svg_put_text(page, row->label, NAME_MOST);
	fputs("</tspan>  ", page->out);
	svg_put_text(page, row->detail, NOTE_MOST);
	fputs("</text>\n", page->out);
}

static void put_frames(struct svg_page *page)
{
	size_t open[SVG_DEPTH_MOST] = {0};
	int depth = 0;

	for (size_t i = 0; i < page->rows; i++) {
		enum scene_kind kind = page->scene->rows[i].kind;

		if (kind == SCENE_LOOP && depth++ < SVG_DEPTH_MOST)
			open[depth - 1] = i;
		if (kind == SCENE_LOOP_END && --depth < SVG_DEPTH_MOST)
			put_frame(page, open[depth], i, depth);
	}
	while (depth-- > 0)
		if (depth < SVG_DEPTH_MOST)
			put_frame(page, open[depth], page->rows - 1, depth);
}

/* Draws the lanes' names where they begin, and again every SVG_REPEAT rows. */
static void put_heads(struct svg_page *page)
{
	const struct scene *scene = page->scene;

	for (size_t i = 0; i < scene->lane_count; i++) {
		const struct scene_lane *lane = &scene->lanes[i];

		if (lane->first_row < page->rows || lane->first_row == 0)
			put_box(page, i, birth_y(lane));
		for (size_t row = SVG_REPEAT; row < page->rows; row += SVG_REPEAT)
			if (lane->first_row < row && last_row(page, lane) >= row)
				put_box(page, i, svg_row_y(row) - SVG_ROW / 2.0 - SVG_HEADS / 2.0);
	}
}

/* --- below the picture --- */

static double put_foot_line(struct svg_page *page, double y, const char *class, const char *text,
			    size_t most)
{
	fprintf(page->out, "<text class=\"%s\" x=\"%d\" y=\"%.1f\">", class, SVG_MARGIN, y);
	svg_put_text(page, text, most);
	fputs("</text>\n", page->out);
	return y + LINE;
}

static double put_channel(struct svg_page *page, const struct scene_channel *channel, double y)
{
	const struct scene *scene = page->scene;
	char count[SCENE_QUANTITY], bytes[SCENE_QUANTITY];

	fprintf(page->out, "<text x=\"%d\" y=\"%.1f\"><tspan class=\"k %s\">", SVG_MARGIN, y,
		render_colours(render_family(channel->mechanism))->name);
	svg_put_text(page, channel->name, NAME_MOST);
	fputs("</tspan> · ", page->out);
	svg_put_text(page, channel->route, ROUTE_MOST);
	if (*channel->traffic)
		fprintf(page->out, " · %s", channel->traffic);
	else
		fprintf(page->out, " · %s %s", scene_say_count(scene, channel->messages, count),
			scene_say(scene, channel->messages == 1 ? "message" : "messages"));
	fprintf(page->out, " · %s", scene_say_bytes(scene, channel->bytes, bytes));
	if (*channel->latency)
		fprintf(page->out, " · %s", channel->latency);
	fputs("</text>\n", page->out);
	return y + LINE;
}

static double put_left_out(struct svg_page *page, double y)
{
	const struct scene *scene = page->scene;
	size_t messages = 0;
	char *text;

	if (page->rows == scene->row_count)
		return y;
	for (size_t i = page->rows; i < scene->row_count; i++)
		messages += render_messages(&scene->rows[i]);
	text = render_left_out(scene, scene->row_count - page->rows, messages,
			       "more make an SVG slow; filters choose others");
	y = put_foot_line(page, y, "w", text, SIZE_MAX);
	free(text);
	return y;
}

static const char legend[] =
	"▶ data · > control · ┄> signal · ▨ asleep in a call · ● never received · "
	"✕ lost, failed or ended · ○ not traced · ▣ kernel · ∅ nobody · ◆ exec · ⊗ object removed "
	"· ▲ finding · ◇ "
	"remark";

static void put_foot(struct svg_page *page)
{
	const struct scene *scene = page->scene;
	double y = bottom(page) + 2 * LINE;

	y = put_foot_line(page, y, "d", scene_say(scene, legend), SIZE_MAX);
	for (size_t i = 0; i < scene->channel_count; i++)
		y = put_channel(page, &scene->channels[i], y);
	y = put_left_out(page, y);
	for (size_t i = 0; i < scene->note_count; i++)
		y = put_foot_line(page, y, "w", scene->notes[i], NOTE_MOST);
}

/* --- the whole --- */

static double widest(const struct svg_page *page, const char *caption)
{
	double width = svg_text_width(scene_say(page->scene, legend));
	double row = page->detail_x + DETAIL_CHARACTERS * 0.5 * svg_text_width("m");

	for (size_t i = 0; i < page->rows; i++) {
		const struct scene_row *r = &page->scene->rows[i];
		double x = r->from < 0 && r->to < 0 ? SVG_TIME : page->detail_x;
		double long_row = x + svg_text_width(r->payload) + svg_text_width(r->detail);
		double most = x + DETAIL_CHARACTERS * 1.4 * svg_text_width("m");

		if (long_row > row)
			row = long_row < most ? long_row : most;
	}
	if (svg_text_width(caption) * 1.1 > width)
		width = svg_text_width(caption) * 1.1;
	return (row > width ? row : width) + 3 * SVG_MARGIN;
}

static void put_top(struct svg_page *page, const char *caption)
{
	const struct scene *scene = page->scene;
	size_t lines = 3 + scene->channel_count + scene->note_count +
		       (page->rows < scene->row_count);

	page->width = widest(page, caption);
	page->height = bottom(page) + (double)lines * LINE + SVG_MARGIN;
	fprintf(page->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"title desc\">\n"
		"<title id=\"title\">",
		page->width, page->height, page->width, page->height);
	svg_put_text(page, caption, SIZE_MAX);
	fputs("</title>\n<desc id=\"desc\">", page->out);
	fprintf(page->out,
		scene_say(scene, "Sequence diagram: %zu processes from left to right, time from "
				 "top to bottom, %zu rows."),
		scene->lane_count, page->rows);
	fputs("</desc>\n", page->out);
	put_style(page);
	fprintf(page->out, "<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n");
	fprintf(page->out, "<text class=\"c\" x=\"%d\" y=\"26\">", SVG_MARGIN);
	svg_put_text(page, caption, SIZE_MAX);
	fprintf(page->out,
		"</text>\n<text class=\"t\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
		SVG_TIME, SVG_HEAD_TOP + SVG_HEADS / 2.0 + 4, page->unit);
}

static void draw(struct svg_page *page)
{
	const struct scene *scene = page->scene;
	char *caption = render_caption(scene);

	put_top(page, caption);
	for (size_t i = 0; i < scene->lane_count; i++)
		put_lane(page, i);
	for (size_t i = 0; i < scene->bar_count; i++)
		put_bar(page, &scene->bars[i]);
	for (size_t i = 0; i < page->rows; i++)
		svg_put_slant(page, i);
	put_heads(page);
	put_frames(page);
	for (size_t i = 0; i < page->rows; i++)
		svg_row(page, i);
	put_foot(page);
	fputs("</svg>\n", page->out);
	free(caption);
}

int render_svg(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct svg_page page = {.scene = scene, .out = out};

	(void)options;
	svg_layout(&page);
	draw(&page);
	svg_layout_free(&page);
	return ferror(out) ? -EIO : 0;
}
