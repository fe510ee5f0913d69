/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The state of the SVG being drawn, shared by its parts. Lengths are in user units, which are
 * pixels at full size.
 */
#ifndef VIZ_RENDER_SVG_DRAWING_H
#define VIZ_RENDER_SVG_DRAWING_H

#include <stdio.h>

#include "viz/scene/scene.h"

enum {
	SVG_ROW = 28,	 /* distance of rows */
	SVG_HEADS = 44,	 /* space for the lanes' names */
	SVG_REPEAT = 40, /* rows after which the names are repeated */
	SVG_BOX = 22,	 /* height of a name's box */
	SVG_MARGIN = 16,
	SVG_TIME = 96,	   /* right edge of the time column */
	SVG_STUB = 48,	   /* length of an arrow with one end only */
	SVG_GAP = 12,	   /* between a line and its text */
	SVG_HEAD_TOP = 44, /* below the caption */
};

struct svg_page {
	const struct scene *scene;
	FILE *out;
	double *lane_x;	  /* [lane] */
	int *column_of;	  /* [lane]: lanes that do not live at the same time may share one */
	double *column_x; /* from left to right */
	size_t column_count;
	double detail_x; /* left edge of payloads and details */
	double width;
	double height;
	size_t rows;	/* rows that are drawn, from the first on */
	double unit_ns; /* ns per unit of the times */
	const char *unit;
	unsigned families; /* bits of enum render_family: drawn ones */
};

/* Computes the positions of lanes and rows, and widths, for svg_layout_free(). */
void svg_layout(struct svg_page *page);
void svg_layout_free(struct svg_page *page);

/* The y of a row's middle, the width of a text, and the width of the box with a lane's name. */
double svg_row_y(size_t row);
double svg_text_width(const char *text);
double svg_box_width(const struct scene_lane *lane);

/* Writes up to `most` characters, escaped, with … if the text is cut. */
void svg_put_text(struct svg_page *page, const char *text, size_t most);

/* Returns the short text beside or above an arrow, for free(). */
char *svg_label(const struct svg_page *page, const struct scene_row *row);

/* True if the row's ends are two different lanes, so that the label is above the arrow. */
bool svg_spans(const struct scene_row *row);

/* Return the classes of an arrow's line, and of a row, which has the colour of its mechanism. */
const char *svg_line_class(enum scene_style style);
const char *svg_row_class(const struct scene_row *row);

/*
 * Arrows that slant (slant.c): their lines, which lie under all words, and the words of a row.
 * False: the row's arrow does not slant, or its other end is too far away.
 */
void svg_put_slant(struct svg_page *page, size_t row);
bool svg_put_slant_words(struct svg_page *page, size_t row, const char *label);

void svg_row(struct svg_page *page, size_t row);

#endif
