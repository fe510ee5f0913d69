// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Draws the boxes with the lanes' names: side by side at the top (and again on each screen), and at
 * the row where a process is made, beside the arrow that makes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/render/text/picture.h"

enum { ARROW_LEAST = 8 }; /* columns between a maker and the box */

/* Lanes that are no processes have a double frame. */
static const struct frame {
	enum text_glyph top_left, top_right, left, right, line, side, lane;
} frames[] = {
	{GLYPH_BOX_TOP_LEFT, GLYPH_BOX_TOP_RIGHT, GLYPH_BOX_LEFT, GLYPH_BOX_RIGHT, GLYPH_BOX_LINE,
	 GLYPH_BOX_SIDE, GLYPH_BOX_LANE},
	{GLYPH_VIA_TOP_LEFT, GLYPH_VIA_TOP_RIGHT, GLYPH_VIA_LEFT, GLYPH_VIA_RIGHT, GLYPH_VIA_LINE,
	 GLYPH_VIA_SIDE, GLYPH_VIA_LANE},
};

/* A box and what is in it. */
struct head {
	struct text_box box;
	int column; /* of the lifeline */
	int lane;   /* -1: the shared slot */
};

static const struct frame *frame_of(const struct text_page *page, const struct head *head)
{
	return &frames[head->lane >= 0 && page->scene->lanes[head->lane].kind >= SCENE_LANE_KERNEL];
}

static void put_edge(struct text_page *page, const struct head *head, bool top, bool lives)
{
	const struct frame *frame = frame_of(page, head);
	struct text_canvas *canvas = &page->canvas;
	int right = head->box.left + head->box.width - 1;

	for (int c = head->box.left; c <= right; c++)
		text_put_glyph(canvas, c, frame->line, TEXT_PLAIN);
	text_put_glyph(canvas, head->box.left, top ? frame->top_left : frame->left, TEXT_PLAIN);
	text_put_glyph(canvas, right, top ? frame->top_right : frame->right, TEXT_PLAIN);
	if (lives)
		text_put_glyph(canvas, head->column, frame->lane, TEXT_PLAIN);
}

/* Draws the sides of a box's line, and returns the space for text. */
static int put_sides(struct text_page *page, const struct head *head)
{
	enum text_glyph side = frame_of(page, head)->side;

	text_put_glyph(&page->canvas, head->box.left, side, TEXT_PLAIN);
	for (int c = head->box.left + 1; c < head->box.left + head->box.width - 1; c++)
		text_put(&page->canvas, c, 1, " ", TEXT_PLAIN);
	text_put_glyph(&page->canvas, head->box.left + head->box.width - 1, side, TEXT_PLAIN);
	return head->box.width - 4;
}

/*
 * Writes a channel's name. If space is short its kind is cut first and then its number, from the
 * left, since the number distinguishes channels.
 */
static void put_channel_name(struct text_page *page, const struct head *head, int room)
{
	struct text_canvas *canvas = &page->canvas;
	const char *title = page->scene->lanes[head->lane].title;
	struct text_channel words = text_channel_words(title);
	int column = head->box.left + 2, number = text_width(canvas, words.number);

	if (head->box.tall || !number) {
		text_put(canvas, column, room, words.kind, TEXT_BOLD);
	} else if ((int)strcspn(title, " ") <= room) {
		text_put(canvas, column, room, title, TEXT_BOLD);
	} else {
		column += text_put(canvas, column, room - number, words.kind, TEXT_BOLD);
		text_put_end(canvas, column, room < number ? room : number, words.number,
			     TEXT_BOLD);
	}
}

/* Writes a lane's name. In a low box the name is cut before the pid. */
static void put_name(struct text_page *page, const struct head *head)
{
	struct text_canvas *canvas = &page->canvas;
	int room = put_sides(page, head);
	int column = head->box.left + 2;
	int number_width;
	char number[SCENE_NUMBER], shared[32];

	if (head->lane < 0) {
		snprintf(shared, sizeof(shared),
			 head->box.tall ? "…%zu" : scene_say(page->scene, "…%zu more"),
			 page->layout.grouped);
		text_put(canvas, column, room, shared, TEXT_DIM);
		return;
	}
	if (page->scene->lanes[head->lane].kind >= SCENE_LANE_CHANNEL) {
		put_channel_name(page, head, room);
		return;
	}
	scene_lane_number(&page->scene->lanes[head->lane], number);
	number_width = head->box.tall || !*number ? 0 : (int)strlen(number) + 1;
	column += text_put(canvas, column, room - number_width,
			   page->scene->lanes[head->lane].title, TEXT_BOLD);
	if (number_width)
		text_put(canvas, column + 1, head->box.left + 1 + room - column, number, TEXT_DIM);
}

