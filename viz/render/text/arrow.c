// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Draws arrows and marks between the lanes of one row. */
#include "viz/render/text/picture.h"

#include <stdio.h>
#include <string.h>

/* The glyphs of a style; where direction matters, [0] is rightwards, [1] leftwards. */
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

/* An arrow being drawn over the columns [left, right). */
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

/* Draws the line, with crossings at the lanes that are alive. */
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
	text_cross_braces(s->page, s->row, s->left, s->right, s->pen->cross, s->colour);
}

/*
 * Draws the label within `in`, with blanks around it. If it does not fit, the row's brief label is
 * used, or it is cut.
 */
static enum text_label draw_label(const struct stroke *s, struct text_stretch in, const char *label)
{
	struct text_canvas *canvas = &s->page->canvas;
	int width = text_width(canvas, label) + s->scene_row->ambiguous;
	int room = in.right - in.left - 2 - 1; /* two blanks, and some line where it leaves */
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

/* Draws the arrow's end, which shows whether the message arrived. */
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

/* Where the line of a piece begins or ends: at the lane, or at the brace beside it. */
static int piece_end(const struct stroke *s, int lane, bool tail)
{
	bool hangs = tail ? s->scene_row->tailless : s->scene_row->headless;

	return hangs ? text_brace_column(s->page, s->scene_row, tail) : lane;
}

/* Draws a piece of a call: its ends hang on braces, or are those of the whole call. */
static enum text_label draw_piece(struct stroke *s, int from, int to, const char *text)
{
	bool left = to < from;
	int tail = piece_end(s, from, true), head = piece_end(s, to, false);
	int tail_brace = text_brace_column(s->page, s->scene_row, true);
	int head_brace = text_brace_column(s->page, s->scene_row, false);
	struct text_stretch label;

	s->left = left ? head + !s->scene_row->headless : tail + !s->scene_row->tailless;
	s->right = left ? tail + s->scene_row->tailless : head + s->scene_row->headless;
	draw_line(s);
	if (!s->scene_row->headless)
		draw_head(s, left ? s->left : s->right - 1, left);
	if (!s->scene_row->tailless)
		draw_leave(s, from, left);
	text_put_brace_ends(s->page, s->row, s->colour);
	label = text_widest(s->page, s->row, s->left - 1, s->right);
	label = text_beside_braces(s->page, s->row, TEXT_AT, label);
	if (label.left <= (left ? head_brace : tail_brace))
		label.left = (left ? head_brace : tail_brace) + 1;
	if (label.right > (left ? tail_brace : head_brace))
		label.right = left ? tail_brace : head_brace;
	return draw_label(s, label, text);
}

/* Draws an arrow from lane to lane. */
static enum text_label draw_between(struct text_page *page, size_t row, int from, int to,
				    const char *text)
{
	bool left = to < from;
	struct stroke s = begin_stroke(page, row, (left ? to : from) + 1, left ? from : to);
	struct text_stretch label;
	int head = left ? s.left : s.right - 1;

	if (s.scene_row->tailless || s.scene_row->headless || text_has_brace(&s.scene_row->tail) ||
	    text_has_brace(&s.scene_row->head))
		return draw_piece(&s, from, to, text);
	draw_line(&s);
	draw_head(&s, head, left);
	draw_leave(&s, from, left);
	label = text_widest(page, row, s.left - 1, s.right);
	label = text_beside_braces(page, row, TEXT_AT, label);
	if (label.left <= head && head < label.right) {
		label.left += left;
		label.right -= !left;
	}
	return draw_label(&s, label, text);
}

/* Draws an arrow from a lane to itself: out and back. */
static enum text_label draw_turn(struct text_page *page, size_t row, int column)
{
	struct text_stretch in = text_behind(page, row, column);
	struct text_stretch beside = text_beside_braces(page, row, TEXT_AT, in);
	int width = text_width(&page->canvas, page->scene->rows[row].label) + 6;
	struct stroke s;

