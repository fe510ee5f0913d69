// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Groups of like processes: children of one parent with the same name that send and receive by the
 * same mechanisms, as the workers of a server. Threads that have lanes of their own form groups
 * within their process, without its first thread.
 */
#include <string.h>

#include "viz/scene/drafts.h"

static void note(const struct scene_drafts *d, uint64_t *words, const struct viz_end *end,
		 enum mechanism mechanism)
{
	if (end->process)
		words[scene_actor_of_end(d, end)] |= UINT64_C(1) << mechanism;
}

/* Sets a bit for each mechanism by which an actor sends, or receives. */
static void find_roles(const struct scene_drafts *d, uint64_t *sends, uint64_t *receives)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

		if (m->signal || !scene_wants_message(d, m))
			continue;
		note(d, sends, &m->from, m->mechanism);
		note(d, receives, &m->to, m->mechanism);
	}
}

static struct viz_bytes key_of(struct scene_drafts *d, size_t index, uint64_t sends,
			       uint64_t receives)
{
	const struct scene_actor *actor = &d->actors[index];
	const struct viz_bytes name = d->names[index];
	const uint64_t words[] = {
		actor->thread ? actor->process->index : actor->process->ppid, actor->thread != NULL,
		actor->process->host ? actor->process->host->index + 1 : 0, sends, receives};
	char *key = arena_alloc(d->arena, sizeof(words) + name.len);

	memcpy(key, words, sizeof(words));
	if (name.len)
		memcpy(key + sizeof(words), name.data, name.len);
	return (struct viz_bytes){key, sizeof(words) + name.len};
}

size_t *scene_group(struct scene_drafts *d, bool wanted)
{
	size_t *first = arena_array(d->arena, d->actor_count + 1, sizeof(*first));
	uint64_t *sends = arena_array(d->arena, d->actor_count + 1, sizeof(*sends));
	uint64_t *receives = arena_array(d->arena, d->actor_count + 1, sizeof(*receives));
	struct map groups = {0};

	if (wanted)
		find_roles(d, sends, receives);
	for (size_t i = 0; i < d->actor_count; i++) {
		const size_t *leader;
		struct viz_bytes key;

		first[i] = i;
		if (!wanted || d->lane_of[i] == SCENE_NOWHERE ||
		    (d->actors[i].thread && d->actors[i].first))
			continue;
		key = key_of(d, i, sends[i], receives[i]);
		leader = map_get(&groups, key);
		if (leader)
			first[i] = *leader;
		else
			map_put(d->arena, &groups, key, &first[i]);
	}
	return first;
}
