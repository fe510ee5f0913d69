// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the dataset: rows, with the routes of messages, the calls that they show, and the entries
 * that many of them share, each of which is stored once.
 */
#include "viz/scene/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/account/exchanges.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/base/sorted_search.h"
#include "viz/protocol/talks.h"
#include "viz/scene/fold.h"

/* State while the dataset is built. */
struct dataset_build {
	struct scene_drafts *d;
	struct scene_dataset *dataset;
	uint32_t row;	  /* the row that is being added; SCENE_NONE: none */
	size_t words_len; /* of all words of messages that are texts by now */
	struct map texts, routes, sites, threads, shapes;
};

/* --- what many rows share: each function gives an entry's index, and adds what is not there --- */

/* The index of the entry with this key, plus 1; 0: there is none yet. */
static size_t found(const struct map *map, struct viz_bytes key)
{
	const size_t *place = map_get(map, key);

	return place ? *place : 0;
}

static size_t *kept(struct dataset_build *b, size_t place)
{
	size_t *copy = arena_alloc(b->dataset->arena, sizeof(*copy));

	*copy = place;
	return copy;
}

static void remember(struct dataset_build *b, struct map *map, struct viz_bytes key, size_t place)
{
	struct arena *arena = b->dataset->arena;

	map_put(arena, map, arena_bytes(arena, key.data, key.len), kept(b, place));
}

/* The text is made harmless; data NULL is "", index 0. */
static uint32_t dataset_text(struct dataset_build *b, struct viz_bytes raw)
{
	struct scene_dataset *dataset = b->dataset;
	struct viz_bytes key = {raw.data ? raw.data : "", raw.data ? raw.len : 0};
	size_t place = found(&b->texts, key);
	char *text;

	if (place)
		return (uint32_t)place - 1;
	text = scene_harmless(key.data, key.len);
	ARENA_PUSH(dataset->arena, dataset->texts, dataset->text_count,
		   (char *)arena_bytes(dataset->arena, text, strlen(text)).data);
	free(text);
	remember(b, &b->texts, key, dataset->text_count);
	return (uint32_t)dataset->text_count - 1;
}

/* dataset_text() of an allocated text, which it frees. */
static uint32_t owned_text(struct dataset_build *b, char *text)
{
	uint32_t place = dataset_text(b, viz_bytes_of(text));

	free(text);
	return place;
}

static uint32_t dataset_object(struct dataset_build *b, const struct viz_channel *channel)
{
	uint32_t place = scene_object_of(b->d, channel);
	struct scene_object *object;

	if (place == SCENE_NONE)
		return place;
	object = &b->d->scene->objects[place];
	if (!object->text) {
		object->text = dataset_text(b, viz_bytes_of(object->name));
		object->local = dataset_text(b, channel->local_address);
		object->remote = dataset_text(b, channel->peer_address);
	}
	return place;
}

static uint32_t dataset_route(struct dataset_build *b, const struct dataset_route *route)
{
	struct scene_dataset *dataset = b->dataset;
	struct viz_bytes key = {(const char *)route,
				offsetof(struct dataset_route, met) + sizeof(route->met)};
	size_t place = found(&b->routes, key);

	if (place)
		return (uint32_t)place - 1;
	ARENA_PUSH(dataset->arena, dataset->routes, dataset->route_count, *route);
	remember(b, &b->routes, key, dataset->route_count);
	return (uint32_t)dataset->route_count - 1;
}

/* From 1; 0: like no other. Without lanes and channel: the page keeps those beside the number. */
static uint32_t dataset_shape(struct dataset_build *b, const struct draft *draft)
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

