// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Draws the braces that hold the pieces of one call together: beside the sender's lane those of a
 * send that several receives took, beside the receiver's those of a receive that took several.
 *
 *	┝━┳━ 3 B ━━▶│		┝━━ 2 B ━┓  │
 *	│ ┗━ 9 B ━━▶│		┝━━ 3 B ━┻━▶│
 */
#include "viz/render/text/picture.h"

enum { BRACE_COLUMN = 2, ROWS_BACK = 8 };

static int column_of(const struct text_page *page, int lane)
{
	int slot = text_slot_of(&page->layout, lane);

	return slot < 0 ? -1 : page->layout.slots[slot].column;
}

/* True if the arrow runs to the left; a rest that nobody received is beside the pieces above. */
static bool is_leftwards(const struct text_page *page, const struct scene_row *row)
{
	const struct scene_row *rows = page->scene->rows;

	while (row->to < 0 && row->tail.above != SCENE_NO_ROW)
		row = &rows[row->tail.above];
	return row->to >= 0 && column_of(page, row->to) < column_of(page, row->from);
}

int text_brace_column(const struct text_page *page, const struct scene_row *row, bool tail)
{
	int step = is_leftwards(page, row) ? -BRACE_COLUMN : BRACE_COLUMN;

	return tail ? column_of(page, row->from) + step : column_of(page, row->to) - step;
}

bool text_has_brace(const struct scene_brace *brace)
{
	return brace->above != SCENE_NO_ROW || brace->below != SCENE_NO_ROW;
}

/* True if a brace that begins above runs through the row, or through what is below its line. */
static bool runs_on(const struct scene_brace *brace, size_t row, enum text_moment moment)
{
	if (brace->below == SCENE_NO_ROW || brace->below < row + (moment == TEXT_BELOW))
		return false;
	return moment != TEXT_AT || brace->below != row;
}

/* A walk over the braces that run through a row, or through what is below its line. */
struct walk {
	size_t row;
	enum text_moment moment;
	size_t next; /* twice the row in which a brace begins, plus 1: that of its tails */
};

static struct walk begin_walk(size_t row, enum text_moment moment)
{
	return (struct walk){row, moment, 2 * (row > ROWS_BACK ? row - ROWS_BACK : 0)};
}

/* The row in which the next brace begins, and the column of its side; NULL: there is none. */
static const struct scene_row *next_side(const struct text_page *page, struct walk *walk,
					 int *column)
{
	while (walk->next < 2 * (walk->row + (walk->moment == TEXT_BELOW))) {
		const struct scene_row *row = &page->scene->rows[walk->next / 2];
		bool tail = walk->next++ % 2;

		if (!runs_on(tail ? &row->tail : &row->head, walk->row, walk->moment))
			continue;
		*column = text_brace_column(page, row, tail);
		return row;
	}
	return NULL;
}

void text_put_braces(struct text_page *page, size_t row, enum text_moment moment)
{
	struct walk walk = begin_walk(row, moment);
	const struct scene_row *r;
	int column;

	while ((r = next_side(page, &walk, &column)))
		text_put_glyph(&page->canvas, column, GLYPH_BRACE_SIDE, text_row_colour(r));
}

void text_cross_braces(struct text_page *page, size_t row, int left, int right,
		       enum text_glyph glyph, enum text_colour colour)
{
	struct walk walk = begin_walk(row, TEXT_AT);
	int column;

	while (next_side(page, &walk, &column))
		if (column >= left && column < right)
			text_put_glyph(&page->canvas, column, glyph, colour);
}

struct text_stretch text_beside_braces(const struct text_page *page, size_t row,
				       enum text_moment moment, struct text_stretch in)
{
	struct walk walk = begin_walk(row, moment);
	int column;

	while (next_side(page, &walk, &column)) {
		if (column < in.left || column >= in.right)
			continue;
		if (column - in.left > in.right - column - 1)
			in.right = column;
		else
			in.left = column + 1;
	}
	return in;
}

void text_put_brace_ends(struct text_page *page, size_t row, enum text_colour colour)
{
	const struct scene_row *r = &page->scene->rows[row];
	bool left = is_leftwards(page, r);
	enum text_glyph tails[] = {GLYPH_BRACE_DOWN,
				   left ? GLYPH_BRACE_MIDDLE_L : GLYPH_BRACE_MIDDLE_R,
				   left ? GLYPH_BRACE_LAST_L : GLYPH_BRACE_LAST_R};
	enum text_glyph heads[] = {left ? GLYPH_BRACE_FIRST_L : GLYPH_BRACE_FIRST_R,
				   left ? GLYPH_BRACE_MIDDLE_R : GLYPH_BRACE_MIDDLE_L,
				   GLYPH_BRACE_UP};

	for (int tail = 0; tail < 2; tail++) {
		const struct scene_brace *brace = tail ? &r->tail : &r->head;
		int place = (brace->above != SCENE_NO_ROW) + (brace->below == SCENE_NO_ROW);

		if (!text_has_brace(brace))
			continue;
		text_use(page, LEGEND_BRACE);
		text_put_glyph(&page->canvas, text_brace_column(page, r, tail),
			       (tail ? tails : heads)[place], colour);
	}
}
