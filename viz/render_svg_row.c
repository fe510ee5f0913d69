// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One row: a group with a title that tells all, its arrow or mark, its words. */
#include <stdlib.h>

#include "render_palette.h"
#include "render_sequence.h"
#include "render_svg_page.h"

enum { LABEL_MOST = 40, PAYLOAD_MOST = 48, DETAIL_MOST = 90, HEAD = 9, TIE_RADIUS = 8 };

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

char *svg_label(const struct svg_page *page, const struct scene_row *row)
{
	int len = (int)render_cut(row->label, LABEL_MOST);
	const char *before = *row->outside ? (row->from == SCENE_OUTSIDE ? " from " : " to ") : "";
	int outside = (int)render_cut(row->outside, LABEL_MOST);
	char *label;

	(void)page;
	if (asprintf(&label, "%.*s%s%s%s%.*s%s", len, row->label, row->label[len] ? "…" : "",
		     row->ambiguous ? "?" : "", before, outside, row->outside,
		     row->outside[outside] ? "…" : "") < 0)
		return NULL;
	return label;
}

/* --- the title: all that is known --- */

static void put_end(struct svg_page *page, int end, const char *outside)
{
	char number[SCENE_NUMBER];

	if (end >= 0) {
		svg_put_text(page, page->scene->lanes[end].title, SIZE_MAX);
		if (*scene_lane_number(&page->scene->lanes[end], number))
			fprintf(page->out, " [%s]", number);
	} else {
		svg_put_text(page, *outside ? outside : "(not traced)", SIZE_MAX);
	}
}

static const char *part_words(enum scene_part part)
{
	static const char *const words[] = {
		[SCENE_WHOLE] = "",
		[SCENE_SENT] = " (leaves)",
		[SCENE_RECEIVED] = " (arrives)",
		[SCENE_UNREAD] = " (never received)",
		[SCENE_DROPPED] = " (lost)",
		[SCENE_ENTERS] = "",
	};

	return words[part];
}

static void put_title(struct svg_page *page, const struct scene_row *row)
{
	fprintf(page->out, "<title>+%.3f %s ", (double)row->at_ns / page->unit_ns, page->unit);
	if (row->from != SCENE_NOWHERE)
		put_end(page, row->from, row->outside);
	if (row->to != SCENE_NOWHERE) {
		fputs(" → ", page->out);
		put_end(page, row->to, row->outside);
	}
	fputs(" : ", page->out);
	svg_put_text(page, row->label, SIZE_MAX);
	fputs(row->ambiguous ? " (another pairing is possible)" : "", page->out);
	fputs(part_words(row->part), page->out);
	for (int i = 0; i < 3; i++) {
		const char *more[] = {row->told, row->payload, row->detail};

		fputs(*more[i] ? " · " : "", page->out);
		svg_put_text(page, more[i], SIZE_MAX);
	}
	fputs("</title>", page->out);
}

/* --- shapes --- */

/* A filled head where data are copied, an open one elsewhere; it points away from `from`. */
static void put_head(struct svg_page *page, double x, double y, bool right, bool filled)
{
	double back = right ? x - HEAD : x + HEAD;

	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1f%s\"/>",
		filled ? "f" : "o", back, y - 4.5, x, y, back, y + 4.5, filled ? "Z" : "");
}

static const char *line_class(enum scene_style style)
{
	static const char *const classes[] = {
		[SCENE_COPY] = "copy", [SCENE_CONTROL] = "thin", [SCENE_NOTIFY] = "dots"};

	return classes[style];
}

static void put_line(struct svg_page *page, const struct scene_row *row, double from, double to,
		     double y)
{
	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fH%.1f\"/>", line_class(row->style),
		from, y, to);
}

static void put_label(struct svg_page *page, double x, double y, const char *anchor,
		      const char *text)
{
	fprintf(page->out, "<text class=\"l\" x=\"%.1f\" y=\"%.1f\"%s>", x, y, anchor);
	svg_put_text(page, text, SIZE_MAX);
	fputs("</text>", page->out);
}

static void put_tie(struct svg_page *page, double x, double y, unsigned tie)
{
	fprintf(page->out,
		"<circle class=\"tie\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"/>"
		"<text class=\"n\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%u</text>",
		x, y, TIE_RADIUS, x, y + 3.5, tie);
}

