// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arrows that slant, as in UML: from the row where a message left down to the one where it had
 * arrived, or to the time of that between two rows. The pieces of one call are a fan.
 */
#include <string.h>

#include "viz/render/svg/drawing.h"

enum {
#define BOUND(name, number) name = (number),
#include "viz/scene/fold_limits.def"
#undef BOUND
};

enum { BESIDE = 4, ABOVE = 6 };

#define HEAD_LEN 9
#define HEAD_HALF 4.5

static bool is_leaving_half(const struct scene_row *row)
{
	return row->part == SCENE_SENT && !row->headless;
}

static bool is_arriving_half(const struct scene_row *row)
{
	return row->part == SCENE_RECEIVED && !row->tailless;
}

/* The row above with the tail that has this number, or the row below with the head. */
static size_t tied_row(const struct svg_page *page, size_t index, bool above)
{
	unsigned tie = page->scene->rows[index].tie;

	for (size_t i = 1; i <= SLANT_MOST + 2; i++) {
		size_t at = above ? index - i : index + i;
		const struct scene_row *row;

		if (at >= page->rows) /* index - i too, below 0 */
			return SCENE_NO_ROW;
		row = &page->scene->rows[at];
		if (row->tie == tie && (above ? is_leaving_half(row) : is_arriving_half(row)))
			return at;
	}
	return SCENE_NO_ROW;
}

/* The row where the arrow leaves its lane; SCENE_NO_ROW: none is near. */
static size_t tail_row(const struct svg_page *page, size_t index)
{
	const struct scene_row *rows = page->scene->rows;

	if (!rows[index].tailless && rows[index].part != SCENE_RECEIVED)
		return index;
	if (rows[index].tie && rows[index].part == SCENE_RECEIVED)
		return tied_row(page, index, true);
	if (rows[index].tail.above == SCENE_NO_ROW)
		return SCENE_NO_ROW;
	while (rows[index].tail.above != SCENE_NO_ROW)
		index = rows[index].tail.above;
	return index;
}

/* The row where it arrives; SCENE_NO_ROW: none is near. */
static size_t head_row(const struct svg_page *page, size_t index)
{
	const struct scene_row *rows = page->scene->rows;

	if (!rows[index].headless && rows[index].part != SCENE_SENT)
		return index;
	if (rows[index].tie && rows[index].part == SCENE_SENT)
		return tied_row(page, index, false);
	if (rows[index].head.below == SCENE_NO_ROW)
		return SCENE_NO_ROW;
	while (rows[index].head.below != SCENE_NO_ROW && rows[index].head.below < page->rows)
		index = rows[index].head.below;
	return index;
}

