// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The calls of a ledger, and what many of its entries share: texts, objects, threads, sites. */
#include <stdio.h>
#include <stdlib.h>

#include "scene_fold.h"
#include "scene_ledger_build.h"
#include "scene_text.h"

/* Where an entry with this key is, from 1; 0: nowhere yet. */
static size_t found(const struct map *map, struct viz_bytes key)
{
	const size_t *place = map_get(map, key);

	return place ? *place : 0;
}

static size_t *kept(struct ledger_build *b, size_t place)
{
	size_t *copy = arena_alloc(b->ledger->arena, sizeof(*copy));

	*copy = place;
	return copy;
}

static void remember(struct ledger_build *b, struct map *map, struct viz_bytes key, size_t place)
{
	struct arena *arena = b->ledger->arena;

	map_put(arena, map, arena_bytes(arena, key.data, key.len), kept(b, place));
}

uint32_t ledger_text(struct ledger_build *b, struct viz_bytes raw)
{
	struct scene_ledger *ledger = b->ledger;
	struct viz_bytes key = {raw.data ? raw.data : "", raw.data ? raw.len : 0};
	size_t place = found(&b->texts, key);
	char *text;

	if (place)
		return (uint32_t)place - 1;
	text = scene_harmless(key.data, key.len);
	if (!text) {
		b->d->failed = true;
		return 0;
	}
	ARENA_PUSH(ledger->arena, ledger->texts, ledger->text_count, text);
	remember(b, &b->texts, key, ledger->text_count);
	return (uint32_t)ledger->text_count - 1;
}

/* The same of an allocated text, which is freed; NULL (out of memory) fails the scene. */
static uint32_t owned_text(struct ledger_build *b, char *text)
{
	uint32_t place = text ? ledger_text(b, viz_bytes_of(text)) : 0;

	b->d->failed |= !text;
	free(text);
	return place;
}

uint32_t ledger_object(struct ledger_build *b, const struct viz_channel *channel)
{
	struct scene_ledger *ledger = b->ledger;
	struct ledger_object object;

	if (!channel)
		return LEDGER_NONE;
	if (b->object_of[channel->index] == LEDGER_NONE) {
		b->object_of[channel->index] = (uint32_t)ledger->object_count;
		object = (struct ledger_object){
			.name = owned_text(b, scene_channel_name(channel)),
			.mechanism = channel->mechanism,
			.connected = scene_is_connected(channel),
			.capacity = channel->capacity,
		};
		ARENA_PUSH(ledger->arena, ledger->objects, ledger->object_count, object);
	}
	return b->object_of[channel->index];
}

uint32_t ledger_route(struct ledger_build *b, const struct ledger_route *route)
{
	struct scene_ledger *ledger = b->ledger;
	struct viz_bytes key = {(const char *)route,
				offsetof(struct ledger_route, met) + sizeof(route->met)};
	size_t place = found(&b->routes, key);

	if (place)
		return (uint32_t)place - 1;
	ARENA_PUSH(ledger->arena, ledger->routes, ledger->route_count, *route);
	remember(b, &b->routes, key, ledger->route_count);
	return (uint32_t)ledger->route_count - 1;
}

/* Of whatever lanes and channel: those the page has beside it. */
uint32_t ledger_shape(struct ledger_build *b, const struct draft *draft)
{
	struct scene_shape shape;
	struct viz_bytes key = {(const char *)&shape, sizeof(shape)};
	size_t place;

	if (!scene_shape(draft, true, &shape))
		return 0;
	shape.from = shape.to = 0;
	place = found(&b->shapes, key);
	if (place)
		return (uint32_t)place;
	remember(b, &b->shapes, key, b->shapes.count + 1);
	return (uint32_t)b->shapes.count;
}

/* --- calls --- */

static uint32_t thread_of(struct ledger_build *b, const struct viz_operation *op)
{
	struct scene_ledger *ledger = b->ledger;
	const void *who = op->thread ? (const void *)op->thread : (const void *)op->process;
	const size_t *place = map_get_uint(&b->threads, (uintptr_t)who);
	struct ledger_thread thread = {.lane = scene_lane_of_operation(b->d, op),
				       .tid = op->thread ? op->thread->tid : op->process->pid};

	if (place)
		return (uint32_t)*place - 1;
	thread.name = ledger_text(b, op->thread ? op->thread->comm : op->comm);
	ARENA_PUSH(ledger->arena, ledger->threads, ledger->thread_count, thread);
	map_put_uint(ledger->arena, &b->threads, (uintptr_t)who, kept(b, ledger->thread_count));
	return (uint32_t)ledger->thread_count - 1;
}

