// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lanes of shared memory: the few pieces of it that most processes had, each beside the first
 * process that had it. A mapping that one process alone has is no lane, since nobody shares it.
 */
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/model/channel_words.h"
#include "viz/scene/drafts.h"

enum { LANES_MOST = 3 };

static bool is_wanted(const struct scene_drafts *d, const struct viz_channel *channel)
{
	return !d->request->filter || viz_filter_channel(d->request->filter, channel);
}

/* System V memory is made to be shared; of a mapping it is seen who shares it. */
static bool is_shared(const struct draft_memory *memory)
{
	if (memory->channel->mechanism == MECH_SYSV_SHM)
		return true;
	for (size_t i = 1; i < memory->use_count; i++)
		if (memory->uses[i].process != memory->uses[0].process)
			return true;
	return false;
}

static void tell_left_out(struct scene_drafts *d, size_t left_out)
{
	char count[SCENE_QUANTITY];

	if (left_out)
		scene_add_note(d->scene, "%s more uses of shared memory by children are not told",
			       scene_say_count(d->scene, left_out, count));
}

static void find(struct scene_drafts *d)
{
	size_t count, left_out;
	const struct viz_memory_use *uses = viz_memory_uses(d->request->model, d->arena, &count,
							    &left_out);

	tell_left_out(d, left_out);
	d->memory_at = arena_array(d->arena, d->request->model->channel_count + 1,
				   sizeof(*d->memory_at));
	for (size_t i = 0, end; i < count; i = end) {
		struct draft_memory memory = {
			.channel = uses[i].memory, .uses = &uses[i], .lane = SCENE_NOWHERE};

		for (end = i; end < count && uses[end].memory == memory.channel;)
			end++;
		memory.use_count = end - i;
		if (!is_wanted(d, memory.channel))
			continue;
		ARENA_PUSH(d->arena, d->memories, d->memory_count, memory);
		d->memory_at[memory.channel->index] = d->memory_count;
	}
}

void scene_plan_memories(struct scene_drafts *d)
{
	find(d);
	if (d->request->facts) /* data formats have processes as lanes */
		return;
	for (int lanes = 0; lanes < LANES_MOST; lanes++) {
		struct draft_memory *best = NULL;

		for (size_t i = 0; i < d->memory_count; i++) {
			struct draft_memory *memory = &d->memories[i];

			if (!memory->planned && is_shared(memory) &&
			    (!best || memory->use_count > best->use_count))
				best = memory;
		}
		if (best)
			best->planned = true;
	}
}

/* What shm_open(3) calls it: /dev/shm/x is /x. */
static struct viz_bytes short_name(struct viz_bytes name)
{
	enum { MOUNT_LEN = 8 };

	if (name.len > MOUNT_LEN + 1 && strncmp(name.data, "/dev/shm/", MOUNT_LEN + 1) == 0)
		return viz_bytes_after(name, MOUNT_LEN);
	return name;
}

/* "8192 B /x": what it is called, else its key, else its id. */
static void set_title(struct scene *scene, char **slot, const struct viz_channel *channel)
{
	struct viz_bytes name = short_name(channel->name);
	char size[SCENE_QUANTITY], *text;
	bool key = !name.len && channel->key.len && !channel_is_private(channel);

	if (key)
		name = channel->key;
	else if (!name.len)
		name = channel->id;
	text = scene_harmless(name.data, name.len);
	if (channel->capacity)
		scene_set(scene, slot, "%s %s%s", scene_say_bytes(scene, channel->capacity, size),
			  key ? "key " : "", text);
	else
		scene_set(scene, slot, "memory %s%s", key ? "key " : "", text);
	free(text);
}

static void add_lane(struct scene_drafts *d, struct draft_memory *memory)
{
	struct scene_lane *lane;

	memory->lane = (int)d->scene->lane_count;
	lane = scene_add_lane(d->scene, "", 0);
	lane->kind = SCENE_LANE_MEMORY;
	set_title(d->scene, &lane->title, memory->channel);
}

static bool has(const struct scene_drafts *d, const struct draft_memory *memory, size_t actor)
{
	for (size_t i = 0; i < memory->use_count; i++)
		if (scene_actor_of(d, memory->uses[i].process, NULL) == actor)
			return true;
	return false;
}

void scene_add_memories(struct scene_drafts *d, size_t actor)
{
	for (size_t i = 0; i < d->memory_count; i++)
		if (d->memories[i].planned && d->memories[i].lane < 0 &&
		    has(d, &d->memories[i], actor))
			add_lane(d, &d->memories[i]);
}

const struct draft_memory *scene_memory_of(const struct scene_drafts *d,
					   const struct viz_channel *channel)
{
	const struct draft_memory *memory;

	if (!channel || !d->memory_at[channel->index])
		return NULL;
	memory = &d->memories[d->memory_at[channel->index] - 1];
	return memory->lane >= 0 ? memory : NULL;
}
