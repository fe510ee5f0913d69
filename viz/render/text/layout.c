// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/text/layout.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/render/common/columns.h"

enum {
	TIME_WIDTH = 11,
	GAP_MIN = 11,	/* fits "│━ 24 B ━▶│" */
	GAP_ROOMY = 16, /* below that, details are under their arrow */
	LABEL_MAX = 26, /* most columns for a label */
	DETAIL_MIN = 40,
	DETAIL_WIDE = 46, /* reserved for details in a wide terminal */
	WIDTH_LANES = 60, /* below that: one line per row */
	WIDTH_WIDE = 120,
	BIRTH_ARROW = 5, /* of the arrow beside a box: "├─ " and " ─▶" */
};

/* --- lanes to slots --- */

/* Puts a lane behind those of a list that were born before it; the list ends at `end`. */
static void add_in_order(const struct scene *scene, const size_t *list, size_t *end, size_t lane)
{
	for (; end > list && scene->lanes[end[-1]].first_row > scene->lanes[lane].first_row; end--)
		*end = end[-1];
	*end = lane;
}

/* The lists of lanes of each slot, in the order of their births. */
static void fill_slots(struct text_layout *layout, const struct scene *scene)
{
	size_t *next = layout->in_slots;

	for (size_t slot = 0; slot < layout->slot_count; slot++) {
		layout->slots[slot].lanes = next;
		for (size_t i = 0; i < scene->lane_count && !layout->slots[slot].shared; i++)
			if (layout->slot_of[i] == (int)slot)
				add_in_order(scene, layout->slots[slot].lanes, next++, i);
		layout->slots[slot].lane_count = (size_t)(next - layout->slots[slot].lanes);
	}
}

/* Gives each lane a slot; if not all have room in `most`, the rest share the last one. */
static void make_slots(struct text_layout *layout, const struct scene *scene, size_t most)
{
	bool *kept = memory_array(scene->lane_count + 1, sizeof(*kept));
	size_t all = 0;

	render_choose_lanes(scene, most, kept);
	for (size_t i = 0; i < scene->lane_count; i++)
		all += kept[i];
	if (all < scene->lane_count && most > 0)
		render_choose_lanes(scene, most - 1, kept);
	layout->slot_count = render_place_lanes(scene, kept, layout->slot_of);
	layout->grouped = 0;
	for (size_t i = 0; i < scene->lane_count; i++)
		layout->grouped += !kept[i];
	for (size_t i = 0; i < scene->lane_count; i++)
		if (!kept[i])
			layout->slot_of[i] = (int)layout->slot_count;
	if (layout->grouped)
		layout->slots[layout->slot_count++].shared = true;
	fill_slots(layout, scene);
	free(kept);
}

int text_lane_at(const struct text_layout *layout, const struct scene *scene, size_t slot,
		 size_t row)
{
	const struct text_slot *s = &layout->slots[slot];
	size_t low = 0, high = s->lane_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (scene->lanes[s->lanes[middle]].first_row <= row)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? (int)s->lanes[low - 1] : -1;
}

/* Copies a word, cut at a character boundary if it is too long. */
static void set_word(char word[TEXT_WORD], const char *text, size_t len)
{
	if (len >= TEXT_WORD)
		for (len = TEXT_WORD - 1; len && (text[len] & 0xc0) == 0x80;)
			len--;
	memcpy(word, text, len);
	word[len] = '\0';
}

struct text_channel text_channel_words(const char *title)
{
	struct text_channel words = {"", ""};
	size_t kind = strcspn(title, ":["), id = strcspn(title, " ");
	size_t number = kind + (title[kind] == ':');
	const char *second = title[id] ? strchr(title + id + 1, ' ') : NULL;

