// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Draws one row: a group with a title that has everything, its arrow or mark, its texts. */
#include <stdlib.h>

#include "viz/render/common/palette.h"
#include "viz/render/common/steps.h"
#include "viz/render/svg/drawing.h"

enum { PAYLOAD_MOST = 48, DETAIL_MOST = 90, HEAD = 9, TIE_RADIUS = 8 };

/* --- the title: everything that is known --- */

static void put_end(struct svg_page *page, int end, const char *outside,
		    enum scene_outsider outsider)
{
	char number[SCENE_NUMBER];

	if (end >= 0) {
		svg_put_text(page, page->scene->lanes[end].title, SIZE_MAX);
		if (*scene_lane_number(&page->scene->lanes[end], number))
			fprintf(page->out, " [%s]", number);
	} else {
		svg_put_text(page, *outside ? outside : render_outsider(page->scene, outsider),
			     SIZE_MAX);
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
	char at[SCENE_QUANTITY];

	fprintf(page->out, "<title>+%s %s ",
		scene_say_time(page->scene, row->at_ns, page->unit_ns, 3, at), page->unit);
	if (row->from != SCENE_NOWHERE)
		put_end(page, row->from, row->outside, row->outsider);
	if (row->to != SCENE_NOWHERE) {
		fputs(" → ", page->out);
		put_end(page, row->to, row->outside, row->outsider);
	}
	fputs(" : ", page->out);
	svg_put_text(page, row->label, SIZE_MAX);
	fputs(row->ambiguous ? scene_say(page->scene, " (another pairing is possible)") : "",
	      page->out);
	fputs(scene_say(page->scene, part_words(row->part)), page->out);
	for (int i = 0; i < 4; i++) {
		const char *more[] = {row->notice_label, row->payload, row->behind, row->detail};

		fputs(*more[i] ? " · " : "", page->out);
		svg_put_text(page, more[i], SIZE_MAX);
	}
	fputs("</title>", page->out);
}

/* --- shapes --- */

/* Draws an arrow head: filled if data is copied, else open. */
static void put_head(struct svg_page *page, double x, double y, bool right, bool filled)
{
	double back = right ? x - HEAD : x + HEAD;

	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1f%s\"/>",
		filled ? "f" : "o", back, y - 4.5, x, y, back, y + 4.5, filled ? "Z" : "");
}