static uint32_t site_of(struct ledger_build *b, const struct viz_operation *op)
{
	struct scene_ledger *ledger = b->ledger;
	struct ledger_site site = {
		.thread = thread_of(b, op),
		.syscall = ledger_text(b, op->syscall),
		.fd = op->fd,
		.object = ledger_object(b, op->channel),
	};
	struct viz_bytes key = {(const char *)&site, sizeof(site)};
	size_t place = found(&b->sites, key);

	if (place)
		return (uint32_t)place - 1;
	ARENA_PUSH(ledger->arena, ledger->sites, ledger->site_count, site);
	remember(b, &b->sites, key, ledger->site_count);
	return (uint32_t)ledger->site_count - 1;
}

static uint64_t end_ns(const struct ledger_build *b, const struct viz_operation *op)
{
	uint64_t ns = op->exit_ns;

	if (ns == VIZ_NEVER)
		ns = op->process->end_ns != VIZ_NEVER ? op->process->end_ns
						      : b->d->request->model->end_ns;
	return ns > op->enter_ns ? ns : op->enter_ns;
}

uint32_t ledger_call(const struct ledger_build *b, const struct viz_operation *op)
{
	return op ? b->call_of[op->index] : LEDGER_NONE;
}

uint32_t ledger_use_call(struct ledger_build *b, const struct viz_operation *op)
{
	struct scene_ledger *ledger = b->ledger;
	struct ledger_call call;

	if (scene_lane_of_operation(b->d, op) < 0)
		return LEDGER_NONE;
	if (b->call_of[op->index] != LEDGER_NONE)
		return b->call_of[op->index];
	call = (struct ledger_call){
		.site = site_of(b, op),
		.unfinished = !viz_operation_done(op),
		.told = viz_has(op, returned),
		.row = b->row,
		.enter_ns = op->enter_ns,
		.exit_ns = end_ns(b, op),
		.off_cpu_ns = op->off_cpu_ns,
		.resumed_ns = op->resumed_ns,
		.woken_ns = op->woken_ns,
		.requested = op->requested,
		.returned = op->returned,
		.error = ledger_text(b, op->error),
		.waker = LEDGER_NONE,
		.woken_by = SCENE_NOWHERE,
	};
	if (op->waits_for_count)
		call.waits = owned_text(b, scene_call_waits(op));
	b->call_of[op->index] = (uint32_t)ledger->call_count;
	ledger->calls[ledger->call_count++] = call;
	return b->call_of[op->index];
}

static void set_wakers(struct ledger_build *b)
{
	const struct viz_model *model = b->d->request->model;

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];
		uint32_t call = b->call_of[i];
		const struct viz_operation *waker;

		if (call == LEDGER_NONE)
			continue;
		waker = op->waker ? viz_model_operation(model, op->waker) : NULL;
		b->ledger->calls[call].waker = ledger_call(b, waker);
		b->ledger->calls[call].woken_by = waker && waker->process == op->woken_by
							  ? scene_lane_of_operation(b->d, waker)
							  : scene_lane_of(b->d, op->woken_by);
	}
}

void ledger_add_other_calls(struct ledger_build *b)
{
	const struct viz_model *model = b->d->request->model;

	b->row = LEDGER_NONE;
	for (size_t i = 0; i < model->operation_count && !b->d->failed; i++) {
		const struct viz_operation *op = model->operations[i];

		if (b->call_of[i] != LEDGER_NONE || scene_lane_of_operation(b->d, op) < 0 ||
		    !scene_wants_operation(b->d, op))
			continue;
		if (op->off_cpu_ns || !viz_operation_done(op))
			ledger_use_call(b, op);
		else
			b->ledger->calls_left_out++;
	}
	set_wakers(b);
}

/* --- lanes --- */

static uint32_t command_text(struct ledger_build *b, const struct viz_process *process)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; out && i < process->args_count; i++)
		scene_put_word(out, process->args[i].data, process->args[i].len, i == 0);
	if (out && process->args_cut)
		fputs(" …", out);
	if (!out || fclose(out)) {
		free(text);
		text = NULL;
	}
	return owned_text(b, text);
}

static void set_groups(struct ledger_build *b)
{
	size_t *first = scene_group(b->d, true);

	for (size_t i = 0; first && i < b->ledger->lane_count; i++)
		b->ledger->lanes[i].group = (uint32_t)b->d->lane_of[first[b->d->actor_on[i]]];
	b->d->failed |= !first;
	free(first);
}

void ledger_add_lanes(struct ledger_build *b)
{
	struct scene_ledger *ledger = b->ledger;
	size_t count = b->d->scene->lane_count;

	ledger->lanes = arena_array(ledger->arena, count, sizeof(*ledger->lanes));
	for (size_t i = 0; i < count; i++) {
		const struct scene_actor *actor = &b->d->actors[b->d->actor_on[i]];

		ledger->lanes[ledger->lane_count++] = (struct ledger_lane){
			.command = command_text(b, actor->process),
			.parent = scene_lane_of(b->d, actor->process->parent),
			.start_ns = scene_actor_start_ns(actor),
			.end_ns = scene_actor_end_ns(actor),
			.before = actor->before_trace,
			.crowd = !actor->thread && actor->process->thread_count > 1,
		};
	}
	set_groups(b);
}
