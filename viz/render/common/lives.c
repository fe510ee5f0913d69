// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/common/lives.h"

#include <stdlib.h>

#include "viz/base/memory.h"

/* The first and the last row that has a lane as an end. */
struct mention {
	bool any;
	size_t first, last;
};

static void mention(struct mention *mentions, int lane, size_t row)
{
	if (lane < 0)
		return;
	if (!mentions[lane].any)
		mentions[lane].first = row;
	mentions[lane].any = true;
	mentions[lane].last = row;
}

static struct mention *find_mentions(const struct scene *scene)
{
	struct mention *mentions = memory_array(scene->lane_count + 1, sizeof(*mentions));

	for (size_t i = 0; i < scene->row_count; i++) {
		mention(mentions, scene->rows[i].from, i);
		mention(mentions, scene->rows[i].to, i);
	}
	return mentions;
}

struct render_life *render_lives(const struct scene *scene)
{
	struct render_life *lives = memory_array(scene->lane_count + 1, sizeof(*lives));
	struct mention *mentions = find_mentions(scene);
	int depth = 0;

	for (size_t i = 0; i < scene->lane_count; i++)
		lives[i].created = lives[i].destroyed = SCENE_NO_ROW;
	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];

		depth += (row->kind == SCENE_LOOP) - (row->kind == SCENE_LOOP_END);
		if (depth || row->from < 0 || row->to < 0 || row->from == row->to)
			continue;
		if (row->kind == SCENE_FORK && mentions[row->to].first == i)
			lives[row->to].created = i;
		if (row->kind == SCENE_EXIT && mentions[row->from].last == i &&
		    scene->lanes[row->from].ended)
			lives[row->from].destroyed = i;
	}
	free(mentions);
	return lives;
}