	if (beside.left == in.left) /* the turn is no part of a brace at the far side */
		in = beside;
	if (in.right - in.left > width)
		in.right = in.left + width;
	s = begin_stroke(page, row, in.left, in.right);
	draw_line(&s);
	draw_head(&s, in.left, true);
	text_put_glyph(&page->canvas, in.right - 1, s.pen->turn, s.colour);
	in = text_beside_braces(page, row, TEXT_AT,
				(struct text_stretch){in.left + 1, in.right - 1});
	return draw_label(&s, in, s.scene_row->label);
}

static bool is_half(const struct scene_row *row)
{
	return row->part == SCENE_SENT || row->part == SCENE_RECEIVED;
}

/* Who is at the loose end. */
static const struct {
	const char *utf8, *ascii;
	enum text_legend legend;
} outsiders[SCENE_OUTSIDER_COUNT] = {
	[SCENE_UNTRACED] = {"○", "o", LEGEND_OUTSIDE},
	[SCENE_THE_KERNEL] = {"▣", "K", LEGEND_KERNEL},
	[SCENE_NOBODY] = {"∅", "/", LEGEND_NOBODY},
};

/* Returns the text at the loose end of an arrow that does not run from lane to lane. */
static const char *loose_end(struct text_page *page, const struct scene_row *row, char buf[32])
{
	if (is_half(row)) {
		text_use(page, LEGEND_TIE);
		snprintf(buf, 32, "%s%u", page->canvas.utf8 ? "●" : "O", row->tie);
		return buf;
	}
	if (row->from != SCENE_OUTSIDE && row->to != SCENE_OUTSIDE)
		return "";
	text_use(page, outsiders[row->outsider].legend);
	return page->canvas.utf8 ? outsiders[row->outsider].utf8 : outsiders[row->outsider].ascii;
}

/* Returns the stretch for a loose arrow beside its lane, no longer than it needs. */
static struct text_stretch loose_stretch(struct text_page *page, size_t row, int column, bool left,
					 int need)
{
	struct text_stretch in = left ? text_before(page, row, column)
				      : text_behind(page, row, column);
	struct text_stretch beside;

	beside = text_beside_braces(page, row, TEXT_AT, in);
	if (left ? beside.right == in.right : beside.left == in.left)
		in = beside; /* a brace at the far side */
	if (in.right - in.left <= need)
		return in;
	if (left)
		in.left = in.right - need;
	else
		in.right = in.left + need;
	return in;
}

/* The column at which a loose arrow has its end that is not loose: a lane, or a brace beside it. */
static int loose_column(const struct text_page *page, const struct scene_row *row, int column,
			bool left, bool arrives)
{
	if (!arrives && row->tailless)
		return text_brace_column(page, row, true);
	if (arrives && row->headless)
		return text_brace_column(page, row, false) + (left ? 1 : -1);
	return column;
}

/* Draws the ends of a loose arrow, and leaves in `in` what is free for its label. */
static void draw_loose_ends(const struct stroke *s, struct text_stretch *in, int column, bool left,
			    bool arrives)
{
	const struct scene_row *r = s->scene_row;
	char buf[32];
	const char *end = loose_end(s->page, r, buf);
	int end_width = text_width(&s->page->canvas, end);

	if (!arrives && !r->tailless)
		draw_leave(s, column, left);
	text_put(&s->page->canvas, left ? in->left : in->right - end_width, in->right - in->left,
		 end, s->colour);
	in->left += left ? end_width : 0;
	in->right -= left ? 0 : end_width;
	if (r->part != SCENE_SENT && !(arrives && r->headless)) {
		/* at the lane if it arrives, at the loose end if it leaves */
		bool at_left = left != arrives;

		draw_head(s, at_left ? in->left : in->right - 1, at_left);
		in->left += at_left;
		in->right -= !at_left;
	}
	text_put_brace_ends(s->page, s->row, s->colour);
	if (arrives && text_has_brace(&r->head))
		*(left ? &in->right : &in->left) = text_brace_column(s->page, r, false) +
						   (left ? 0 : 1);
}

/* Draws an arrow beside a lane with one loose end, which is at the left if `left`. */
static enum text_label draw_loose(struct text_page *page, size_t row, int column, bool left,
				  bool arrives)
{
	const struct scene_row *r = &page->scene->rows[row];
	char buf[32];
	int end_width = text_width(&page->canvas, loose_end(page, r, buf));
	int need = text_width(&page->canvas, r->label) + r->ambiguous + 4 +
		   (r->part != SCENE_SENT) + end_width + text_has_brace(&r->head);
	int at = loose_column(page, r, column, left, arrives);
	struct text_stretch in = loose_stretch(page, row, at, left, need);
	struct stroke s = begin_stroke(page, row, in.left, in.right);

	draw_line(&s);
	draw_loose_ends(&s, &in, column, left, arrives);
	return draw_label(&s, text_beside_braces(page, row, TEXT_AT, in), r->label);
}

static const struct mark {
	enum text_glyph glyph;
	enum text_legend legend;
} marks[SCENE_KIND_COUNT] = {
	[SCENE_EXEC] = {GLYPH_LANE_EXEC, LEGEND_EXEC},
	[SCENE_EXIT] = {GLYPH_LANE_EXIT, LEGEND_EXIT},
	[SCENE_FAILED] = {GLYPH_LANE_FAILED, LEGEND_FAILED},
	[SCENE_WAITING] = {GLYPH_LANE_BLOCKED, LEGEND_BLOCKED},
	[SCENE_REMOVED] = {GLYPH_LANE_REMOVED, LEGEND_REMOVED},
	[SCENE_NOTE] = {GLYPH_LANE_NOTE, LEGEND_NOTE},
	[SCENE_FOUND] = {GLYPH_LANE_WARNING, LEGEND_FOUND},
};

static enum text_label draw_mark_label(struct text_page *page, size_t row, int column)
{
	const struct scene_row *r = &page->scene->rows[row];
	struct text_stretch in = text_beside_braces(page, row, TEXT_AT,
						    text_behind(page, row, column));
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

/*
 * Draws an exit. If SIGCHLD goes to a lane at the left, the status is at the right, else in the
 * arrow.
 */
static enum text_label draw_exit(struct text_page *page, size_t row, int from, int to)
{
	const struct scene_row *r = &page->scene->rows[row];
	char both[128];

	if (to < from) {
		draw_between(page, row, from, to, r->notice_label);
		return draw_mark_label(page, row, from);
	}
	snprintf(both, sizeof(both), "%s, %s", r->label, r->notice_label);
	return draw_between(page, row, from, to, both);
}

static bool is_loose(const struct scene_row *row)
{
	bool braced = (row->tailless || row->headless) && !row->tie;

	return (is_half(row) && !braced) || row->from == SCENE_OUTSIDE ||
	       row->to == SCENE_OUTSIDE || (row->to == SCENE_NOWHERE && row->part != SCENE_WHOLE);
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
	if (text_is_birth(page, row))
		to_column = text_birth_edge(page, row, to_column < from_column);
	return draw_between(page, row, from_column, to_column, r->label);
}
