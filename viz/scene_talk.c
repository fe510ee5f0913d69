// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a process or thread is called: by the program that it ran while it spoke. Its last one need
 * not be it: `bash -c 'a | b; rm c'` ends as rm.
 */
#include <stdlib.h>

#include "scene_draft.h"

enum { NAMES = 4 }; /* of one process; more than that share none */

struct talk {
	struct name {
		struct viz_bytes comm;
		size_t messages;
	} names[NAMES];
};

static void count_end(const struct scene_drafts *d, struct talk *talks, const struct viz_end *end)
{
	struct talk *talk;
	size_t actor;

	if (!end->process || scene_is_outside(d, end->process) || !end->comm.len)
		return;
	actor = scene_actor_of_end(d, end);
	if (!d->actors[actor].thread && end->tid && end->tid != end->process->pid)
		return; /* the name of a thread is not its process's */
	talk = &talks[actor];
	for (size_t i = 0; i < NAMES; i++) {
		if (!talk->names[i].messages)
			talk->names[i].comm = end->comm;
		if (viz_bytes_equal(talk->names[i].comm, end->comm)) {
			talk->names[i].messages++;
			return;
		}
	}
}

/* Of equals the last one. Who said nothing bears the last name. */
static struct viz_bytes name_of(const struct talk *talk, const struct scene_actor *actor)
{
	const struct name *best = NULL;

	for (size_t i = 0; i < NAMES && talk->names[i].messages; i++)
		if (!best || talk->names[i].messages >= best->messages)
			best = &talk->names[i];
	if (best)
		return best->comm;
	return actor->thread && actor->thread->comm.data ? actor->thread->comm
							 : actor->process->comm;
}

void scene_name_processes(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	struct talk *talks = calloc(d->actor_count + 1, sizeof(*talks));

	d->failed |= !talks;
	for (size_t i = 0; talks && i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (m->signal)
			continue;
		count_end(d, talks, &m->from);
		count_end(d, talks, &m->to);
	}
	for (size_t i = 0; talks && i < d->actor_count; i++)
		d->names[i] = name_of(&talks[i], &d->actors[i]);
	free(talks);
}
