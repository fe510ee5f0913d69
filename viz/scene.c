// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "scene.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene_text.h"

/* What every string is until it is set; never freed, never written. */
static char empty[] = "";

/* Where elements go that found no memory. */
struct store {
	struct scene scene;
	struct scene_lane lane;
	struct scene_row row;
	struct scene_bar bar;
	struct scene_channel channel;
	struct scene_mark mark;
	struct scene_object object;
	struct scene_message message;
	struct scene_call call;
};

struct scene *scene_new(void)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->scene.command = empty;
	return &store->scene;
}

static void free_text(char *text)
{
	if (text != empty)
		free(text);
}

static void free_row(struct scene_row *row)
{
	free_text(row->label);
	free_text(row->brief);
	free_text(row->told);
	free_text(row->payload);
	free_text(row->detail);
	free_text(row->outside);
	free_text(row->channel);
}

static void free_marks(struct scene *scene)
{
	for (size_t i = 0; i < scene->mark_count; i++) {
		struct scene_mark *mark = &scene->marks[i];

		free_text(mark->id);
		free_text(mark->text);
		free_text(mark->advice);
		free_text(mark->channel);
		for (size_t k = 0; k < mark->line_count; k++)
			free_text(mark->lines[k]);
		free(mark->lines);
	}
	free(scene->marks);
}

static void free_facts(struct scene *scene)
{
	for (size_t i = 0; i < scene->object_count; i++)
		free_text(scene->objects[i].name);
	for (size_t i = 0; i < scene->fact_count; i++) {
		free_text(scene->facts[i].label);
		free(scene->facts[i].payload);
	}
	for (size_t i = 0; i < scene->call_count; i++) {
		free_text(scene->calls[i].name);
		free_text(scene->calls[i].result);
		free_text(scene->calls[i].object);
	}
	free(scene->objects);
	free(scene->facts);
	free(scene->calls);
}

void scene_free(struct scene *scene)
{
	if (!scene)
		return;
	for (size_t i = 0; i < scene->lane_count; i++)
		free_text(scene->lanes[i].title);
	for (size_t i = 0; i < scene->row_count; i++)
		free_row(&scene->rows[i]);
	for (size_t i = 0; i < scene->channel_count; i++) {
		free_text(scene->channels[i].name);
		free_text(scene->channels[i].route);
	}
	for (size_t i = 0; i < scene->note_count; i++)
		free_text(scene->notes[i]);
	free_text(scene->command);
	free_facts(scene);
	free_marks(scene);
	scene_ledger_free(scene->ledger);
	free(scene->lanes);
	free(scene->rows);
	free(scene->bars);
	free(scene->channels);
	free(scene->notes);
	free((struct store *)scene);
}

/*
 * The array with room for one more, that zeroed; NULL: no memory. Capacity is the next power of 2.
 */
static void *grow(struct scene *scene, void *array, size_t count, size_t size)
{
	if (scene->failed)
		return NULL;
	if ((count & (count - 1)) == 0) {
		array = reallocarray(array, count ? count * 2 : 1, size);
		if (!array) {
			scene->failed = true;
			return NULL;
		}
	}
	memset((char *)array + count * size, 0, size);
	return array;
}

static struct scene_lane *next_lane(struct scene *scene)
{
	struct scene_lane *spare = &((struct store *)scene)->lane;
	void *grown = grow(scene, scene->lanes, scene->lane_count, sizeof(*spare));

	if (!grown)
		return memset(spare, 0, sizeof(*spare));
	scene->lanes = grown;
	return &scene->lanes[scene->lane_count++];
}

struct scene_lane *scene_add_lane(struct scene *scene, const char *title, uint32_t pid)
{
	struct scene_lane *lane = next_lane(scene);

	lane->title = empty;
	lane->pid = pid;
	lane->last_row = SCENE_NO_ROW;
	scene_set(scene, &lane->title, "%s", title);
	return lane;
}

static struct scene_row *next_row(struct scene *scene)
{
	struct scene_row *spare = &((struct store *)scene)->row;
	void *grown = grow(scene, scene->rows, scene->row_count, sizeof(*spare));

	if (!grown)
		return memset(spare, 0, sizeof(*spare));
	scene->rows = grown;
	return &scene->rows[scene->row_count++];
}

struct scene_row *scene_add_row(struct scene *scene, enum scene_kind kind, int from, int to)
{
	struct scene_row *row = next_row(scene);

	row->kind = kind;
	row->from = from;
	row->to = to;
	row->label = row->brief = row->told = row->payload = row->detail = empty;
	row->outside = row->channel = empty;
	return row;
}

static struct scene_bar *next_bar(struct scene *scene)
{
	struct scene_bar *spare = &((struct store *)scene)->bar;
	void *grown = grow(scene, scene->bars, scene->bar_count, sizeof(*spare));

	if (!grown)
		return memset(spare, 0, sizeof(*spare));
	scene->bars = grown;
	return &scene->bars[scene->bar_count++];
}

struct scene_bar *scene_add_bar(struct scene *scene, int lane, enum scene_bar_kind kind)
{
	struct scene_bar *bar = next_bar(scene);

	bar->lane = lane;
	bar->kind = kind;
	return bar;
}

static struct scene_channel *next_channel(struct scene *scene)
{
	struct scene_channel *spare = &((struct store *)scene)->channel;
	void *grown = grow(scene, scene->channels, scene->channel_count, sizeof(*spare));