static void put_cross(struct svg_page *page, double x, double y)
{
	fprintf(page->out, "<path class=\"o\" d=\"M%.1f %.1fl10 10m0 -10l-10 10\"/>", x - 5, y - 5);
}

/* The middle of the widest gap between lanes that the label fits into, or of the whole way. */
static double label_x(const struct svg_page *page, double from, double to, const char *label)
{
	double left = from < to ? from : to, right = from < to ? to : from;
	double best = svg_text_width(label) + SVG_GAP, middle = (from + to) / 2;
	double last = left;

	for (size_t i = 0; i <= page->scene->lane_count; i++) {
		double x = i < page->scene->lane_count ? page->lane_x[i] : right;

		if (x > right)
			x = right;
		if (x <= last)
			continue;
		if (x - last > best) {
			best = x - last;
			middle = (x + last) / 2;
		}
		last = x;
	}
	return middle;
}

/* A group's later ones are born into a lane that is there. */
static bool is_birth(const struct svg_page *page, const struct scene_row *row)
{
	return (size_t)(row - page->scene->rows) == page->scene->lanes[row->to].first_row;
}

/* From one lane to another one. */
static void put_span(struct svg_page *page, const struct scene_row *row, double y,
		     const char *label)
{
	double from = page->lane_x[row->from], to = page->lane_x[row->to];
	bool right = to > from;
	double box = row->kind == SCENE_FORK && is_birth(page, row)
			     ? svg_box_width(&page->scene->lanes[row->to]) / 2
			     : 0;

	to -= right ? box : -box;
	put_line(page, row, from, right ? to - 2 : to + 2, y);
	put_head(page, right ? to - 1 : to + 1, y, right, row->style == SCENE_COPY);
	put_label(page, label_x(page, from, to, label), y - 6, " text-anchor=\"middle\"", label);
}

/* From a lane to itself: out, down, back. */
static void put_loop(struct svg_page *page, const struct scene_row *row, double x, double y)
{
	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fh24v9H%.1f\"/>",
		line_class(row->style), x, y - 5, x + 2);
	put_head(page, x + 1, y + 4, false, row->style == SCENE_COPY);
}

/* What has one end here only; gives how far it reaches to the right. */
static double put_stub(struct svg_page *page, const struct scene_row *row, double x, double y)
{
	bool arrives = row->part == SCENE_RECEIVED || row->from == SCENE_OUTSIDE;

	if (row->from == row->to && row->part == SCENE_WHOLE) {
		put_loop(page, row, x, y);
		return 28;
	}
	if (arrives && row->from == SCENE_OUTSIDE) {
		put_line(page, row, x - SVG_STUB + 4, x - 2, y);
		fprintf(page->out, "<circle class=\"o\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>",
			x - SVG_STUB, y);
		put_head(page, x - 1, y, true, row->style == SCENE_COPY);
		return 0;
	}
	put_line(page, row, x + (arrives ? 2 : 0), x + SVG_STUB - (row->tie ? TIE_RADIUS : 4), y);
	if (arrives)
		put_head(page, x + 1, y, false, row->style == SCENE_COPY);
	if (row->tie)
		put_tie(page, x + SVG_STUB, y, row->tie);
	else if (row->part == SCENE_DROPPED)
		put_cross(page, x + SVG_STUB, y);
	else
		fprintf(page->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>",
			row->part == SCENE_UNREAD ? "f" : "o", x + SVG_STUB, y);
	return SVG_STUB + TIE_RADIUS;
}

static void put_mark(struct svg_page *page, const struct scene_row *row, double x, double y)
{
	switch (row->kind) {
	case SCENE_EXIT:
	case SCENE_FAILED:
		put_cross(page, x, y);
		break;
	case SCENE_FOUND: /* a sign of warning */
		fprintf(page->out, "<path class=\"f\" d=\"M%.1f %.1fl8 14h-16Z\"/>", x, y - 8);
		break;
	case SCENE_EXEC:
		fprintf(page->out, "<path class=\"f\" d=\"M%.1f %.1fl6 6l-6 6l-6 -6Z\"/>", x,
			y - 6);
		break;
	default:
		fprintf(page->out, "<path class=\"o p\" d=\"M%.1f %.1fl6 6l-6 6l-6 -6Z\"/>", x,
			y - 6);
	}
}

