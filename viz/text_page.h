/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The text picture being drawn: what its parts (head, rows, arrows, details, foot) share.
 */
#ifndef VIZ_TEXT_PAGE_H
#define VIZ_TEXT_PAGE_H

#include "scene.h"
#include "text_canvas.h"
#include "text_layout.h"

enum text_legend {
#define LEGEND(id, utf8, ascii, meaning) LEGEND_##id,
#include "text_legend.def"
#undef LEGEND
	LEGEND_COUNT
};

enum { TEXT_DEPTH_MOST = 3 }; /* what is nested deeper stands as if it were not */

struct text_page {
	const struct scene *scene;
	struct text_canvas canvas;
	struct text_layout layout;
	uint64_t legend; /* bits of enum text_legend: what was used */
	double unit_ns;	 /* of the time column */
	const char *unit;
	size_t bar;		/* next of scene->bars */
	size_t *until[2];	/* [enum scene_bar_kind][slot]: first row behind its bar */
	int depth;		/* loops that the row is in */
	size_t hidden;		/* rows left out because their lanes share a slot */
	size_t hidden_messages; /* of which are messages or signals */
};

/* What a lane's column shows in this row: half a line further down it may be something else. */
enum text_moment { TEXT_AT, TEXT_BELOW };

void text_use(struct text_page *page, enum text_legend legend);
bool text_slot_lives(const struct text_page *page, int slot, size_t row, enum text_moment moment);

/* Puts every living lane's glyph on the line. */
void text_put_lanes(struct text_page *page, size_t row, enum text_moment moment);

/* The free stretch of columns [left, right) of this row's line between living lanes. */
struct text_stretch {
	int left;
	int right;
};

/* The widest within (from, to); the stretch right behind `column`; the one right before it. */
struct text_stretch text_widest(const struct text_page *page, size_t row, int from, int to);
struct text_stretch text_behind(const struct text_page *page, size_t row, int column);
struct text_stretch text_before(const struct text_page *page, size_t row, int column);

/* Whether a message or a signal arrives or is lost in this row: what is counted as one. */
bool text_row_is_message(const struct scene_row *row);

enum text_colour text_row_colour(const struct scene_row *row);

/* How much of an arrow's label there was room for. */
enum text_label { TEXT_LABEL_WHOLE, TEXT_LABEL_BRIEF, TEXT_LABEL_CUT };

/* The parts of the picture. */
void text_head(struct text_page *page);		     /* caption */
void text_boxes(struct text_page *page, size_t row); /* names of the lanes */
enum text_label text_arrow(struct text_page *page, size_t row);
void text_row(struct text_page *page, size_t row);
void text_line(struct text_page *page, size_t row); /* the one-line form */
void text_foot(struct text_page *page);

/* A paragraph, broken at blanks, its lines after the first indented by `indent`. */
void text_paragraph(struct text_page *page, int indent, enum text_colour colour, const char *text);

#endif
