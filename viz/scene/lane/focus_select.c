// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a focus shows, once it is known how far each process is from it. */
#include "viz/model/model.h"
#include "viz/scene/lane/focus.h"

bool scene_focus_process(const size_t *distance, size_t depth, const struct viz_process *process)
{
	return !distance || !process || distance[process->index] <= depth;
}

bool scene_focus_pair(const size_t *distance, size_t depth, const struct viz_process *a,
		      const struct viz_process *b)
{
	size_t nearer = SCENE_FAR;

	if (!distance)
		return true;
	if (!scene_focus_process(distance, depth, a) || !scene_focus_process(distance, depth, b))
		return false;
	if (a)
		nearer = distance[a->index];
	if (b && distance[b->index] < nearer)
		nearer = distance[b->index];
	return nearer < depth ||
	       (nearer == 0 && (!a || !b || distance[a->index] == distance[b->index]));
}
