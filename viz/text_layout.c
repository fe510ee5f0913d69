// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "text_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	TIME_WIDTH = 11,
	GAP_MIN = 11,	/* room for "│━ 24 B ━▶│" */
	GAP_ROOMY = 16, /* below that, details rather go under their arrow */
	LABEL_MAX = 26, /* columns that a label may claim */
	DETAIL_MIN = 40,
	DETAIL_WIDE = 46, /* kept free for details in a wide terminal */
	WIDTH_LANES = 60, /* below that: one line a row */
	WIDTH_WIDE = 120,
};

/* The busiest lanes first; of equals the earlier. */
struct rank {
	size_t lane;
	size_t messages;
};

static int by_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->messages != y->messages)
		return x->messages < y->messages ? 1 : -1;
	return x->lane < y->lane ? -1 : x->lane > y->lane;
}

/* Marks the `keep` busiest lanes with 0 in slot_of, the others with -1. */
static int choose_lanes(struct text_layout *layout, const struct scene *scene, size_t keep)
{
	struct rank *ranks = calloc(scene->lane_count + 1, sizeof(*ranks));

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < scene->lane_count; i++)
		ranks[i] = (struct rank){i, scene->lanes[i].messages};
	qsort(ranks, scene->lane_count, sizeof(*ranks), by_rank);
	for (size_t i = 0; i < scene->lane_count; i++)
		layout->slot_of[ranks[i].lane] = i < keep ? 0 : -1;
	free(ranks);
	return 0;
}

static void number_slots(struct text_layout *layout, const struct scene *scene)
{
	size_t n = 0;

	for (size_t i = 0; i < scene->lane_count; i++)
		if (layout->slot_of[i] == 0) {
			layout->slots[n].lane = (int)i;
			layout->slot_of[i] = (int)n++;
		}
	layout->grouped = scene->lane_count - n;
	if (layout->grouped)
		layout->slots[n++].lane = -1;
	for (size_t i = 0; i < scene->lane_count; i++)
		if (layout->slot_of[i] < 0)
			layout->slot_of[i] = (int)n - 1;
	layout->slot_count = n;
}

/* Cuts no character in two. */
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

/* Of a tall box: two lines. */
static int tall_width(const struct text_canvas *canvas, const struct scene_lane *lane)
{
	char number[SCENE_NUMBER];
	struct text_channel words;

	if (lane->kind != SCENE_LANE_CHANNEL)
		return greater(text_width(canvas, lane->title),
			       (int)strlen(scene_lane_number(lane, number)));
	words = text_channel_words(lane->title);
	return greater(text_width(canvas, words.kind), text_width(canvas, words.number));
}

/* "│ ls 1201 │"; a tall box has the pid on a line of its own. */
static int box_width(const struct scene *scene, const struct text_canvas *canvas, int lane,
		     bool tall)
{
	int width = 6;

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

/* A label within one gap: line, blanks and head take 8 columns, a halved arrow's number 4 more. */
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

static void measure(struct text_layout *layout, const struct scene *scene,
		    const struct text_canvas *canvas)
{
	for (size_t i = 0; i < layout->slot_count; i++) {
		struct text_slot *slot = &layout->slots[i];

		slot->box_width = box_width(scene, canvas, slot->lane, layout->tall);
		slot->need = GAP_MIN;
	}
	for (size_t i = 0; i + 1 < layout->slot_count; i++)
		want(layout, (int)i,
		     (layout->slots[i].box_width + layout->slots[i + 1].box_width) / 2 + 2);
	for (size_t i = 0; i < scene->row_count; i++)
		want_label(layout, &scene->rows[i], text_width(canvas, scene->rows[i].label));
}

static int gap(const struct text_slot *slot, int cap)
{
	return slot->need < cap ? slot->need : cap;
}

static int left_margin(const struct text_layout *layout)
{
	int half = layout->slot_count ? layout->slots[0].box_width / 2 : 0;

	return layout->time_width + (half > GAP_MIN - 2 ? GAP_MIN - 2 : half) + 1;
}

/* The widest gaps shrink first, down to the greatest cap that fits; 0: not even `least` does. */
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

/* A box may reach half into the gaps beside it. False where one is narrower than it would like. */
static bool place_boxes(struct text_layout *layout, int width)
{
	int left = layout->time_width + 1;
	bool whole = true;

	for (size_t i = 0; i < layout->slot_count; i++) {
		struct text_slot *slot = &layout->slots[i];
		int right = i + 1 < layout->slot_count
				    ? (slot->column + layout->slots[i + 1].column) / 2
				    : (layout->end > width ? width : layout->end);
		int before = slot->column - left;
		int after = right - slot->column - 1;
		int half = (slot->box_width - 1) / 2;

		if (half > before)
			half = before;
		slot->box_left = slot->column - half;
		if (slot->box_width > half + 1 + after) {
			slot->box_width = half + 1 + after;
			whole = false;
		}
		left = right + 1;
	}
	return whole;
}

/* Tries to place the slots there are; false where they do not fit. */
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

/* As many lanes as fit, from `keep` downwards. */
static int place_slots(struct text_layout *layout, const struct scene *scene,
		       const struct text_canvas *canvas, size_t keep)
{
	for (;; keep--) {
		memset(layout->slots, 0, (scene->lane_count + 1) * sizeof(*layout->slots));
		if (choose_lanes(layout, scene, keep))
			return -ENOMEM;
		number_slots(layout, scene);
		measure(layout, scene, canvas);
		if (try_place(layout, canvas->width) || keep == 0)
			return 0;
	}
}

int text_layout_make(struct text_layout *layout, const struct scene *scene,
		     const struct text_canvas *canvas)
{
	size_t keep = scene->lane_count;
	int err;

	*layout = (struct text_layout){.time_width = TIME_WIDTH};
	layout->lines = canvas->width < WIDTH_LANES;
	layout->slots = calloc(scene->lane_count + 1, sizeof(*layout->slots));
	layout->slot_of = calloc(scene->lane_count + 1, sizeof(*layout->slot_of));
	if (!layout->slots || !layout->slot_of)
		return -ENOMEM;
	if (keep > (size_t)canvas->width / GAP_MIN)
		keep = (size_t)canvas->width / GAP_MIN;
	err = place_slots(layout, scene, canvas, keep);
	if (err || place_boxes(layout, canvas->width))
		return err;
	layout->tall = true;
	err = place_slots(layout, scene, canvas, keep);
	if (!err)
		place_boxes(layout, canvas->width);
	return err;
}

void text_layout_free(struct text_layout *layout)
{
	free(layout->slots);
	free(layout->slot_of);
}

bool text_row_hidden(const struct text_layout *layout, const struct scene_row *row)
{
	int shared = layout->grouped ? (int)layout->slot_count - 1 : -2;
	int from = text_slot_of(layout, row->from);
	int to = text_slot_of(layout, row->to);

	if (row->from == SCENE_NOWHERE && row->to == SCENE_NOWHERE)
		return false;
	return (from == shared || from < 0) && (to == shared || to < 0);
}
