// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rows of the table: which pairs are shown, in which order, and which one is selected. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "viz/base/compare.h"
#include "viz/top/screen_state.h"

bool screen_column_is_text(enum top_column column)
{
	return column == COLUMN_FROM || column == COLUMN_TO || column == COLUMN_MECHANISM ||
	       column == COLUMN_CHANNEL;
}

static uint64_t digest_add(uint64_t digest, uint64_t number)
{
	return (digest ^ number) * 0x100000001b3ULL;
}

static uint64_t pair_key(const struct top_pair *pair)
{
	const struct top_side *sides[] = {&pair->from, &pair->to};
	uint64_t digest = digest_add(0xcbf29ce484222325ULL, pair->mechanism);

	for (int side = 0; side < 2; side++) {
		digest = digest_add(digest, sides[side]->count);
		for (size_t i = 0; i < sides[side]->count; i++)
			digest = digest_add(digest, (uint64_t)sides[side]->members[i].pid);
	}
	return digest;
}

static void values_set(const struct top_screen *screen, struct screen_row *row)
{
	const struct top_pair *pair = row->pair;
	const struct top_interval *interval = &screen->interval;
	double *values = row->values;

	values[COLUMN_MESSAGES] = top_per_second(top_moved(pair)->messages, interval);
	values[COLUMN_BYTES] = top_per_second(top_moved(pair)->bytes, interval);
	values[COLUMN_SENDER_WAITS] = top_asleep_share(&pair->sent, &pair->from, interval);
	values[COLUMN_RECEIVER_WAITS] = top_asleep_share(&pair->received, &pair->to, interval);
	values[COLUMN_FULL] = pair->room ? (double)pair->used / (double)pair->room : NOT_KNOWN;
}

void screen_rows_make(struct top_screen *screen, const struct top_pairs *pairs)
{
	arena_free(screen->arena);
	screen->arena = arena_new();
	screen->all = arena_array(screen->arena, pairs->count + 1, sizeof(*screen->all));
	screen->shown = arena_array(screen->arena, pairs->count + 1, sizeof(struct screen_row *));
	screen->left_out = top_left_out(pairs, &screen->interval);
	screen->made_count = pairs->count;
	screen->all_count = screen->left_out.shown;
	for (size_t i = 0; i < pairs->count; i++) {
		struct screen_row *row = &screen->all[i];

		row->pair = &pairs->items[i];
		row->key = pair_key(row->pair);
		row->number = i;
		top_side_text(&row->pair->from, true, screen->look.language, row->from);
		top_side_text(&row->pair->to, false, screen->look.language, row->to);
		values_set(screen, row);
	}
}

static const char *row_text(const struct screen_row *row, enum top_column column)
{
	switch (column) {
	case COLUMN_FROM:
		return row->from;
	case COLUMN_TO:
		return row->to;
	case COLUMN_MECHANISM:
		return mechanism_info(row->pair->mechanism)->name;
	default:
		return row->pair->channel;
	}
}

static bool passes(const struct top_screen *screen, const struct screen_row *row)
{
	for (int column = 0; column < COLUMN_COUNT; column++)
		if (screen_column_is_text(column) &&
		    strcasestr(row_text(row, column), screen->filter.text))
			return true;
	return false;
}

/* What is not known comes behind all that is, in either order. */
static int values_compare(double a, double b, bool ascending)
{
	if ((a < 0) != (b < 0))
		return a < 0 ? 1 : -1;
	return ascending ? COMPARE(a, b) : COMPARE(b, a);
}

static int row_compare(const void *left, const void *right, void *context)
{
	const struct screen_row *a = *(const struct screen_row *const *)left;
	const struct screen_row *b = *(const struct screen_row *const *)right;
	const struct top_screen *screen = context;
	int order;

	if (screen_column_is_text(screen->sort)) {
		order = strcasecmp(row_text(a, screen->sort), row_text(b, screen->sort));
		order = screen->ascending ? order : -order;
	} else {
		order = values_compare(a->values[screen->sort], b->values[screen->sort],
				       screen->ascending);
	}
	return order ? order : COMPARE(a->number, b->number);
}

/* The same pair stays selected; if it is not shown, the row in its place. */
static void selection_keep(struct top_screen *screen)
{
	for (size_t i = 0; i < screen->shown_count; i++) {
		if (screen->shown[i]->key != screen->selected_key)
			continue;
		screen->selected = i;
		return;
	}
	if (screen->selected >= screen->shown_count)
		screen->selected = screen->shown_count ? screen->shown_count - 1 : 0;
}

void screen_rows_choose(struct top_screen *screen)
{
	screen->shown_count = 0;
	for (size_t i = 0; i < screen->all_count; i++)
		if (passes(screen, &screen->all[i]))
			screen->shown[screen->shown_count++] = &screen->all[i];
	if (screen->shown_count)
		qsort_r(screen->shown, screen->shown_count, sizeof(*screen->shown), row_compare,
			screen);
	selection_keep(screen);
}

const struct screen_row *screen_selected(const struct top_screen *screen)
{
	return screen->selected < screen->shown_count ? screen->shown[screen->selected] : NULL;
}
