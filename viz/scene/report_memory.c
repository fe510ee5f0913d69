// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The box of shared memory below the picture: a note on each object, with its size and the
 * processes that had it, from when until when.
 */
#include <stdio.h>
#include <stdlib.h>

#include "viz/base/safe_text.h"
#include "viz/scene/drafts.h"

enum { MEMORY_SHOWN = 8, HAVERS_SHOWN = 6, HAVERS_KEPT = 200 };

static void add_haver(struct scene_drafts *d, struct scene_memory *memory,
		      const struct viz_memory_use *use)
{
	static const char *const how[] = {
		[CAME_ATTACHED] = "",
		[CAME_BY_FORK] = "by fork",
		[CAME_BEFORE] = "from before the trace",
	};
	struct scene_haver *haver = scene_add_haver(d->scene, memory);

	haver->lane = scene_lane_of(d, use->process);
	haver->since_ns = use->since_ns;
	haver->ended = use->until_ns != VIZ_NEVER;
	haver->until_ns = haver->ended ? use->until_ns : d->request->model->end_ns;
	scene_text_owned(d, &haver->name, "%s",
			 scene_actor_name(d, scene_actor_of(d, use->process, NULL)));
	scene_set(d->scene, &haver->how, "%s", scene_say(d->scene, how[use->came]));
}

/* "from 275 ms for 2.4 ms", or "from 275 ms on", since the picture began. */
static void say_times(const struct scene_drafts *d, const struct scene_haver *haver,
		      char text[3 * SCENE_QUANTITY])
{
	char since[SCENE_QUANTITY], lasts[SCENE_QUANTITY];

	scene_say_duration(
		d->scene, haver->since_ns > d->start_ns ? haver->since_ns - d->start_ns : 0, since);
	scene_say_duration(d->scene, haver->until_ns - haver->since_ns, lasts);
	if (haver->ended)
		snprintf(text, 3 * SCENE_QUANTITY, scene_say(d->scene, "from %s for %s"), since,
			 lasts);
	else
		snprintf(text, 3 * SCENE_QUANTITY, scene_say(d->scene, "from %s on"), since);
}

static char *say_havers(struct scene_drafts *d, const struct scene_memory *memory)
{
	char times[3 * SCENE_QUANTITY], count[SCENE_QUANTITY];
	char *text = "";

	for (size_t i = 0; i < memory->haver_count && i < HAVERS_SHOWN; i++) {
		const struct scene_haver *haver = &memory->havers[i];

		say_times(d, haver, times);
		scene_append(d->scene, &text, *haver->how ? "%s (%s) %s" : "%s%s %s", haver->name,
			     haver->how, times);
	}
	if (memory->haver_count + memory->left_out > HAVERS_SHOWN)
		scene_append(d->scene, &text, "%s more",
			     scene_say_count(d->scene,
					     memory->haver_count + memory->left_out - HAVERS_SHOWN,
					     count));
	return text;
}

static void note(struct scene_drafts *d, const struct scene_memory *memory)
{
	char size[SCENE_QUANTITY];

	if (memory->bytes)
		scene_add_note(d->scene, "shared memory %s, %s: %s", memory->name,
			       scene_say_bytes(d->scene, memory->bytes, size),
			       say_havers(d, memory));
	else
		scene_add_note(d->scene, "shared memory %s: %s", memory->name,
			       say_havers(d, memory));
}

size_t scene_report_memory(struct scene_drafts *d)
{
	for (size_t i = 0; i < d->memory_count; i++) {
		const struct draft_memory *of = &d->memories[i];
		struct scene_memory *memory = scene_add_memory(d->scene, of->channel->mechanism);

		scene_text_owned(d, &memory->name, "%s", scene_channel_name(d->scene, of->channel));
		memory->bytes = of->channel->capacity;
		for (size_t k = 0; k < of->use_count && k < HAVERS_KEPT; k++)
			add_haver(d, memory, &of->uses[k]);
		memory->left_out = of->use_count - memory->haver_count;
		if (i < MEMORY_SHOWN)
			note(d, memory);
	}
	return d->memory_count > MEMORY_SHOWN ? d->memory_count - MEMORY_SHOWN : 0;
}
