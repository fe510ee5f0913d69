// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Computes the layout: lanes are as far apart as their labels need. */
#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/render/common/columns.h"
#include "viz/render/common/steps.h"
#include "viz/render/svg/drawing.h"

enum { GAP_LEAST = 110, GAP_MOST = 330, ROWS_MOST = 5000, LABEL_MOST = 40 };

#define CHARACTER 7.25 /* width in a monospace font of 12 px */

/* East Asian letters and pictographs are two columns wide. */
double svg_text_width(const char *text)
{
	double width = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if ((*p & 0xc0) != 0x80)
			width += *p >= 0xe3 ? 2 * CHARACTER : CHARACTER;
	return width;
}

double svg_row_y(size_t row)
{
	size_t repeated = row / SVG_REPEAT;

	return SVG_HEAD_TOP + SVG_HEADS + SVG_ROW * (double)row + SVG_ROW / 2.0 +
	       (double)repeated * SVG_HEADS;
}

bool svg_spans(const struct scene_row *row)
{
	return row->from >= 0 && row->to >= 0 && row->from != row->to &&
	       (row->part == SCENE_WHOLE || row->part == SCENE_ENTERS) && row->kind != SCENE_EXIT;
}

double svg_box_width(const struct scene_lane *lane)
{
	char *name = render_lane_name(lane);
	double width = name ? svg_text_width(name) + 12 : 0;

	free(name);
	return width;
}

/*
 * Requires so much space right of the lane: up to the next lane, or to the details after the last
 * one.
 */
static void need(const struct svg_page *page, double *gaps, int lane, double room)
{
	int column = page->column_of[lane];

	if (room > GAP_MOST && (size_t)column + 1 < page->column_count)
		room = GAP_MOST;
	if (gaps[column] < room)
		gaps[column] = room;
}

static void need_of_span(double *gaps, int from, int to, double room)
{
	int left = from < to ? from : to;
	int right = from < to ? to : from;
	double sum = 0;

	if (room > GAP_MOST * (double)(right - left))
		room = GAP_MOST * (double)(right - left);
	for (int i = left; i < right; i++)
		sum += gaps[i];
	for (int i = left; i < right && sum < room; i++)
		gaps[i] += (room - sum) / (right - left);
}

static void need_of_row(const struct svg_page *page, double *gaps, const struct scene_row *row)
{
	char *label = svg_label(page, row);
	double room = label ? svg_text_width(label) + 2 * SVG_GAP : 0;
	int lane = row->from >= 0 ? row->from : row->to;

	if (row->kind == SCENE_FORK && row->to >= 0)
		room += svg_box_width(&page->scene->lanes[row->to]) / 2;
	if (label && svg_spans(row))
		need_of_span(gaps, page->column_of[row->from], page->column_of[row->to],
			     room + SVG_GAP);
	else if (label && lane >= 0)
		need(page, gaps, row->part == SCENE_RECEIVED && row->to >= 0 ? row->to : lane,
		     room + SVG_STUB + SVG_GAP);
	free(label);
}

/* Half the width of the widest box in each column, for free(). */
static double *half_widths(const struct svg_page *page)
{
	double *halves = memory_array(page->column_count + 1, sizeof(*halves));

	for (size_t i = 0; i < page->scene->lane_count; i++) {
		double half = svg_box_width(&page->scene->lanes[i]) / 2;

		if (halves[page->column_of[i]] < half)
			halves[page->column_of[i]] = half;
	}
	return halves;
}

static void place_lanes(struct svg_page *page, const double *gaps)
{
	double *halves = half_widths(page);
	double x = SVG_TIME + SVG_MARGIN + SVG_STUB;

	for (size_t i = 0; i < page->column_count; i++) {
		double half = halves[i];
		double least = i ? page->column_x[i - 1] + gaps[i - 1] : x + half - SVG_STUB;
		double beside = i ? page->column_x[i - 1] + halves[i - 1] + half + SVG_MARGIN : x;

		page->column_x[i] = least > beside ? least : beside;
		x = page->column_x[i] + (gaps[i] > half ? gaps[i] : half);
	}
	for (size_t i = 0; i < page->scene->lane_count; i++)
		page->lane_x[i] = page->column_x[page->column_of[i]];
	page->detail_x = x + SVG_MARGIN;
	free(halves);
}

void svg_layout(struct svg_page *page)
{
	const struct scene *scene = page->scene;
	double *gaps = memory_array(scene->lane_count + 1, sizeof(*gaps));

	page->lane_x = memory_array(scene->lane_count + 1, sizeof(*page->lane_x));
	page->column_of = memory_array(scene->lane_count + 1, sizeof(*page->column_of));
	page->column_x = memory_array(scene->lane_count + 1, sizeof(*page->column_x));
	page->column_count = render_place_lanes(scene, NULL, page->column_of);
	page->rows = scene->row_count < ROWS_MOST ? scene->row_count : ROWS_MOST;
	page->unit_ns = scene->duration_ns >= 10000000 ? 1e6 : 1e3;
	page->unit = scene->duration_ns >= 10000000 ? "ms" : "µs";
	for (size_t i = 0; i + 1 < page->column_count; i++)
		gaps[i] = GAP_LEAST;
	for (size_t i = 0; i < page->rows; i++)
		need_of_row(page, gaps, &scene->rows[i]);
	place_lanes(page, gaps);
	free(gaps);
}

void svg_layout_free(struct svg_page *page)
{
	free(page->lane_x);
	free(page->column_of);
	free(page->column_x);
}

char *svg_label(const struct svg_page *page, const struct scene_row *row)
{
	int len = (int)render_cut(row->label, LABEL_MOST);
	char *beside = *row->outside ? render_beside(page->scene, row, LABEL_MOST) : NULL;
	char *label = memory_format("%.*s%s%s%s%s", len, row->label, row->label[len] ? "…" : "",
				    row->ambiguous ? "?" : "", beside ? " " : "",
				    beside ? beside : "");

	free(beside);
	return label;
}