	if (*title >= '0' && *title <= '9' && second) { /* shared memory: its size, its name */
		set_word(words.kind, title, (size_t)(second - title));
		set_word(words.number, second + 1, strlen(second + 1));
		return words;
	}
	if (number > id || title[id - (id > 0)] != ']') {
		set_word(words.kind, title, strlen(title));
		return words;
	}
	set_word(words.number, title + number, id - number);
	if (title[id])
		set_word(words.kind, title + id + 1, strlen(title + id + 1));
	else
		set_word(words.kind, title, kind);
	return words;
}

static int greater(int a, int b)
{
	return a > b ? a : b;
}

/* Returns the width of a tall box, which has two lines. */
static int tall_width(const struct text_canvas *canvas, const struct scene_lane *lane)
{
	char number[SCENE_NUMBER];
	struct text_channel words;

	if (lane->kind < SCENE_LANE_CHANNEL)
		return greater(text_width(canvas, lane->title),
			       (int)strlen(scene_lane_number(lane, number)));
	words = text_channel_words(lane->title);
	return greater(text_width(canvas, words.kind), text_width(canvas, words.number));
}

int text_box_width(const struct scene *scene, const struct text_canvas *canvas, int lane, bool tall)
{
	int width = tall ? 6 : 8;

	if (lane >= 0) {
		char number[SCENE_NUMBER];
		int len = (int)strlen(scene_lane_number(&scene->lanes[lane], number));

		width = text_width(canvas, scene->lanes[lane].title) + len + (len > 0);
		if (tall)
			width = tall_width(canvas, &scene->lanes[lane]);
	}
	width += 4;
	return width > LABEL_MAX ? LABEL_MAX : width;
}

static void want(struct text_layout *layout, int slot, int columns)
{
	if (slot >= 0 && layout->slots[slot].need < columns)
		layout->slots[slot].need = columns;
}

/*
 * Requires space for a label within one gap: line, blanks and head take 8 columns, the number of a
 * halved arrow 4 more.
 */
static void want_label(struct text_layout *layout, const struct scene_row *row, int label)
{
	int from = text_slot_of(layout, row->from);
	int to = text_slot_of(layout, row->to);

	label = (label > LABEL_MAX ? LABEL_MAX : label) + 8;
	if (row->part == SCENE_SENT || row->part == SCENE_RECEIVED)
		label += 4;
	if (from < 0 || to < 0)
		want(layout, from < 0 ? to : from, label + 1);
	else if (from == to)
		want(layout, from, label);
	else if (from - to == 1 || to - from == 1)
		want(layout, from < to ? from : to, label);
	if (row->kind == SCENE_EXIT)
		want(layout, from, label - 4);
}

/* A box at a birth stands beside its arrow, and reaches half into the gap behind it. */
static void want_birth(struct text_layout *layout, const struct scene *scene,
		       const struct text_canvas *canvas, const struct scene_row *row)
{
	int from = text_slot_of(layout, row->from), to = text_slot_of(layout, row->to);
	int half;

	if (row->kind != SCENE_FORK || from < 0 || to < 0 || layout->slots[to].shared)
		return;
	half = text_box_width(scene, canvas, row->to, false) / 2 + 1;
	if (to - from == 1 || from - to == 1)
		want(layout, from < to ? from : to,
		     text_width(canvas, row->label) + BIRTH_ARROW + half);
	if (to > 0 && from != to - 1)
		want(layout, to - 1, half + 1);
	if (from != to + 1)
		want(layout, to, half + 1);
}

/* The lane that has its box at the top of a slot; -1: none, or it is the shared slot. */
static int top_lane(const struct text_layout *layout, const struct scene *scene, size_t slot)
{
	return layout->slots[slot].lane_count && scene->row_count &&
			       text_lives_at_top(scene, layout->slots[slot].lanes[0])
		       ? (int)layout->slots[slot].lanes[0]
		       : -1;
}

static int top_width(const struct text_layout *layout, const struct scene *scene,
		     const struct text_canvas *canvas, size_t slot)
{
	int lane = top_lane(layout, scene, slot);

	if (lane < 0 && !layout->slots[slot].shared)
		return 0;
	return text_box_width(scene, canvas, lane, layout->tall);
}