static uint32_t thread_of(struct dataset_build *b, const struct viz_operation *op)
{
	struct scene_dataset *dataset = b->dataset;
	const void *who = op->thread ? (const void *)op->thread : (const void *)op->process;
	const size_t *place = map_get_uint(&b->threads, (uintptr_t)who);
	struct dataset_thread thread = {.lane = scene_lane_of_operation(b->d, op),
					.tid = op->thread ? op->thread->tid : op->process->pid};

	if (place)
		return (uint32_t)*place - 1;
	thread.name = dataset_text(b, op->thread ? op->thread->comm : op->comm);
	ARENA_PUSH(dataset->arena, dataset->threads, dataset->thread_count, thread);
	map_put_uint(dataset->arena, &b->threads, (uintptr_t)who, kept(b, dataset->thread_count));
	return (uint32_t)dataset->thread_count - 1;
}

static uint32_t site_of(struct dataset_build *b, const struct viz_operation *op)
{
	struct scene_dataset *dataset = b->dataset;
	struct dataset_site site = {
		.thread = thread_of(b, op),
		.syscall = dataset_text(b, op->syscall),
		.fd = op->fd,
		.object = dataset_object(b, op->channel),
	};
	struct viz_bytes key = {(const char *)&site, sizeof(site)};
	size_t place = found(&b->sites, key);

	if (place)
		return (uint32_t)place - 1;
	ARENA_PUSH(dataset->arena, dataset->sites, dataset->site_count, site);
	remember(b, &b->sites, key, dataset->site_count);
	return (uint32_t)dataset->site_count - 1;
}

/* The index of a call; SCENE_NONE if it was not added, or op is NULL. */
static uint32_t dataset_call(const struct dataset_build *b, const struct viz_operation *op)
{
	return op ? b->d->call_at[op->index] : SCENE_NONE;
}

/* Adds the call if it is new. SCENE_NONE: it has no lane. */
static uint32_t dataset_use_call(struct dataset_build *b, const struct viz_operation *op)
{
	struct scene_dataset *dataset = b->dataset;
	struct dataset_call call;

	if (scene_lane_of_operation(b->d, op) < 0)
		return SCENE_NONE;
	if (b->d->call_at[op->index] != SCENE_NONE)
		return b->d->call_at[op->index];
	call = (struct dataset_call){
		.site = site_of(b, op),
		.unfinished = !viz_operation_done(op),
		.has_returned = viz_has(op, returned),
		.row = b->row,
		.enter_ns = op->enter_ns,
		.exit_ns = scene_end_ns(b->d, op),
		.off_cpu_ns = op->off_cpu_ns,
		.resumed_ns = op->resumed_ns,
		.woken_ns = op->woken_ns,
		.requested = op->requested,
		.returned = op->returned,
		.error = dataset_text(b, op->error),
		.waker = SCENE_NONE,
		.woken_by = SCENE_NOWHERE,
	};
	if (op->extra->waits_for_count)
		call.waits = owned_text(b, scene_call_waits(b->d->scene, op));
	b->d->call_at[op->index] = (uint32_t)dataset->call_count;
	dataset->calls[dataset->call_count++] = call;
	return b->d->call_at[op->index];
}

/* --- the calls that woke others --- */

/* By id: the packed calls. */
struct wakers {
	struct packed_call *calls;
	size_t count;
};

static uint64_t id_at(const void *calls, size_t index)
{
	return ((const struct packed_call *)calls)[index].id;
}

/* The call with this id; NULL: there is none. */
static const struct viz_operation *find_call(const struct dataset_build *b,
					     const struct wakers *wakers, uint64_t id)
{
	const struct viz_operation *op = viz_model_operation(b->d->request->model, id);
	size_t place;

	if (op || !wakers->count)
		return op;
	place = search_before(wakers->calls, wakers->count, id_at, id);
	if (place == wakers->count || wakers->calls[place].id != id)
		return NULL;
	return packed_operation(&wakers->calls[place]);
}

static void set_waker(struct dataset_build *b, const struct wakers *wakers,
		      const struct viz_operation *op)
{
	uint32_t place = b->d->call_at[op->index];
	const uint64_t id = op->waker;
	const struct viz_process *by = op->woken_by;
	const struct viz_operation *waker;
	struct dataset_call *call;

	if (place == SCENE_NONE)
		return;
	call = &b->dataset->calls[place];
	waker = id ? find_call(b, wakers, id) : NULL;
	call->waker = dataset_call(b, waker);
	call->woken_by = waker && waker->process == by ? scene_lane_of_operation(b->d, waker)
						       : scene_lane_of(b->d, by);
}

