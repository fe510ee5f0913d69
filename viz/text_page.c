// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "text_page.h"

void text_use(struct text_page *page, enum text_legend legend)
{
	page->legend |= UINT64_C(1) << legend;
}

bool text_slot_lives(const struct text_page *page, int slot, size_t row, enum text_moment moment)
{
	int index = page->layout.slots[slot].lane;
	const struct scene_lane *lane;

	if (index < 0)
		return true;
	lane = &page->scene->lanes[index];
	if (row < lane->first_row || (lane->last_row != SCENE_NO_ROW && row > lane->last_row))
		return false;
	return !(moment == TEXT_BELOW && lane->ended && row == lane->last_row);
}

static enum text_glyph lane_glyph(struct text_page *page, int slot, size_t row,
				  enum text_moment moment)
{
	size_t at = row + (moment == TEXT_BELOW && row + 1 < page->scene->row_count);
	enum scene_kind kind = page->scene->rows[row].kind;

	if (page->until[SCENE_HANDLER][slot] > at) {
		text_use(page, LEGEND_HANDLER);
		return GLYPH_LANE_HANDLER;
	}
	if (page->until[SCENE_BLOCKED][slot] > at) {
		text_use(page, LEGEND_BLOCKED);
		return GLYPH_LANE_BLOCKED;
	}
	return kind == SCENE_IDLE && moment == TEXT_AT ? GLYPH_LANE_IDLE : GLYPH_LANE;
}

/* Bars that begin in this row begin to count. */
static void advance_bars(struct text_page *page, size_t row)
{
	const struct scene *scene = page->scene;

	for (; page->bar < scene->bar_count && scene->bars[page->bar].first_row <= row;
	     page->bar++) {
		const struct scene_bar *bar = &scene->bars[page->bar];
		size_t *until = &page->until[bar->kind][page->layout.slot_of[bar->lane]];

		if (page->layout.slots[page->layout.slot_of[bar->lane]].lane >= 0 &&
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

bool text_row_is_message(const struct scene_row *row)
{
	if (row->part == SCENE_SENT || row->part == SCENE_ENTERS)
		return false;
	return row->kind == SCENE_MESSAGE || row->kind == SCENE_SIGNAL;
}

/* By mechanism; what is no message is plain, what went wrong is red. */
enum text_colour text_row_colour(const struct scene_row *row)
{
	static const unsigned char colours[MECH_COUNT] = {
		[MECH_PIPE] = TEXT_CYAN,	[MECH_FIFO] = TEXT_CYAN,
		[MECH_PTY] = TEXT_CYAN,		[MECH_UNIX_STREAM] = TEXT_GREEN,
		[MECH_UNIX_DGRAM] = TEXT_GREEN, [MECH_UNIX_SEQPACKET] = TEXT_GREEN,
		[MECH_TCP] = TEXT_YELLOW,	[MECH_UDP] = TEXT_YELLOW,
		[MECH_SIGNAL] = TEXT_MAGENTA,	[MECH_POSIX_MQ] = TEXT_BLUE,
		[MECH_SYSV_MSG] = TEXT_BLUE,	[MECH_EVENTFD] = TEXT_BLUE,
		[MECH_SYSV_SHM] = TEXT_BLUE,	[MECH_SHARED_MMAP] = TEXT_BLUE,
	};

	if (row->kind == SCENE_FAILED || row->part == SCENE_DROPPED ||
	    row->severity == SEVERITY_ERROR)
		return TEXT_RED;
	if (row->kind == SCENE_FOUND)
		return TEXT_YELLOW;
	return row->mechanism < MECH_COUNT ? (enum text_colour)colours[row->mechanism] : TEXT_PLAIN;
}