static void put_line(struct svg_page *page, const struct scene_row *row, double from, double to,
		     double y)
{
	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fH%.1f\"/>", svg_line_class(row->style),
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

/*
 * Returns the middle of the widest gap between lanes that the label fits into, else of the whole
 * arrow.
 */
static double label_x(const struct svg_page *page, double from, double to, const char *label)
{
	double left = from < to ? from : to, right = from < to ? to : from;
	double best = svg_text_width(label) + SVG_GAP, middle = (from + to) / 2;
	double last = left;

	for (size_t i = 0; i <= page->column_count; i++) {
		double x = i < page->column_count ? page->column_x[i] : right;

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

/* True if the row's fork begins the lane; in a group, later ones join an existing lane. */
static bool is_birth(const struct svg_page *page, const struct scene_row *row)
{
	return (size_t)(row - page->scene->rows) == page->scene->lanes[row->to].first_row;
}

/* Draws an arrow from one lane to another. */
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

/* Draws an arrow from a lane to itself: out, down, back. */
static void put_loop(struct svg_page *page, const struct scene_row *row, double x, double y)
{
	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fh24v9H%.1f\"/>",
		svg_line_class(row->style), x, y - 5, x + 2);
	put_head(page, x + 1, y + 4, false, row->style == SCENE_COPY);
}

/* Not traced: a circle; the kernel: a square in a square; nobody: a circle that is crossed out. */
static void put_outsider(struct svg_page *page, enum scene_outsider outsider, double x, double y)
{
	if (outsider == SCENE_THE_KERNEL)
		fprintf(page->out, "<path class=\"o p\" d=\"M%.1f %.1fh9v9h-9Zm3 3h3v3h-3Z\"/>",
			x - 4.5, y - 4.5);
	else
		fprintf(page->out, "<circle class=\"o\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", x, y);
	if (outsider == SCENE_NOBODY)
		fprintf(page->out, "<path class=\"o\" d=\"M%.1f %.1fl11 -11\"/>", x - 5.5, y + 5.5);
}

/* Draws an arrow with one end only, and returns how far it reaches to the right. */
static double put_stub(struct svg_page *page, const struct scene_row *row, double x, double y)
{
	bool arrives = row->part == SCENE_RECEIVED || row->from == SCENE_OUTSIDE;

	if (row->from == row->to && row->part == SCENE_WHOLE) {
		put_loop(page, row, x, y);
		return 28;
	}
	if (arrives && row->from == SCENE_OUTSIDE) {
		put_line(page, row, x - SVG_STUB + 4, x - 2, y);
		put_outsider(page, row->outsider, x - SVG_STUB, y);
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
	else if (row->part == SCENE_UNREAD)
		fprintf(page->out, "<circle class=\"f\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>",
			x + SVG_STUB, y);
	else
		put_outsider(page, row->outsider, x + SVG_STUB, y);
	return SVG_STUB + TIE_RADIUS;
}

static void put_mark(struct svg_page *page, const struct scene_row *row, double x, double y)
{
	switch (row->kind) {
	case SCENE_EXIT:
	case SCENE_FAILED:
		put_cross(page, x, y);
		break;
	case SCENE_FOUND: /* a warning sign */
		fprintf(page->out, "<path class=\"f\" d=\"M%.1f %.1fl8 14h-16Z\"/>", x, y - 8);
		break;
	case SCENE_REMOVED: /* a cross in a circle */
		fprintf(page->out, "<circle class=\"o p\" cx=\"%.1f\" cy=\"%.1f\" r=\"6.5\"/>", x,
			y);
		put_cross(page, x, y);
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

/* Draws the end of a process and, if SIGCHLD was sent, its arrow. */
static void put_exit(struct svg_page *page, const struct scene_row *row, double y)
{
	double x = page->lane_x[row->from], to;

	put_mark(page, row, x, y);
	if (row->to < 0)
		return;
	to = page->lane_x[row->to];
	put_line(page, row, to > x ? x + 8 : x - 8, to > x ? to - 2 : to + 2, y);
	put_head(page, to > x ? to - 1 : to + 1, y, to > x, false);
	put_label(page, label_x(page, x, to, row->notice_label), y - 6, " text-anchor=\"middle\"",
		  row->notice_label);
}

static void put_shape(struct svg_page *page, const struct scene_row *row, double y,
		      const char *label)
{
	int lane = row->from >= 0 && row->part != SCENE_RECEIVED ? row->from : row->to;
	double x = lane < 0 ? SVG_TIME + SVG_MARGIN : page->lane_x[lane];
	double reach = 0;

	if (svg_put_slant_words(page, (size_t)(row - page->scene->rows), label))
		return;
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
	/* If SIGCHLD goes to the right, the label is below its line. */
	if (row->kind == SCENE_EXIT && row->to > row->from)
		y += 12;
	put_label(page, x + reach + (lane < 0 ? 0 : SVG_GAP), y + 4, "", label);
}

/* --- time and details --- */

static void put_time(struct svg_page *page, const struct scene_row *row, double y)
{
	char at[SCENE_QUANTITY];

	if (row->kind == SCENE_LOOP || row->kind == SCENE_LOOP_END)
		return;
	fprintf(page->out, "<text class=\"t\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", SVG_TIME,
		y + 4);
	if (row->kind == SCENE_IDLE) {
		fputs("⋯ ", page->out);
		svg_put_text(page, row->label, 12);
	} else {
		fputs(scene_say_time(page->scene, row->at_ns, page->unit_ns,
				     page->unit_ns >= 1e6 ? 3 : 1, at),
		      page->out);
	}
	fputs("</text>", page->out);
}

static void put_detail(struct svg_page *page, const struct scene_row *row, double y)
{
	double x = row->from < 0 && row->to < 0 ? SVG_TIME + SVG_MARGIN : page->detail_x;

	if (row->kind == SCENE_LOOP) /* in the loop's frame */
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

void svg_row(struct svg_page *page, size_t index)
{
	const struct scene_row *row = &page->scene->rows[index];
	double y = svg_row_y(index);
	char *label = svg_label(page, row);
	bool message = row->kind == SCENE_MESSAGE || row->kind == SCENE_SIGNAL;

	if (message)
		page->families |= 1u << render_family(row->mechanism);
	fprintf(page->out, "<g class=\"%s %s\" id=\"r%zu\">", message ? "msg" : "row",
		svg_row_class(row), index + 1);
	put_title(page, row);
	put_time(page, row, y);
	if (row->kind != SCENE_IDLE && row->kind != SCENE_LOOP && row->kind != SCENE_LOOP_END)
		put_shape(page, row, y, label);
	put_detail(page, row, y);
	fputs("</g>\n", page->out);
	free(label);
}