static void set_wakers(struct dataset_build *b)
{
	const struct viz_model *model = b->d->request->model;
	const struct packed_messages *packed = b->d->request->pairing->packed;
	struct wakers wakers = {0};

	if (packed) {
		wakers.calls = packed_calls(packed, true);
		wakers.count = 2 * packed_count(packed);
	}
	for (size_t i = 0; i < model->operation_count; i++)
		set_waker(b, &wakers, model->operations[i]);
	for (size_t i = 0; packed && i < packed_count(packed); i++) {
		const struct viz_message *m = packed_whole(packed_at(packed, i));

		set_waker(b, &wakers, m->from.operation);
		set_waker(b, &wakers, m->to.operation);
	}
	free(wakers.calls);
}

/* Adds the calls that slept, and sets the wakers of all calls. */
static void dataset_add_other_calls(struct dataset_build *b)
{
	const struct viz_model *model = b->d->request->model;

	b->row = SCENE_NONE; /* packed calls have rows: nothing is filtered then */
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (b->d->call_at[i] != SCENE_NONE || scene_lane_of_operation(b->d, op) < 0 ||
		    !scene_wants_operation(b->d, op))
			continue;
		if (op->off_cpu_ns || !viz_operation_done(op))
			dataset_use_call(b, op);
		else
			b->dataset->calls_left_out++;
	}
	set_wakers(b);
}

/* --- lanes --- */

static uint32_t command_text(struct dataset_build *b, const struct viz_process *process)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

	for (size_t i = 0; i < process->args_count; i++)
		scene_put_word(out, process->args[i].data, process->args[i].len, i == 0);
	if (process->args_cut)
		fputs(" …", out);
	memory_stream_end(out);
	return owned_text(b, text);
}

static uint32_t *argument_texts(struct dataset_build *b, const struct viz_process *process)
{
	uint32_t *texts = arena_array(b->dataset->arena, process->args_count + 1, sizeof(*texts));

	for (size_t i = 0; i < process->args_count; i++)
		texts[i] = dataset_text(b, process->args[i]);
	return texts;
}

static void set_groups(struct dataset_build *b)
{
	size_t *first = scene_group(b->d, true);

	for (size_t i = 0; i < b->dataset->lane_count; i++)
		b->dataset->lanes[i].group =
			scene_is_via(b->d, (int)i)
				? (uint32_t)i
				: (uint32_t)b->d->lane_of[first[b->d->actor_on[i]]];
}

/* Of shared memory, which is there from the first row to the last. */
static struct dataset_lane memory_lane(const struct scene_drafts *d)
{
	return (struct dataset_lane){.parent = SCENE_NOWHERE,
				     .start_ns = d->start_ns,
				     .end_ns = SCENE_NEVER,
				     .before = true,
				     .memory = true};
}

static uint64_t uncertainty_of(const struct viz_host *host)
{
	if (!host)
		return 0;
	return viz_host_clock_known(host) ? host->uncertainty_ns : SCENE_NEVER;
}

static void dataset_add_lanes(struct dataset_build *b)
{
	struct scene_dataset *dataset = b->dataset;
	size_t count = b->d->scene->lane_count;

	dataset->lanes = arena_array(dataset->arena, count, sizeof(*dataset->lanes));
	for (size_t i = 0; i < count; i++) {
		const struct scene_actor *actor = &b->d->actors[b->d->actor_on[i]];

		if (scene_is_via(b->d, (int)i)) {
			dataset->lanes[dataset->lane_count++] = memory_lane(b->d);
			continue;
		}
		dataset->lanes[dataset->lane_count++] = (struct dataset_lane){
			.command = command_text(b, actor->process),
			.args = argument_texts(b, actor->process),
			.arg_count = actor->process->args_count,
			.path = dataset_text(b, actor->process->path),
			.host = dataset_text(b, actor->process->host
							? actor->process->host->name
							: b->d->request->model->header.host),
			.uncertainty_ns = uncertainty_of(actor->process->host),
			.parent = scene_lane_of(b->d, actor->process->parent),
			.start_ns = scene_actor_start_ns(actor),
			.end_ns = scene_actor_end_ns(actor),
			.before = actor->before_trace,
			.crowd = !actor->thread && actor->process->thread_count > 1,
		};
	}
	set_groups(b);
}