/* The end of a process and, where it is told, the way of SIGCHLD. */
static void put_exit(struct svg_page *page, const struct scene_row *row, double y)
{
	double x = page->lane_x[row->from], to;

	put_mark(page, row, x, y);
	if (row->to < 0)
		return;
	to = page->lane_x[row->to];
	put_line(page, row, to > x ? x + 8 : x - 8, to > x ? to - 2 : to + 2, y);
	put_head(page, to > x ? to - 1 : to + 1, y, to > x, false);
	put_label(page, label_x(page, x, to, row->told), y - 6, " text-anchor=\"middle\"",
		  row->told);
}

static void put_shape(struct svg_page *page, const struct scene_row *row, double y,
		      const char *label)
{
	int lane = row->from >= 0 && row->part != SCENE_RECEIVED ? row->from : row->to;
	double x = lane < 0 ? SVG_TIME + SVG_MARGIN : page->lane_x[lane];
	double reach = 0;

	if (svg_spans(row)) {
		put_span(page, row, y, label);
		return;
	}
	if (row->kind == SCENE_EXIT)
		put_exit(page, row, y);
	else if (row->kind <= SCENE_FORK && lane >= 0 &&
		 !(row->to == SCENE_NOWHERE && row->part == SCENE_WHOLE))
		reach = put_stub(page, row, x, y);
	else if (lane >= 0)
		put_mark(page, row, x, y);
	/* Where SIGCHLD leaves to the right, the words stand below its line. */
	if (row->kind == SCENE_EXIT && row->to > row->from)
		y += 12;
	put_label(page, x + reach + (lane < 0 ? 0 : SVG_GAP), y + 4, "", label);
}

/* --- words beside --- */

static void put_time(struct svg_page *page, const struct scene_row *row, double y)
{
	if (row->kind == SCENE_LOOP || row->kind == SCENE_LOOP_END)
		return;
	fprintf(page->out, "<text class=\"t\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", SVG_TIME,
		y + 4);
	if (row->kind == SCENE_IDLE) {
		fputs("⋯ ", page->out);
		svg_put_text(page, row->label, 12);
	} else {
		fprintf(page->out, "%.*f", page->unit_ns >= 1e6 ? 3 : 1,
			(double)row->at_ns / page->unit_ns);
	}
	fputs("</text>", page->out);
}

static void put_detail(struct svg_page *page, const struct scene_row *row, double y)
{
	double x = row->from < 0 && row->to < 0 ? SVG_TIME + SVG_MARGIN : page->detail_x;

	if (row->kind == SCENE_LOOP) /* in its frame */
		return;
	if (!*row->payload && !*row->detail)
		return;
	fprintf(page->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">",
		row->kind == SCENE_NOTE ? "w" : "d", x, y + 4);
	if (*row->payload) {
		fputs("<tspan class=\"b\">", page->out);
		svg_put_text(page, row->payload, PAYLOAD_MOST);
		fputs("</tspan>  ", page->out);
	}
	svg_put_text(page, row->detail, DETAIL_MOST);
	fputs("</text>", page->out);
}

static const char *row_class(const struct scene_row *row)
{
	if (row->kind == SCENE_FAILED || row->part == SCENE_DROPPED ||
	    row->severity == SEVERITY_ERROR)
		return "bad";
	if (row->kind == SCENE_FOUND)
		return "warn";
	return render_colours(render_family(row->mechanism))->name;
}

void svg_row(struct svg_page *page, size_t index)
{
	const struct scene_row *row = &page->scene->rows[index];
	double y = svg_row_y(index);
	char *label = svg_label(page, row);
	bool message = row->kind == SCENE_MESSAGE || row->kind == SCENE_SIGNAL;

	page->failed |= !label;
	if (message)
		page->families |= 1u << render_family(row->mechanism);
	fprintf(page->out, "<g class=\"%s %s\" id=\"r%zu\">", message ? "msg" : "row",
		row_class(row), index + 1);
	put_title(page, row);
	put_time(page, row, y);
	if (row->kind != SCENE_IDLE && row->kind != SCENE_LOOP && row->kind != SCENE_LOOP_END)
		put_shape(page, row, y, label ? label : "");
	put_detail(page, row, y);
	fputs("</g>\n", page->out);
	free(label);
}