/* The first row that is drawn at this time or later. */
static size_t row_at(const struct svg_page *page, uint64_t ns)
{
	size_t low = 0, high = page->rows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (page->scene->rows[middle].at_ns < ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The y of a time: between two rows in proportion. */
static double time_y(const struct svg_page *page, uint64_t ns)
{
	size_t row = row_at(page, ns);
	uint64_t from, to;

	if (row == 0 || row == page->rows)
		return svg_row_y(row ? row - 1 : 0);
	from = page->scene->rows[row - 1].at_ns;
	to = page->scene->rows[row].at_ns;
	return svg_row_y(row - 1) +
	       (svg_row_y(row) - svg_row_y(row - 1)) * (double)(ns - from) / (double)(to - from);
}

/* Where a row's own head is: below it, if others came to be drawn before it had arrived. */
static double head_y(const struct svg_page *page, size_t index)
{
	const struct scene_row *row = &page->scene->rows[index];
	size_t arrived;

	if (row->part != SCENE_WHOLE || row->arrived_ns == SCENE_NEVER)
		return svg_row_y(index);
	arrived = row_at(page, row->arrived_ns);
	if (arrived <= index + SLANT_LEAST || arrived > index + SLANT_MOST + 2)
		return svg_row_y(index);
	return time_y(page, row->arrived_ns);
}

/* The two ends of a slanted arrow. */
struct slant {
	size_t tail; /* row of its tail */
	double from_x, from_y, to_x, to_y;
};

static bool find_slant(const struct svg_page *page, size_t index, struct slant *slant)
{
	const struct scene_row *row = &page->scene->rows[index];
	size_t tail, head;

	if ((row->kind != SCENE_MESSAGE && row->kind != SCENE_SIGNAL) || row->from < 0 ||
	    row->to < 0 || row->from == row->to ||
	    (row->part != SCENE_WHOLE && row->part != SCENE_SENT && row->part != SCENE_RECEIVED))
		return false;
	tail = tail_row(page, index);
	head = head_row(page, index);
	if (tail == SCENE_NO_ROW || head == SCENE_NO_ROW)
		return false;
	slant->tail = tail;
	slant->from_x = page->lane_x[row->from];
	slant->to_x = page->lane_x[row->to];
	if (slant->from_x == slant->to_x) /* the receiver has the column that the sender had */
		return false;
	slant->from_y = svg_row_y(tail);
	slant->to_y = head_y(page, head);
	return slant->to_y - slant->from_y > 1;
}

/* By Newton's method, so that nothing is linked with libm for a few arrows. */
static double square_root(double value)
{
	double root = value > 1 ? value : 1;

	for (int i = 0; i < 40; i++)
		root = (root + value / root) / 2;
	return root;
}

/* Draws the line and, turned as the line is, its head; pieces share the head of their call. */
static void put_line(struct svg_page *page, const struct scene_row *row, const struct slant *slant)
{
	double dx = slant->to_x - slant->from_x, dy = slant->to_y - slant->from_y;
	double length = square_root(dx * dx + dy * dy);
	double ux = dx / length, uy = dy / length;
	double x = slant->to_x - ux, y = slant->to_y - uy;
	double back_x = x - ux * HEAD_LEN, back_y = y - uy * HEAD_LEN;
	bool filled = row->style == SCENE_COPY;

	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>",
		svg_line_class(row->style), slant->from_x, slant->from_y, x - ux, y - uy);
	fprintf(page->out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1f%s\"/>",
		filled ? "f" : "o", back_x - uy * HEAD_HALF, back_y + ux * HEAD_HALF, x, y,
		back_x + uy * HEAD_HALF, back_y - ux * HEAD_HALF, filled ? "Z" : "");
}

/* Words stand above the line where it leaves, and behind the lane where it arrives. */
static void put_words(struct svg_page *page, const struct slant *slant, const char *label, double y,
		      bool at_head)
{
	bool right = slant->to_x > slant->from_x;
	double x = at_head ? slant->to_x : slant->from_x;

	fprintf(page->out, "<text class=\"l\" x=\"%.1f\" y=\"%.1f\"%s>",
		x + (right ? SVG_GAP : -SVG_GAP), at_head ? y + BESIDE : y - ABOVE,
		right ? "" : " text-anchor=\"end\"");
	svg_put_text(page, label, SIZE_MAX);
	fputs("</text>", page->out);
}

void svg_put_slant(struct svg_page *page, size_t index)
{
	const struct scene_row *row = &page->scene->rows[index];
	struct slant slant;

	/* The arriving half has the line of both. */
	if (is_leaving_half(row) || !find_slant(page, index, &slant))
		return;
	fprintf(page->out, "<g class=\"%s\">", svg_row_class(row));
	put_line(page, row, &slant);
	fputs("</g>\n", page->out);
}

bool svg_put_slant_words(struct svg_page *page, size_t index, const char *label)
{
	const struct scene_row *rows = page->scene->rows;
	struct slant slant;
	bool at_head;

	if (!find_slant(page, index, &slant))
		return false;
	at_head = slant.tail != index;
	if (!at_head || strcmp(rows[index].label, rows[slant.tail].label) != 0)
		put_words(page, &slant, label, svg_row_y(index), at_head);
	return true;
}