static void measure(struct text_layout *layout, const struct scene *scene,
		    const struct text_canvas *canvas)
{
	for (size_t i = 0; i < layout->slot_count; i++)
		layout->slots[i].need = GAP_MIN;
	for (size_t i = 0; i + 1 < layout->slot_count; i++)
		want(layout, (int)i,
		     (top_width(layout, scene, canvas, i) +
		      top_width(layout, scene, canvas, i + 1)) /
				     2 +
			     2);
	for (size_t i = 0; i < scene->row_count; i++) {
		want_birth(layout, scene, canvas, &scene->rows[i]);
		want_label(layout, &scene->rows[i], text_width(canvas, scene->rows[i].label));
	}
}

static int gap(const struct text_slot *slot, int cap)
{
	return slot->need < cap ? slot->need : cap;
}

static int left_margin(const struct text_layout *layout)
{
	int half = layout->first_width / 2;

	return layout->time_width + (half > GAP_MIN - 2 ? GAP_MIN - 2 : half) + 1;
}

/*
 * Returns the greatest cap on gaps with which all fit into `room`, so that the widest gaps shrink
 * first; 0 if not even `least` fits.
 */
static int fit_gaps(const struct text_layout *layout, int room, int least)
{
	for (int cap = LABEL_MAX + 12; cap >= least; cap--) {
		int total = left_margin(layout);

		for (size_t i = 0; i < layout->slot_count; i++)
			total += gap(&layout->slots[i], cap);
		if (total <= room)
			return cap;
	}
	return 0;
}

static void place(struct text_layout *layout, int cap)
{
	int column = left_margin(layout);

	for (size_t i = 0; i < layout->slot_count; i++) {
		layout->slots[i].column = column;
		column += gap(&layout->slots[i], cap);
	}
	layout->end = column;
}

/* The next slot behind `slot` that has a box or a line; slot_count: none. */
static size_t next_slot(const struct text_layout *layout, const bool *shown, const bool *standing,
			size_t slot)
{
	for (slot++; slot < layout->slot_count && !shown[slot] && !(standing && standing[slot]);)
		slot++;
	return slot;
}

/* Places a box around its column, from `left` to before `right`; false if it had to be narrowed. */
static bool place_box(struct text_box *box, int column, int left, int right)
{
	int half = (box->width - 1) / 2;
	int after = right - column - 1;

	if (half > column - left)
		half = column - left;
	box->left = column - half;
	if (box->width <= half + 1 + after)
		return true;
	box->width = half + 1 + after;
	return false;
}

/* The column before which a box in `slot` ends, where `next` is the next slot. */
static int right_end(const struct text_layout *layout, const struct text_canvas *canvas,
		     const bool *shown, size_t slot, size_t next)
{
	if (next == layout->slot_count)
		return layout->end > canvas->width ? canvas->width : layout->end;
	if (!shown[next])
		return layout->slots[next].column - 1;
	return (layout->slots[slot].column + layout->slots[next].column) / 2;
}

bool text_place_boxes(struct text_layout *layout, const struct scene *scene,
		      const struct text_canvas *canvas, size_t row, const struct text_shown *what)
{
	int left = layout->time_width + 1;
	bool whole = true;
	size_t i = next_slot(layout, what->boxes, what->lines, SIZE_MAX);

	while (i < layout->slot_count) {
		size_t next = next_slot(layout, what->boxes, what->lines, i);
		struct text_box *box = &layout->boxes[i];
		int right = right_end(layout, canvas, what->boxes, i, next);

		if (what->boxes[i]) {
			int lane = text_lane_at(layout, scene, i, row);

			*box = (struct text_box){.tall = what->tall};
			box->width = text_box_width(scene, canvas, lane, what->tall);
			whole &= place_box(box, layout->slots[i].column, left, right);
			left = right + 1;
		} else {
			left = layout->slots[i].column + 2;
		}
		i = next;
	}
	return whole;
}

