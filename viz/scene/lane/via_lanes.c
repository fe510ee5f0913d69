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

bool scene_is_kernel(const struct scene_drafts *d, int lane)
{
	return lane >= 0 && d->scene->lanes[lane].kind == SCENE_LANE_KERNEL;
}

bool scene_crosses(const struct scene_drafts *d, int from, int to)
{
	return scene_is_kernel(d, from) && scene_is_kernel(d, to);
}

struct viz_bytes scene_device_of(const struct viz_message *m)
{
	const struct viz_operation *send = m->from.operation;

	if (!send || !send->channel)
		return (struct viz_bytes){0};
	return send->channel->interface;
}

size_t scene_host_of(const struct scene_drafts *d, const struct viz_process *process)
{
	return process && process->host ? process->host->index : d->request->model->host_count;
}

static struct scene_way kernels_between(const struct scene_drafts *d,
					const struct viz_process *from,
					const struct viz_process *to)
{
	int in = d->kernel_lanes[scene_host_of(d, from ? from : to)];
	int out = d->kernel_lanes[scene_host_of(d, to ? to : from)];

	return (struct scene_way){in < 0 ? out : in, out < 0 ? in : out};
}

struct scene_way scene_way_between(const struct scene_drafts *d, const struct viz_channel *channel,
				   const struct viz_process *from, const struct viz_process *to)
{
	int lane = SCENE_NOWHERE;

	if (d->request->via == SCENE_VIA_KERNEL)
		return kernels_between(d, from, to);
	if (d->request->via == SCENE_VIA_CHANNELS && channel)
		lane = d->channel_lane[channel->index];
	return (struct scene_way){lane, lane};
}

struct scene_way scene_message_way(const struct scene_drafts *d, const struct viz_message *m)
{
	/* process_vm_readv() and the like copy once, from memory to memory. */
	if (m->mechanism == MECH_PROCESS_VM)
		return (struct scene_way){SCENE_NOWHERE, SCENE_NOWHERE};
	return scene_way_between(d, m->channel, m->from.process, m->to.process);
}

void scene_plan_vias(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < d->request->model->channel_count; i++)
		d->channel_lane[i] = SCENE_NOWHERE;
	for (size_t i = 0; i <= d->request->model->host_count; i++)
		d->kernel_lanes[i] = SCENE_NOWHERE;
	if (d->request->via != SCENE_VIA_CHANNELS)
		return;
	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

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

	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

		if (m->channel && d->channel_lane[m->channel->index] == PLANNED &&
		    scene_wants_message(d, m) &&
		    (is_end(d, &m->from, actor) || is_end(d, &m->to, actor)))
			add_channel(d, m->channel);
	}
}

/* Among a machine's lanes in the middle, but of several machines towards the others. */
static size_t kernel_place(const struct scene_drafts *d, size_t host, size_t count)
{
	if (!d->request->model->host_count)
		return (count + 1) / 2;
	return host ? 0 : count;
}

void scene_add_kernel(struct scene_drafts *d, size_t host, size_t number, size_t count)
{
	const struct viz_model *model = d->request->model;
	const char *word = scene_say(d->scene, "kernel");
	char *name = NULL, title[VIZ_NAME];

	if (d->request->via != SCENE_VIA_KERNEL || !count || number != kernel_place(d, host, count))
		return;
	if (host < model->host_count)
		name = scene_harmless(model->hosts[host]->name.data, model->hosts[host]->name.len);
	snprintf(title, sizeof(title), "%s%s%s", name ? name : "", name ? ":" : "", word);
	d->kernel_lanes[host] = add_lane(d, SCENE_LANE_KERNEL, title);
	free(name);
}

void scene_add_vias(struct scene_drafts *d, size_t actor)
{
	if (d->request->via == SCENE_VIA_CHANNELS)
		add_channels_of(d, actor);
	scene_add_memories(d, actor);
}
