// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/common/columns.h"

#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"

enum {
#define BOUND(name, number) name = (number),
#include "viz/scene/fold_limits.def"
#undef BOUND
};

/* The last row that hangs on a brace beside a lane; `last` if none does after that. */
static size_t last_braced(const struct scene *scene, const struct scene_lane *lane, size_t last)
{
	for (size_t i = last + 1; i < scene->row_count && i <= last + SLANT_MOST + 1; i++)
		if (scene->rows[i].from == lane - scene->lanes &&
		    scene->rows[i].tail.above != SCENE_NO_ROW)
			last = i;
	return last;
}

/* The last row of a lane. One that does not end, or that others pass, keeps its column. */
static size_t last_row(const struct scene *scene, const struct scene_lane *lane)
{
	if (!lane->ended || lane->kind >= SCENE_LANE_KERNEL || lane->last_row >= scene->row_count)
		return scene->row_count;
	return last_braced(scene, lane, lane->last_row);
}

/* The first row in which it needs the column: a head that is no birth stands above its row. */
static size_t begin_row(const struct scene_lane *lane)
{
	return lane->first_row - (!lane->born && lane->first_row > 0);
}

/* --- which lanes have room --- */

struct rank {
	size_t lane;
	enum scene_rank rank;
	size_t messages;
};

static int by_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	return COMPARE(y->rank, x->rank)
		       ?: COMPARE(y->messages, x->messages)
		       ?: COMPARE(x->lane, y->lane);
}

static struct rank *rank_lanes(const struct scene *scene)
{
	struct rank *ranks = memory_array(scene->lane_count + 1, sizeof(*ranks));

	for (size_t i = 0; i < scene->lane_count; i++)
		ranks[i] = (struct rank){i, scene->lanes[i].rank, scene->lanes[i].messages};
	qsort(ranks, scene->lane_count, sizeof(*ranks), by_rank);
	return ranks;
}

/* `alive`: how many of the lanes that were taken live in each row. False if there is no room. */
static bool take(const struct scene *scene, size_t lane, size_t most, size_t *alive)
{
	size_t first = begin_row(&scene->lanes[lane]);
	size_t last = last_row(scene, &scene->lanes[lane]);

	for (size_t row = first; row <= last; row++)
		if (alive[row] >= most)
			return false;
	for (size_t row = first; row <= last; row++)
		alive[row]++;
	return true;
}

size_t render_choose_lanes(const struct scene *scene, size_t most, bool *kept)
{
	struct rank *ranks = rank_lanes(scene);
	size_t *alive = memory_array(scene->row_count + 2, sizeof(*alive));
	size_t columns = 0;

	for (size_t i = 0; i < scene->lane_count; i++)
		kept[ranks[i].lane] = take(scene, ranks[i].lane, most, alive);
	for (size_t row = 0; row <= scene->row_count; row++)
		columns = alive[row] > columns ? alive[row] : columns;
	free(ranks);
	free(alive);
	return columns;
}

/* --- their columns --- */

struct column {
	size_t first_lane; /* columns stand in the order of their first lanes */
	size_t free_from;  /* the first row in which nobody lives there */
	size_t place;
};

struct placing {
	const struct scene *scene;
	struct column *columns;
	size_t count;
	int *column_of;
};

static int by_birth(const void *a, const void *b, void *placing)
{
	const struct scene_lane *lanes = ((const struct placing *)placing)->scene->lanes;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return COMPARE(begin_row(&lanes[x]), begin_row(&lanes[y])) ?: COMPARE(x, y);
}

static bool is_left(const struct placing *p, int column, size_t of)
{
	return column >= 0 && p->columns[column].first_lane > p->columns[of].first_lane;
}

/* A column is free for lanes of its machine. */
static bool is_free(const struct placing *p, size_t column, const struct scene_lane *lane)
{
	const struct column *c = &p->columns[column];

	return c->free_from <= begin_row(lane) && p->scene->lanes[c->first_lane].host == lane->host;
}

/* The free column that is the next one to the right of the maker's, or else the first one; -1. */
static int find_free(const struct placing *p, size_t lane)
{
	const struct scene_lane *l = &p->scene->lanes[lane];
	int maker = l->born ? p->scene->rows[l->first_row].from : -1;
	int beside = maker >= 0 ? p->column_of[maker] : -1;
	int best = -1, first = -1;

	for (size_t i = 0; i < p->count; i++) {
		if (!is_free(p, i, l))
			continue;
		if (first < 0 || is_left(p, first, i))
			first = (int)i;
		if (beside >= 0 && p->columns[i].first_lane > p->columns[beside].first_lane &&
		    (best < 0 || is_left(p, best, i)))
			best = (int)i;
	}
	return best >= 0 ? best : first;
}

static void place(struct placing *p, size_t lane)
{
	const struct scene_lane *l = &p->scene->lanes[lane];
	int column = l->kind < SCENE_LANE_KERNEL ? find_free(p, lane) : -1;

	if (column < 0) {
		column = (int)p->count++;
		p->columns[column].first_lane = lane;
	}
	p->columns[column].free_from = last_row(p->scene, l) + 1;
	p->column_of[lane] = column;
}

static int by_first_lane(const void *a, const void *b)
{
	const struct column *x = a, *y = b;

	return COMPARE(x->first_lane, y->first_lane);
}

/* Numbers the columns from left to right. */
static void number_columns(struct placing *p)
{
	size_t *number = memory_array(p->count + 1, sizeof(*number));

	for (size_t i = 0; i < p->count; i++)
		p->columns[i].place = i;
	qsort(p->columns, p->count, sizeof(*p->columns), by_first_lane);
	for (size_t i = 0; i < p->count; i++)
		number[p->columns[i].place] = i;
	for (size_t i = 0; i < p->scene->lane_count; i++)
		if (p->column_of[i] >= 0)
			p->column_of[i] = (int)number[p->column_of[i]];
	free(number);
}

size_t render_place_lanes(const struct scene *scene, const bool *kept, int *column_of)
{
	struct placing p = {.scene = scene, .column_of = column_of};
	size_t *order = memory_array(scene->lane_count + 1, sizeof(*order));
	size_t count = 0;

	p.columns = memory_array(scene->lane_count + 1, sizeof(*p.columns));
	for (size_t i = 0; i < scene->lane_count; i++) {
		column_of[i] = -1;
		if (!kept || kept[i])
			order[count++] = i;
	}
	qsort_r(order, count, sizeof(*order), by_birth, &p);
	for (size_t i = 0; i < count; i++)
		place(&p, order[i]);
	number_columns(&p);
	free(order);
	free(p.columns);
	return p.count;
}