static void put_number(struct text_page *page, const struct head *head)
{
	int room = put_sides(page, head);
	char number[SCENE_NUMBER];

	if (head->lane < 0) {
		text_put(&page->canvas, head->box.left + 2, room, scene_say(page->scene, "more"),
			 TEXT_DIM);
		return;
	}
	if (page->scene->lanes[head->lane].kind >= SCENE_LANE_CHANNEL) {
		struct text_channel words =
			text_channel_words(page->scene->lanes[head->lane].title);

		text_put_end(&page->canvas, head->box.left + 2, room, words.number, TEXT_DIM);
		return;
	}
	scene_lane_number(&page->scene->lanes[head->lane], number);
	text_put_end(&page->canvas, head->box.left + 2, room, number, TEXT_DIM);
}

/* --- side by side --- */

enum box_line { BOX_TOP, BOX_NAME, BOX_PID, BOX_BOTTOM };

static void put_box(struct text_page *page, size_t slot, size_t row, enum box_line line)
{
	const struct head head = {page->layout.boxes[slot], page->layout.slots[slot].column,
				  text_lane_at(&page->layout, page->scene, slot, row)};

	if (line == BOX_NAME)
		put_name(page, &head);
	else if (line == BOX_PID)
		put_number(page, &head);
	else
		put_edge(page, &head, line == BOX_TOP,
			 line == BOX_BOTTOM && text_slot_lives(page, (int)slot, row, TEXT_AT));
}

static void put_lines(struct text_page *page, size_t row, const struct text_shown *what)
{
	text_put_lanes(page, row, TEXT_AT);
	for (size_t i = 0; i < page->layout.slot_count; i++)
		if (!what->boxes[i] && !what->lines[i])
			text_put(&page->canvas, page->layout.slots[i].column, 1, " ", TEXT_PLAIN);
}

static void put_boxes(struct text_page *page, size_t row, struct text_shown what)
{
	struct text_layout *layout = &page->layout;
	int unit = layout->time_width - 1 - text_width(&page->canvas, page->unit);

	if (!text_place_boxes(layout, page->scene, &page->canvas, row, &what)) {
		what.tall = true;
		text_place_boxes(layout, page->scene, &page->canvas, row, &what);
	}
	for (enum box_line line = BOX_TOP; line <= BOX_BOTTOM; line++) {
		if (line == BOX_PID && !what.tall)
			continue;
		if (what.lines)
			put_lines(page, row, &what);
		for (size_t i = 0; i < layout->slot_count; i++)
			if (what.boxes[i])
				put_box(page, i, row, line);
		if (line == BOX_BOTTOM && !what.lines)
			text_put(&page->canvas, unit, layout->time_width, page->unit, TEXT_DIM);
		text_flush(&page->canvas);
	}
}

/* True if the row is the birth of the lane, whose box then stands in it. */
static bool is_birth(const struct text_page *page, size_t row, int lane)
{
	const struct scene_row *r = &page->scene->rows[row];

	return r->kind == SCENE_FORK && r->to == lane && lane >= 0 && r->from != r->to &&
	       page->scene->lanes[lane].born && page->scene->lanes[lane].first_row == row;
}

static bool lives_in(const struct text_page *page, size_t slot, size_t row)
{
	return page->layout.slots[slot].shared || text_slot_lives(page, (int)slot, row, TEXT_AT);
}

void text_boxes(struct text_page *page, size_t row)
{
	bool *shown = memory_array(page->layout.slot_count + 1, sizeof(*shown));

	for (size_t i = 0; i < page->layout.slot_count; i++) {
		int lane = text_lane_at(&page->layout, page->scene, i, row);

		shown[i] = lives_in(page, i, row) && !is_birth(page, row, lane);
		if (shown[i] && lane >= 0)
			page->headed[lane] = true;
	}
	put_boxes(page, row, (struct text_shown){.boxes = shown});
	free(shown);
}