/* --- messages --- */

static uint32_t outside_name(struct dataset_build *b, const struct viz_message *m, int from, int to)
{
	char *name = "";

	scene_text_outside(b->d, m, from, to, &name);
	return dataset_text(b, viz_bytes_of(name));
}

static uint32_t route_of(struct dataset_build *b, const struct viz_message *m, int from, int to)
{
	struct dataset_route route = {
		.from = from,
		.to = to,
		.mechanism = m->mechanism,
		.object = dataset_object(b, m->channel),
		.label = m->signal ? dataset_text(b, m->signal->name) : 0,
		.outsider = scene_outsider_of(b->d, m, from, to),
		.noise = b->d->noise_of ? b->d->noise_of[m->index] : NOISE_NONE,
		.met = (uint32_t)scene_signal_shape(m->signal),
	};

	if (b->d->request->model->host_count)
		route.device = dataset_text(b, scene_device_of(m));
	if (from == SCENE_OUTSIDE)
		route.from_name = outside_name(b, m, from, SCENE_NOWHERE);
	if (to == SCENE_OUTSIDE)
		route.to_name = outside_name(b, m, SCENE_NOWHERE, to);
	return dataset_route(b, &route);
}

/*
 * Puts what the message says among the texts, each once. Beyond WORDS_MOST bytes of them, messages
 * have bytes only, so that the page stays small enough to be opened.
 */
static void set_words(struct dataset_build *b, struct scene_message *message,
		      const struct viz_message *m)
{
	enum { WORDS_MOST = 1 << 20 };
	size_t texts = b->dataset->text_count;
	const char *protocol;
	char *words = b->words_len < WORDS_MOST ? protocol_summary(m, &protocol) : NULL;

	if (!words)
		return;
	message->words = dataset_text(b, viz_bytes_of(words));
	if (b->dataset->text_count > texts)
		b->words_len += strlen(words);
	message->protocol = dataset_text(b, viz_bytes_of(protocol));
	free(words);
}

static void add_messages(struct dataset_build *b)
{
	for (size_t i = 0; i < b->d->scene->fact_count; i++) {
		struct scene_message *message = &b->d->scene->facts[i];
		const struct viz_message *m = scene_fact(b->d, i);

		message->route = route_of(b, m, message->from, message->to);
		b->dataset->routes[message->route].messages++;
		set_words(b, message, m);
	}
}

/* --- rows --- */

static uint32_t message_at(const struct dataset_build *b, const struct viz_message *m)
{
	return m ? b->d->message_at[m->index] : SCENE_NONE;
}

static uint32_t text_row_of(struct dataset_build *b, const struct draft *draft)
{
	struct scene *scene = b->d->scene;
	struct scene_row *row = scene_add_row(scene, draft->kind, draft->from, draft->to);

	row->part = draft->part;
	row->at_ns = draft->at_ns - b->d->start_ns;
	scene_text(b->d, draft, row);
	return (uint32_t)scene->row_count - 1;
}

static const struct viz_operation *draft_operation(const struct draft *draft)
{
	const struct viz_connection *c;

	switch (draft->kind) {
	case SCENE_FAILED:
	case SCENE_WAITING:
	case SCENE_NOTE:
	case SCENE_REMOVED:
		return draft->from >= 0 ? draft->of.operation : NULL;
	case SCENE_MEMORY:
		return scene_detail(draft)->use ? NULL : draft->of.operation;
	case SCENE_EOF:
		return draft->of.eof->receive;
	case SCENE_CONNECT:
		c = draft->of.connection;
		return c->connect ? c->connect : c->accept;
	default:
		return NULL;
	}
}

