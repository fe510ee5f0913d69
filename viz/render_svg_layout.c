// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where everything stands: lanes as far apart as their labels need. */
#include <errno.h>
#include <stdlib.h>

#include "render_sequence.h"
#include "render_svg_page.h"

enum { GAP_LEAST = 110, GAP_MOST = 330, ROWS_MOST = 5000 };

#define CHARACTER 7.25 /* of a monospace font of 12 px */

/* Letters of East Asia and pictures take two places. */
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

/* So much room right of the lane: to the next one, or to what stands behind the last one. */
static void need(const struct svg_page *page, double *gaps, int lane, double room)
{
	if (room > GAP_MOST && (size_t)lane + 1 < page->scene->lane_count)
		room = GAP_MOST;
	if (gaps[lane] < room)
		gaps[lane] = room;
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
		need_of_span(gaps, row->from, row->to, room + SVG_GAP);
	else if (label && lane >= 0)
		need(page, gaps, row->part == SCENE_RECEIVED && row->to >= 0 ? row->to : lane,
		     room + SVG_STUB + SVG_GAP);
	free(label);
}

static void place_lanes(struct svg_page *page, const double *gaps)
{
	const struct scene *scene = page->scene;
	double x = SVG_TIME + SVG_MARGIN + SVG_STUB;

	for (size_t i = 0; i < scene->lane_count; i++) {
		double half = svg_box_width(&scene->lanes[i]) / 2;
		double least = i ? page->lane_x[i - 1] + gaps[i - 1] : x + half - SVG_STUB;
		double beside = i ? page->lane_x[i - 1] + svg_box_width(&scene->lanes[i - 1]) / 2 +
						half + SVG_MARGIN
				  : x;

		page->lane_x[i] = least > beside ? least : beside;
		x = page->lane_x[i] + (gaps[i] > half ? gaps[i] : half);
	}
	page->detail_x = x + SVG_MARGIN;
}

int svg_layout(struct svg_page *page)
{
	const struct scene *scene = page->scene;
	double *gaps = calloc(scene->lane_count + 1, sizeof(*gaps));

	page->lane_x = calloc(scene->lane_count + 1, sizeof(*page->lane_x));
	if (!gaps || !page->lane_x) {
		free(gaps);
		return -ENOMEM;
	}
	page->rows = scene->row_count < ROWS_MOST ? scene->row_count : ROWS_MOST;
	page->unit_ns = scene->duration_ns >= 10000000 ? 1e6 : 1e3;
	page->unit = scene->duration_ns >= 10000000 ? "ms" : "µs";
	for (size_t i = 0; i + 1 < scene->lane_count; i++)
		gaps[i] = GAP_LEAST;
	for (size_t i = 0; i < page->rows; i++)
		need_of_row(page, gaps, &scene->rows[i]);
	place_lanes(page, gaps);
	free(gaps);
	return 0;
}

void svg_layout_free(struct svg_page *page)
{
	free(page->lane_x);
}