	if (!grown)
		return memset(spare, 0, sizeof(*spare));
	scene->channels = grown;
	return &scene->channels[scene->channel_count++];
}

struct scene_channel *scene_add_channel(struct scene *scene, enum mechanism mechanism)
{
	struct scene_channel *channel = next_channel(scene);

	channel->mechanism = mechanism;
	channel->latency_p50_ns = UINT64_MAX;
	channel->name = channel->route = empty;
	return channel;
}

struct scene_mark *scene_add_mark(struct scene *scene, enum severity severity)
{
	struct scene_mark *mark = &((struct store *)scene)->mark;
	void *grown = grow(scene, scene->marks, scene->mark_count, sizeof(*mark));

	if (grown) {
		scene->marks = grown;
		mark = &scene->marks[scene->mark_count++];
	} else {
		memset(mark, 0, sizeof(*mark));
	}
	mark->severity = severity;
	mark->row = SCENE_NO_ROW;
	mark->lane = SCENE_NOWHERE;
	mark->id = mark->text = mark->advice = mark->channel = empty;
	return mark;
}

static struct scene_object *next_object(struct scene *scene)
{
	struct scene_object *spare = &((struct store *)scene)->object;
	void *grown = grow(scene, scene->objects, scene->object_count, sizeof(*spare));

	if (!grown)
		return memset(spare, 0, sizeof(*spare));
	scene->objects = grown;
	return &scene->objects[scene->object_count++];
}

struct scene_object *scene_add_object(struct scene *scene, enum mechanism mechanism)
{
	struct scene_object *object = next_object(scene);

	object->mechanism = mechanism;
	object->name = empty;
	object->peer = SCENE_NONE;
	object->ended_ns = SCENE_NEVER;
	return object;
}

static struct scene_message *next_message(struct scene *scene)
{
	struct scene_message *spare = &((struct store *)scene)->message;
	void *grown = grow(scene, scene->facts, scene->fact_count, sizeof(*spare));

	if (!grown)
		return memset(spare, 0, sizeof(*spare));
	scene->facts = grown;
	return &scene->facts[scene->fact_count++];
}

struct scene_message *scene_add_message(struct scene *scene, int from, int to)
{
	struct scene_message *message = next_message(scene);

	message->from = from;
	message->to = to;
	message->object = message->send = message->receive = SCENE_NONE;
	message->sent_ns = message->received_ns = SCENE_NEVER;
	message->label = empty;
	return message;
}

static struct scene_call *next_call(struct scene *scene)
{
	struct scene_call *spare = &((struct store *)scene)->call;
	void *grown = grow(scene, scene->calls, scene->call_count, sizeof(*spare));

	if (!grown)
		return memset(spare, 0, sizeof(*spare));
	scene->calls = grown;
	return &scene->calls[scene->call_count++];
}

struct scene_call *scene_add_call(struct scene *scene, int lane, uint32_t tid)
{
	struct scene_call *call = next_call(scene);

	call->lane = lane;
	call->tid = tid;
	call->name = call->result = call->object = empty;
	call->level_of = SCENE_NONE;
	return call;
}

const char *scene_lane_number(const struct scene_lane *lane, char buf[SCENE_NUMBER])
{
	*buf = '\0';
	if (lane->tid)
		snprintf(buf, SCENE_NUMBER, "%" PRIu32 "/%" PRIu32, lane->pid, lane->tid);
	else if (lane->pid)
		snprintf(buf, SCENE_NUMBER, "%" PRIu32, lane->pid);
	return buf;
}

/* Formatted and harmless; `empty` where there is no memory. */
static char *text_of(struct scene *scene, const char *format, va_list args)
{
	char *raw = NULL;
	char *text = NULL;
	int len = vasprintf(&raw, format, args);

	if (len >= 0)
		text = scene_harmless(raw, (size_t)len);
	free(len >= 0 ? raw : NULL);
	if (!text)
		scene->failed = true;
	return text ? text : empty;
}

/* Formatted and harmless; `empty` where there is no memory. */
static char *text_from(struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static char *text_from(struct scene *scene, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = text_of(scene, format, args);
	va_end(args);
	return text;
}

void scene_add_mark_line(struct scene *scene, struct scene_mark *mark, const char *line)
{
	void *grown = grow(scene, mark->lines, mark->line_count, sizeof(*mark->lines));

	if (!grown)
		return;
	mark->lines = grown;
	mark->lines[mark->line_count++] = text_from(scene, "%s", line);
}

void scene_add_note(struct scene *scene, const char *format, ...)
{
	void *grown = grow(scene, scene->notes, scene->note_count, sizeof(*scene->notes));
	va_list args;

	if (!grown)
		return;
	scene->notes = grown;
	va_start(args, format);
	scene->notes[scene->note_count++] = text_of(scene, format, args);
	va_end(args);
}

void scene_set(struct scene *scene, char **slot, const char *format, ...)
{
	char *old = *slot;
	va_list args;

	if (scene->failed)
		return;
	va_start(args, format);
	*slot = text_of(scene, format, args);
	va_end(args);
	free_text(old);
}

void scene_append(struct scene *scene, char **slot, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = text_of(scene, format, args);
	va_end(args);
	if (**slot)
		scene_set(scene, slot, "%s, %s", *slot, text);
	else
		scene_set(scene, slot, "%s", text);
	free_text(text);
}
