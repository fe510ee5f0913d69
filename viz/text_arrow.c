// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Arrows and marks: what happens between the lanes in one row. */
#include "text_page.h"

#include <stdio.h>
#include <string.h>

/* The glyphs of a style, by direction where it matters: [0] to the right, [1] to the left. */
static const struct pen {
	enum text_glyph line, cross, turn;
	enum text_glyph head[2], leave[2];
	enum text_legend legend;
} pens[] = {
#define PEN(style)                                                                                 \
	[SCENE_##style] = {GLYPH_##style,                                                          \
			   GLYPH_##style##_CROSS,                                                  \
			   GLYPH_##style##_TURN,                                                   \
			   {GLYPH_##style##_RIGHT, GLYPH_##style##_LEFT},                          \
			   {GLYPH_##style##_LEAVE_R, GLYPH_##style##_LEAVE_L},                     \
			   LEGEND_##style}
	PEN(COPY),
	PEN(CONTROL),
	PEN(NOTIFY),
#undef PEN
};

/* An arrow in the making: it runs over the columns [left, right). */
struct stroke {
	struct text_page *page;
	const struct scene_row *scene_row;
	size_t row;
	const struct pen *pen;
	enum text_colour colour;
	int left;
	int right;
};

static struct stroke begin_stroke(struct text_page *page, size_t row, int left, int right)
{
	const struct scene_row *r = &page->scene->rows[row];
	struct stroke stroke = {page, r, row, &pens[r->style], text_row_colour(r), left, right};

	text_use(page, stroke.pen->legend);
	if (r->ambiguous)
		text_use(page, LEGEND_AMBIGUOUS);
	return stroke;
}

/* The line, crossing the lanes that live. */
static void draw_line(const struct stroke *s)
{
	const struct text_layout *layout = &s->page->layout;

	for (int c = s->left; c < s->right; c++)
		text_put_glyph(&s->page->canvas, c, s->pen->line, s->colour);
	for (size_t i = 0; i < layout->slot_count; i++)
		if (layout->slots[i].column >= s->left && layout->slots[i].column < s->right &&
		    text_slot_lives(s->page, (int)i, s->row, TEXT_AT))
			text_put_glyph(&s->page->canvas, layout->slots[i].column, s->pen->cross,
				       s->colour);
}

/*
 * A label within `in`, blanks around it; where it does not fit, the row's brief one, or it is cut.
 */
static enum text_label draw_label(const struct stroke *s, struct text_stretch in, const char *label)
{
	struct text_canvas *canvas = &s->page->canvas;
	int width = text_width(canvas, label) + s->scene_row->ambiguous;
	int room = in.right - in.left - 2 - 1; /* two blanks, and a piece of line where it leaves */
	bool brief = width > room && *s->scene_row->brief;
	int shown, at;

	if (brief) {
		label = s->scene_row->brief;
		width = text_width(canvas, label) + s->scene_row->ambiguous;
	}
	shown = width < room ? width : room;
	if (shown <= s->scene_row->ambiguous)
		return TEXT_LABEL_CUT;
	at = in.left + (in.right - in.left - shown + 1) / 2;
	text_put(canvas, at - 1, 1, " ", TEXT_PLAIN);
	text_put(canvas, at, shown - s->scene_row->ambiguous, label, s->colour);
	if (s->scene_row->ambiguous)
		text_put(canvas, at + shown - 1, 1, "?", TEXT_RED);
	text_put(canvas, at + shown, 1, " ", TEXT_PLAIN);
	if (shown < width)
		return TEXT_LABEL_CUT;
	return brief ? TEXT_LABEL_BRIEF : TEXT_LABEL_WHOLE;
}

/* What the arrow ends in tells whether the message arrived. */
static void draw_head(const struct stroke *s, int column, bool leftwards)
{
	enum text_glyph glyph = s->pen->head[leftwards];

	if (s->scene_row->part == SCENE_UNREAD) {
		text_use(s->page, LEGEND_UNREAD);
		glyph = GLYPH_TIE;
	}
	if (s->scene_row->part == SCENE_DROPPED) {
		text_use(s->page, LEGEND_DROPPED);
		glyph = GLYPH_DROPPED;
	}
	text_put_glyph(&s->page->canvas, column, glyph, s->colour);
}

static void draw_leave(const struct stroke *s, int column, bool leftwards)
{
	enum text_glyph glyph = s->pen->leave[leftwards];

	if (s->scene_row->kind == SCENE_EXIT) {
		text_use(s->page, LEGEND_EXIT);
		glyph = GLYPH_LANE_EXIT;
	}
	text_put_glyph(&s->page->canvas, column, glyph, s->colour);
}

/* From lane to lane. */
static enum text_label draw_between(struct text_page *page, size_t row, int from, int to,
				    const char *text)
{
	bool left = to < from;
	struct stroke s = begin_stroke(page, row, (left ? to : from) + 1, left ? from : to);
	struct text_stretch label;
	int head = left ? s.left : s.right - 1;

	draw_line(&s);
	draw_head(&s, head, left);
	draw_leave(&s, from, left);
	label = text_widest(page, row, s.left - 1, s.right);
	if (label.left <= head && head < label.right) {
		label.left += left;
		label.right -= !left;
	}
	return draw_label(&s, label, text);
}

/* To itself: out and back. */
static enum text_label draw_turn(struct text_page *page, size_t row, int column)
{
	struct text_stretch in = text_behind(page, row, column);
	int width = text_width(&page->canvas, page->scene->rows[row].label) + 6;
	struct stroke s;

	if (in.right - in.left > width)
		in.right = in.left + width;
	s = begin_stroke(page, row, in.left, in.right);
	draw_line(&s);
	draw_head(&s, in.left, true);
	text_put_glyph(&page->canvas, in.right - 1, s.pen->turn, s.colour);
	return draw_label(&s, (struct text_stretch){in.left + 1, in.right - 1}, s.scene_row->label);
}

static bool is_half(const struct scene_row *row)
{
	return row->part == SCENE_SENT || row->part == SCENE_RECEIVED;
}

/* What stands at the loose end of an arrow that does not run from lane to lane. */
static const char *loose_end(struct text_page *page, const struct scene_row *row, char buf[32])
{
	if (is_half(row)) {
		text_use(page, LEGEND_TIE);
		snprintf(buf, 32, "%s%u", page->canvas.utf8 ? "●" : "O", row->tie);
		return buf;
	}
	if (row->from != SCENE_OUTSIDE && row->to != SCENE_OUTSIDE)
		return "";
	text_use(page, LEGEND_OUTSIDE);
	return page->canvas.utf8 ? "○" : "o";
}

/* The stretch that a loose arrow takes beside its lane: no longer than it needs. */
static struct text_stretch loose_stretch(struct text_page *page, size_t row, int column, bool left,
					 int need)
{
	struct text_stretch in = left ? text_before(page, row, column)
				      : text_behind(page, row, column);

	if (in.right - in.left <= need)
		return in;
	if (left)
		in.left = in.right - need;
	else
		in.right = in.left + need;
	return in;
}

/* Beside a lane, with one end loose. `left`: the loose end is at the left. */
static enum text_label draw_loose(struct text_page *page, size_t row, int column, bool left,
				  bool arrives)
{
	const struct scene_row *r = &page->scene->rows[row];
	char buf[32];
	const char *end = loose_end(page, r, buf);
	int end_width = text_width(&page->canvas, end);
	bool head = r->part != SCENE_SENT;
	int need = text_width(&page->canvas, r->label) + r->ambiguous + 4 + head + end_width;
	struct text_stretch in = loose_stretch(page, row, column, left, need);
	struct stroke s = begin_stroke(page, row, in.left, in.right);

	draw_line(&s);
	if (!arrives)
		draw_leave(&s, column, left);
	text_put(&page->canvas, left ? in.left : in.right - end_width, in.right - in.left, end,
		 s.colour);
	in.left += left ? end_width : 0;
	in.right -= left ? 0 : end_width;
	if (head) { /* at the lane where it arrives, at the loose end where it leaves */
		bool at_left = left != arrives;

		draw_head(&s, at_left ? in.left : in.right - 1, at_left);
		in.left += at_left;
		in.right -= !at_left;
	}
	return draw_label(&s, in, r->label);
}

static const struct mark {
	enum text_glyph glyph;
	enum text_legend legend;
} marks[SCENE_KIND_COUNT] = {
	[SCENE_EXEC] = {GLYPH_LANE_EXEC, LEGEND_EXEC},
	[SCENE_EXIT] = {GLYPH_LANE_EXIT, LEGEND_EXIT},
	[SCENE_FAILED] = {GLYPH_LANE_FAILED, LEGEND_FAILED},
	[SCENE_WAITING] = {GLYPH_LANE_BLOCKED, LEGEND_BLOCKED},
	[SCENE_NOTE] = {GLYPH_LANE_NOTE, LEGEND_NOTE},
	[SCENE_FOUND] = {GLYPH_LANE_WARNING, LEGEND_FOUND},
};

static enum text_label draw_mark_label(struct text_page *page, size_t row, int column)
{
	const struct scene_row *r = &page->scene->rows[row];
	struct text_stretch in = text_behind(page, row, column);
	int room = in.right - in.left - 2;

	text_put(&page->canvas, in.left + 1, room, r->label, text_row_colour(r));
	return text_width(&page->canvas, r->label) <= room ? TEXT_LABEL_WHOLE : TEXT_LABEL_CUT;
}

static enum text_label draw_mark(struct text_page *page, size_t row, int column)
{
	const struct scene_row *r = &page->scene->rows[row];
	const struct mark *mark = &marks[r->kind];

	if (mark->glyph != GLYPH_LANE) {
		bool error = r->severity == SEVERITY_ERROR;

		text_use(page, mark->legend);
		text_put_glyph(&page->canvas, column, error ? GLYPH_LANE_FAILED : mark->glyph,
			       text_row_colour(r));
	}
	return draw_mark_label(page, row, column);
}

/* An exit that is told to a lane at the left says its status at the right, else in the arrow. */
static enum text_label draw_exit(struct text_page *page, size_t row, int from, int to)
{
	const struct scene_row *r = &page->scene->rows[row];
	char both[128];

	if (to < from) {
		draw_between(page, row, from, to, r->told);
		return draw_mark_label(page, row, from);
	}
	snprintf(both, sizeof(both), "%s, %s", r->label, r->told);
	return draw_between(page, row, from, to, both);
}

static bool is_loose(const struct scene_row *row)
{
	return is_half(row) || row->from == SCENE_OUTSIDE || row->to == SCENE_OUTSIDE ||
	       (row->to == SCENE_NOWHERE && row->part != SCENE_WHOLE);
}

enum text_label text_arrow(struct text_page *page, size_t row)
{
	const struct scene_row *r = &page->scene->rows[row];
	int from = text_slot_of(&page->layout, r->from);
	int to = text_slot_of(&page->layout, r->to);
	int from_column = from < 0 ? -1 : page->layout.slots[from].column;
	int to_column = to < 0 ? -1 : page->layout.slots[to].column;

	if (from < 0 && to < 0)
		return TEXT_LABEL_WHOLE;
	if (is_loose(r)) {
		bool arrives = r->part == SCENE_RECEIVED || r->from == SCENE_OUTSIDE;
		bool left = from >= 0 && to >= 0 && (arrives ? from < to : to < from);

		return draw_loose(page, row, arrives ? to_column : from_column, left, arrives);
	}
	if (to < 0)
		return draw_mark(page, row, from_column);
	if (from == to)
		return draw_turn(page, row, from_column);
	if (r->kind == SCENE_EXIT)
		return draw_exit(page, row, from_column, to_column);
	return draw_between(page, row, from_column, to_column, r->label);
}
