// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Draws the lifelines of a row, and finds the free stretches between them. */
#include "viz/render/text/picture.h"

bool text_slot_lives(const struct text_page *page, int slot, size_t row, enum text_moment moment)
{
	int index = text_lane_at(&page->layout, page->scene, (size_t)slot, row);
	const struct scene_lane *lane;

	if (index < 0)
		return page->layout.slots[slot].shared;
	lane = &page->scene->lanes[index];
	if (row < lane->first_row || (lane->last_row != SCENE_NO_ROW && row > lane->last_row))
		return false;
	return !(moment == TEXT_BELOW && lane->ended && row == lane->last_row);
}

static enum text_glyph lane_glyph(const struct text_page *page, int slot, size_t row,
				  enum text_moment moment)
{
	size_t at = row + (moment == TEXT_BELOW && row + 1 < page->scene->row_count);
	enum scene_kind kind = page->scene->rows[row].kind;

	if (page->until[SCENE_HANDLER][slot] > at)
		return GLYPH_LANE_HANDLER;
	if (page->until[SCENE_BLOCKED][slot] > at)
		return GLYPH_LANE_BLOCKED;
	if (page->until[SCENE_HELD][slot] > at)
		return GLYPH_LANE_HELD;
	return kind == SCENE_IDLE && moment == TEXT_AT ? GLYPH_LANE_IDLE : GLYPH_LANE;
}

/* Activates the bars that begin in or before this row. */
static void advance_bars(struct text_page *page, size_t row)
{
	const struct scene *scene = page->scene;

	for (; page->bar < scene->bar_count && scene->bars[page->bar].first_row <= row;
	     page->bar++) {
		const struct scene_bar *bar = &scene->bars[page->bar];
		size_t *until = &page->until[bar->kind][page->layout.slot_of[bar->lane]];

		if (!page->layout.slots[page->layout.slot_of[bar->lane]].shared &&
		    *until < bar->last_row + 1)
			*until = bar->last_row + 1;
	}
}

void text_put_lanes(struct text_page *page, size_t row, enum text_moment moment)
{
	for (int i = 0; i < page->depth && i < TEXT_DEPTH_MOST; i++)
		text_put_glyph(&page->canvas, i, GLYPH_BOX_SIDE, TEXT_DIM);
	advance_bars(page, row);
	for (size_t i = 0; i < page->layout.slot_count; i++)
		if (text_slot_lives(page, (int)i, row, moment))
			text_put_glyph(&page->canvas, page->layout.slots[i].column,
				       lane_glyph(page, (int)i, row, moment), TEXT_PLAIN);
	text_put_braces(page, row, moment);
}

void text_row_line(struct text_page *page)
{
	for (size_t i = 0; i < page->layout.slot_count; i++) {
		int column = page->layout.slots[i].column;

		if (text_shows_glyph(&page->canvas, column, GLYPH_LANE_HANDLER))
			text_use(page, LEGEND_HANDLER);
		if (text_shows_glyph(&page->canvas, column, GLYPH_LANE_BLOCKED))
			text_use(page, LEGEND_BLOCKED);
		if (text_shows_glyph(&page->canvas, column, GLYPH_LANE_HELD))
			text_use(page, LEGEND_HELD);
	}
	text_flush(&page->canvas);
}

struct text_stretch text_behind(const struct text_page *page, size_t row, int column)
{
	const struct text_layout *layout = &page->layout;

	for (size_t i = 0; i < layout->slot_count; i++)
		if (layout->slots[i].column > column && text_slot_lives(page, (int)i, row, TEXT_AT))
			return (struct text_stretch){column + 1, layout->slots[i].column};
	return (struct text_stretch){column + 1,
				     layout->detail ? layout->detail - 1 : page->canvas.width};
}

struct text_stretch text_before(const struct text_page *page, size_t row, int column)
{
	const struct text_layout *layout = &page->layout;

	for (size_t i = layout->slot_count; i-- > 0;)
		if (layout->slots[i].column < column && text_slot_lives(page, (int)i, row, TEXT_AT))
			return (struct text_stretch){layout->slots[i].column + 1, column};
	return (struct text_stretch){layout->time_width, column};
}

struct text_stretch text_widest(const struct text_page *page, size_t row, int from, int to)
{
	struct text_stretch best = {from, from};

	while (from < to) {
		struct text_stretch next = text_behind(page, row, from);

		if (next.right > to)
			next.right = to;
		if (next.right - next.left > best.right - best.left)
			best = next;
		from = next.right;
	}
	return best;
}