void text_newcomers(struct text_page *page, size_t row)
{
	size_t count = page->layout.slot_count;
	bool *shown = memory_array(count + 1, sizeof(*shown));
	bool *lines = memory_array(count + 1, sizeof(*lines));
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		int lane = text_lane_at(&page->layout, page->scene, i, row);

		if (!lives_in(page, i, row) || is_birth(page, row, lane))
			continue;
		shown[i] = lane >= 0 && !page->headed[lane];
		lines[i] = !shown[i];
		any |= shown[i];
		if (shown[i])
			page->headed[lane] = true;
	}
	if (any)
		put_boxes(page, row, (struct text_shown){.boxes = shown, .lines = lines});
	free(shown);
	free(lines);
}

/* --- at a birth --- */

/* Columns that a box may take at most, from `left` to `right`, beside those who live there. */
static struct text_stretch room_for(struct text_page *page, size_t row, int column)
{
	const struct scene_row *r = &page->scene->rows[row];
	int maker = page->layout.slots[text_slot_of(&page->layout, r->from)].column;
	struct text_stretch left = text_before(page, row, column);
	struct text_stretch right = text_behind(page, row, column);
	struct text_stretch room = {text_beside_braces(page, row, TEXT_AT, left).left + 1,
				    text_beside_braces(page, row, TEXT_AT, right).right - 1};

	if (left.left == maker + 1 && room.left < maker + 1 + ARROW_LEAST)
		room.left = maker + 1 + ARROW_LEAST; /* the arrow's head needs one */
	if (right.right == maker && room.right > maker - ARROW_LEAST)
		room.right = maker - ARROW_LEAST;
	if (room.left > column - 1)
		room.left = column - 1;
	if (room.right < column + 2)
		room.right = column + 2;
	return room;
}

/* Places a box of a width around its lifeline; it is narrowed if there is no room. */
static void place_box(struct text_box *box, struct text_stretch room, int column)
{
	if (box->width > room.right - room.left)
		box->width = room.right - room.left;
	box->left = column - (box->width - 1) / 2;
	if (box->left + box->width > room.right)
		box->left = room.right - box->width;
	if (box->left < room.left)
		box->left = room.left;
}

static struct head head_at_birth(struct text_page *page, size_t row)
{
	int lane = page->scene->rows[row].to;
	int column = page->layout.slots[page->layout.slot_of[lane]].column;
	struct text_stretch room = room_for(page, row, column);
	struct head head = {.column = column, .lane = lane};

	head.box.width = text_box_width(page->scene, &page->canvas, lane, false);
	if (head.box.width > room.right - room.left) {
		head.box.width = text_box_width(page->scene, &page->canvas, lane, true);
		head.box.tall = true;
	}
	place_box(&head.box, room, column);
	return head;
}

bool text_is_birth(const struct text_page *page, size_t row)
{
	const struct scene_row *r = &page->scene->rows[row];

	return is_birth(page, row, r->to) && text_slot_of(&page->layout, r->from) >= 0 &&
	       !page->layout.slots[page->layout.slot_of[r->to]].shared;
}

void text_birth_above(struct text_page *page, size_t row)
{
	struct head head = head_at_birth(page, row);

	text_put_lanes(page, row, TEXT_AT);
	put_edge(page, &head, true, false);
	text_flush(&page->canvas);
	page->headed[head.lane] = true;
}

int text_birth_edge(struct text_page *page, size_t row, bool leftwards)
{
	struct head head = head_at_birth(page, row);

	return leftwards ? head.box.left + head.box.width - 1 : head.box.left;
}

void text_birth_name(struct text_page *page, size_t row)
{
	struct head head = head_at_birth(page, row);

	put_name(page, &head);
}

void text_birth_below(struct text_page *page, size_t row)
{
	struct head head = head_at_birth(page, row);

	if (head.box.tall) {
		text_put_lanes(page, row, TEXT_BELOW);
		put_number(page, &head);
		text_flush(&page->canvas);
	}
	text_put_lanes(page, row, TEXT_BELOW);
	put_edge(page, &head, false, true);
	text_flush(&page->canvas);
}
