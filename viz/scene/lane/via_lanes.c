// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lanes that messages pass: the kernel's, into and out of which each message is copied, or one lane
 * for each channel, as a mailbox.
 */
#include <stdlib.h>

#include "viz/scene/drafts.h"

enum { PLANNED = -3 }; /* the channel will get a lane */

bool scene_is_via(const struct scene_drafts *d, int lane)
{
	return lane >= 0 && d->scene->lanes[lane].kind >= SCENE_LANE_KERNEL;
}

int scene_channel_via(const struct scene_drafts *d, const struct viz_channel *channel)
{
	if (d->request->via == SCENE_VIA_KERNEL)
		return d->kernel_lane;
	return d->request->via == SCENE_VIA_CHANNELS && channel ? d->channel_lane[channel->index]
								: SCENE_NOWHERE;
}

int scene_message_via(const struct scene_drafts *d, const struct viz_message *m)
{
	/* process_vm_readv() and the like copy once, from memory to memory. */
	if (m->mechanism == MECH_PROCESS_VM)
		return SCENE_NOWHERE;
	return scene_channel_via(d, m->channel);
}

void scene_plan_vias(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < d->request->model->channel_count; i++)
		d->channel_lane[i] = SCENE_NOWHERE;
	if (d->request->via != SCENE_VIA_CHANNELS)
		return;
	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (m->channel && !m->signal && m->mechanism != MECH_PROCESS_VM &&
		    scene_wants_message(d, m))
			d->channel_lane[m->channel->index] = PLANNED;
	}
}

static int add_lane(struct scene_drafts *d, enum scene_lane_kind kind, const char *title)
{
	int index = (int)d->scene->lane_count;

	scene_add_lane(d->scene, title, 0)->kind = kind;
	return index;
}

static void add_channel(struct scene_drafts *d, const struct viz_channel *channel)
{
	char *name = scene_channel_name(d->scene, channel);

	d->channel_lane[channel->index] = add_lane(d, SCENE_LANE_CHANNEL, name);
	free(name);
}

static bool is_end(const struct scene_drafts *d, const struct viz_end *end, size_t actor)
{
	return end->process && scene_actor_of_end(d, end) == actor;
}

/* Adds lanes for the channels that have none yet and whose messages have this actor as an end. */
static void add_channels_of(struct scene_drafts *d, size_t actor)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (m->channel && d->channel_lane[m->channel->index] == PLANNED &&
		    scene_wants_message(d, m) &&
		    (is_end(d, &m->from, actor) || is_end(d, &m->to, actor)))
			add_channel(d, m->channel);
	}
}

void scene_add_vias(struct scene_drafts *d, size_t actor, size_t number, size_t count)
{
	if (d->request->via == SCENE_VIA_KERNEL && number == (count + 1) / 2)
		d->kernel_lane = add_lane(d, SCENE_LANE_KERNEL, scene_say(d->scene, "kernel"));
	if (d->request->via == SCENE_VIA_CHANNELS)
		add_channels_of(d, actor);
	scene_add_memories(d, actor);
}
