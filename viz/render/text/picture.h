/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The state of the text picture being drawn, shared by its parts: head, rows, arrows, details,
 * foot.
 */
#ifndef VIZ_RENDER_TEXT_PICTURE_H
#define VIZ_RENDER_TEXT_PICTURE_H

#include "viz/base/canvas.h"
#include "viz/render/text/layout.h"
#include "viz/scene/scene.h"

enum text_legend {
#define LEGEND(id, utf8, ascii, meaning) LEGEND_##id,
#include "viz/render/text/legend.def"
#undef LEGEND
	LEGEND_COUNT
};

enum { TEXT_DEPTH_MOST = 3 }; /* deeper nesting is not shown */

struct text_page {
	const struct scene *scene;
	struct text_canvas canvas;
	struct text_layout layout;
	uint64_t legend; /* bits of enum text_legend: those used */
	double unit_ns;	 /* ns per unit of the time column */
	const char *unit;
	size_t bar; /* next one of scene->bars */
	/* [enum scene_bar_kind][slot]: first row after its bar */
	size_t *until[SCENE_BAR_KIND_COUNT];
	bool *headed;		/* [lane]: its box is drawn */
	int depth;		/* number of loops around the row */
	size_t hidden;		/* rows left out because their lanes share a slot */
	size_t hidden_messages; /* messages and signals among them */
};

/* A row's own line, or the lines below it, where a lane may already have ended. */
enum text_moment { TEXT_AT, TEXT_BELOW };

/* Notes that the picture uses a symbol, so that the legend explains it. */
void text_use(struct text_page *page, enum text_legend legend);

/* True if the slot's lane is alive in this row; the shared slot always is. */
bool text_slot_lives(const struct text_page *page, int slot, size_t row, enum text_moment moment);

/* Draws the glyph of every living lane on the line. */
void text_put_lanes(struct text_page *page, size_t row, enum text_moment moment);

/* Prints the line of a row; notes which bars are seen on it, under arrows and marks. */
void text_row_line(struct text_page *page);

/* A free stretch of columns [left, right) between living lanes, on a row's line. */
struct text_stretch {
	int left;
	int right;
};

/*
 * Return the widest stretch within (from, to), the one right after `column`, and the one right
 * before it.
 */
struct text_stretch text_widest(const struct text_page *page, size_t row, int from, int to);
struct text_stretch text_behind(const struct text_page *page, size_t row, int column);
struct text_stretch text_before(const struct text_page *page, size_t row, int column);

/* True if a message or signal arrives or is lost in this row, which is where it is counted. */
bool text_row_is_message(const struct scene_row *row);

enum text_colour text_row_colour(const struct scene_row *row);

/*
 * Braces (brace.c): the column of a row's tail or head brace; the ends of the row's own braces; the
 * sides of those that run through its line; and where its arrow crosses these.
 */
bool text_has_brace(const struct scene_brace *brace);
int text_brace_column(const struct text_page *page, const struct scene_row *row, bool tail);
void text_put_brace_ends(struct text_page *page, size_t row, enum text_colour colour);
void text_put_braces(struct text_page *page, size_t row, enum text_moment moment);
void text_cross_braces(struct text_page *page, size_t row, int left, int right,
		       enum text_glyph glyph, enum text_colour colour);

/* The larger part of a stretch at one side of the braces that run through it. */
struct text_stretch text_beside_braces(const struct text_page *page, size_t row,
				       enum text_moment moment, struct text_stretch in);

/* How much of an arrow's label fitted. */
enum text_label { TEXT_LABEL_WHOLE, TEXT_LABEL_BRIEF, TEXT_LABEL_CUT };

/* The parts of the picture. */
void text_head(struct text_page *page);			 /* caption */
void text_boxes(struct text_page *page, size_t row);	 /* names of the lanes that live */
void text_newcomers(struct text_page *page, size_t row); /* of those that came without a birth */
enum text_label text_arrow(struct text_page *page, size_t row);
void text_row(struct text_page *page, size_t row);
void text_line(struct text_page *page, size_t row); /* the one-line form */
void text_foot(struct text_page *page);

/*
 * True if a process is made in this row and its box stands in it: above and below the row's line,
 * in that line after the arrow, which ends at the box's edge.
 */
bool text_is_birth(const struct text_page *page, size_t row);
void text_birth_above(struct text_page *page, size_t row);
int text_birth_edge(struct text_page *page, size_t row, bool leftwards);
void text_birth_name(struct text_page *page, size_t row);
void text_birth_below(struct text_page *page, size_t row);

/* Prints a paragraph, broken at blanks; its lines after the first are indented by `indent`. */
void text_paragraph(struct text_page *page, int indent, enum text_colour colour, const char *text);

#endif