static void add_row(struct dataset_build *b, const struct draft *draft)
{
	struct dataset_row row = {
		.kind = (unsigned char)draft->kind,
		.part = (unsigned char)draft->part,
		.at_ns = draft->at_ns,
		.message = SCENE_NONE,
		.text_row = SCENE_NONE,
		.mark = draft->kind == SCENE_FOUND ? (uint32_t)draft->of.mark : SCENE_NONE,
		.call = SCENE_NONE,
	};

	b->row = (uint32_t)b->dataset->row_count;
	if (draft->kind == SCENE_MESSAGE || draft->kind == SCENE_SIGNAL) {
		const struct viz_message *m = scene_message(draft);

		row.message = message_at(b, m);
		if (row.message != SCENE_NONE) {
			dataset_use_call(b, m->from.operation);
			dataset_use_call(b, m->to.operation);
		}
	} else {
		if (draft->kind == SCENE_EXIT)
			row.message = message_at(b, scene_detail(draft)->notice);
		row.text_row = text_row_of(b, draft);
		row.like = dataset_shape(b, draft);
		row.call = dataset_use_call(b, draft_operation(draft));
	}
	b->dataset->rows[b->dataset->row_count++] = row;
}

static void add_rows(struct dataset_build *b)
{
	struct scene_dataset *dataset = b->dataset;

	dataset->rows = arena_array(dataset->arena, b->d->count, sizeof(*dataset->rows));
	for (size_t i = 0; i < b->d->count; i++)
		add_row(b, &b->d->rows[i]);
	scene_set_calls(b->d);
	scene_drop_drafts(b->d); /* which take more room than all rows */
}

/* --- requests and their responses --- */

static void add_exchange(struct dataset_build *b, const struct account_exchange *found)
{
	struct scene_dataset *dataset = b->dataset;
	struct dataset_exchange exchange = {.request_count = found->request_count,
					    .count = found->count};

	for (size_t i = 0; i < found->count; i++)
		if (message_at(b, found->messages[i]) == SCENE_NONE)
			return;
	exchange.messages = arena_array(dataset->arena, found->count, sizeof(*exchange.messages));
	for (size_t i = 0; i < found->count; i++)
		exchange.messages[i] = message_at(b, found->messages[i]);
	ARENA_PUSH(dataset->arena, dataset->exchanges, dataset->exchange_count, exchange);
}

static void add_exchanges(struct dataset_build *b)
{
	const struct scene_request *request = b->d->request;
	struct account_exchanges found;

	if (!request->exchanges)
		return;
	found = account_find_exchanges(request->model, request->pairing, b->d->arena);
	for (size_t i = 0; i < found.count; i++)
		add_exchange(b, &found.items[i]);
}

/* --- the whole dataset --- */

static void begin(struct dataset_build *b, struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	*b = (struct dataset_build){.d = d,
				    .dataset = arena_alloc(d->scene->arena, sizeof(*b->dataset))};
	b->dataset->arena = d->scene->arena;
	d->scene->dataset = b->dataset;
	b->dataset->calls = arena_array(b->dataset->arena,
					viz_pairing_calls(d->request->pairing, model),
					sizeof(*b->dataset->calls));
	dataset_text(b, viz_bytes_of(""));
}

void scene_write_dataset(struct scene_drafts *d)
{
	struct dataset_build b;

	begin(&b, d);
	b.dataset->start_ns = d->start_ns;
	b.dataset->realtime_offset_ns = d->request->model->header.realtime_offset_ns;
	b.dataset->host = dataset_text(&b, d->request->model->header.host);
	b.dataset->kernel = dataset_text(&b, d->request->model->header.kernel);
	dataset_add_lanes(&b);
	add_messages(&b);
	add_rows(&b);
	dataset_add_other_calls(&b);
	add_exchanges(&b);
	b.dataset->messages = d->scene->facts;
	b.dataset->message_count = d->scene->fact_count;
	b.dataset->objects = d->scene->objects;
	b.dataset->object_count = d->scene->object_count;
}
