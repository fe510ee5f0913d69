/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The SVG being drawn: what its parts share. Lengths are user units, pixels at full size. */
#ifndef VIZ_RENDER_SVG_PAGE_H
#define VIZ_RENDER_SVG_PAGE_H

#include <stdio.h>

#include "scene.h"

enum {
	SVG_ROW = 28,	 /* from one row to the next */
	SVG_HEADS = 44,	 /* room for names of lanes */
	SVG_REPEAT = 40, /* rows after which the names come again */
	SVG_BOX = 22,	 /* a name's box is so high */
	SVG_MARGIN = 16,
	SVG_TIME = 96,	   /* the column of times ends here */
	SVG_STUB = 48,	   /* an arrow that has only one end here */
	SVG_GAP = 12,	   /* between a line and its words */
	SVG_HEAD_TOP = 44, /* below the caption */
};

struct svg_page {
	const struct scene *scene;
	FILE *out;
	double *lane_x;	 /* [lane] */
	double detail_x; /* payloads and details */
	double width;
	double height;
	size_t rows;	/* that are drawn, from the first on */
	double unit_ns; /* of the times */
	const char *unit;
	unsigned families; /* bits of enum render_family: what was drawn */
	bool failed;
};

/* Places of lanes and rows, widths. 0 or -ENOMEM; for svg_layout_free(). */
int svg_layout(struct svg_page *page);
void svg_layout_free(struct svg_page *page);

double svg_row_y(size_t row);
double svg_text_width(const char *text);
double svg_box_width(const struct scene_lane *lane);

/* Characters up to `most`, escaped, with … where it is cut. */
void svg_put_text(struct svg_page *page, const char *text, size_t most);

/* The short words beside or above an arrow, and the lane that they stand to the right of. */
char *svg_label(const struct svg_page *page, const struct scene_row *row);

/* Both ends are lanes, and different ones: the label stands above the arrow. */
bool svg_spans(const struct scene_row *row);

void svg_row(struct svg_page *page, size_t row);

#endif