/* Tries to place all slots; false if they do not fit. */
static bool try_place(struct text_layout *layout, int width)
{
	int cap = fit_gaps(layout, width - DETAIL_MIN, LABEL_MAX + 12);

	if (!cap && width >= WIDTH_WIDE)
		cap = fit_gaps(layout, width - DETAIL_WIDE, GAP_ROOMY);
	if (cap) {
		place(layout, cap);
		layout->detail = layout->end + 1;
		return true;
	}
	cap = fit_gaps(layout, width, GAP_MIN);
	layout->detail = 0;
	if (cap)
		place(layout, cap);
	return cap > 0;
}

static int first_width(const struct text_layout *layout, const struct scene *scene,
		       const struct text_canvas *canvas)
{
	int width = top_width(layout, scene, canvas, 0);

	return width ? width : text_box_width(scene, canvas, -1, layout->tall);
}

/* Places as many columns as fit, from `most` downwards. */
static void place_slots(struct text_layout *layout, const struct scene *scene,
			const struct text_canvas *canvas, size_t most)
{
	for (;; most--) {
		memset(layout->slots, 0, (scene->lane_count + 1) * sizeof(*layout->slots));
		make_slots(layout, scene, most);
		layout->first_width = layout->slot_count ? first_width(layout, scene, canvas) : 0;
		measure(layout, scene, canvas);
		if (try_place(layout, canvas->width) || most == 0)
			return;
	}
}

/* Places the boxes at the top; false if one had to be narrowed. */
static bool place_top(struct text_layout *layout, const struct scene *scene,
		      const struct text_canvas *canvas)
{
	bool *shown = memory_array(layout->slot_count + 1, sizeof(*shown));
	bool whole;

	for (size_t i = 0; i < layout->slot_count; i++)
		shown[i] = layout->slots[i].shared || top_lane(layout, scene, i) >= 0;
	whole = text_place_boxes(layout, scene, canvas, 0,
				 &(struct text_shown){.boxes = shown, .tall = layout->tall});
	free(shown);
	return whole;
}

void text_layout_make(struct text_layout *layout, const struct scene *scene,
		      const struct text_canvas *canvas)
{
	size_t most = scene->lane_count;

	*layout = (struct text_layout){.time_width = TIME_WIDTH};
	layout->lines = canvas->width < WIDTH_LANES;
	layout->slots = memory_array(scene->lane_count + 1, sizeof(*layout->slots));
	layout->boxes = memory_array(scene->lane_count + 1, sizeof(*layout->boxes));
	layout->slot_of = memory_array(scene->lane_count + 1, sizeof(*layout->slot_of));
	layout->in_slots = memory_array(scene->lane_count + 1, sizeof(*layout->in_slots));
	if (most > (size_t)canvas->width / GAP_MIN)
		most = (size_t)canvas->width / GAP_MIN;
	place_slots(layout, scene, canvas, most);
	if (place_top(layout, scene, canvas))
		return;
	layout->tall = true;
	place_slots(layout, scene, canvas, most);
	place_top(layout, scene, canvas);
}

void text_layout_free(struct text_layout *layout)
{
	free(layout->slots);
	free(layout->boxes);
	free(layout->slot_of);
	free(layout->in_slots);
}

bool text_row_hidden(const struct text_layout *layout, const struct scene_row *row)
{
	int shared = layout->grouped ? (int)layout->slot_count - 1 : -2; /* -1: no lane */
	int from = text_slot_of(layout, row->from);
	int to = text_slot_of(layout, row->to);

	if (row->from == SCENE_NOWHERE && row->to == SCENE_NOWHERE)
		return false;
	/* What went wrong, and who still waits, is told whatever room there is. */
	if (row->kind == SCENE_FAILED || row->kind == SCENE_WAITING || row->kind == SCENE_FOUND)
		return false;
	return (from == shared || from < 0) && (to == shared || to < 0);
}
