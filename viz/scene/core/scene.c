// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Makes, fills and frees scenes. Texts lie in the arena; lists do not, since they grow. */
#include "viz/scene/scene.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/arena.h"
#include "viz/base/safe_text.h"

/* The value of every string that was not set; never written. */
static char empty[] = "";

struct scene *scene_new(void)
{
	struct arena *arena = arena_new();
	struct scene *scene = arena_alloc(arena, sizeof(*scene));

	scene->arena = arena;
	scene->command = scene->traffic = empty;
	return scene;
}

void scene_free(struct scene *scene)
{
	if (!scene)
		return;
	free(scene->lanes);
	free(scene->rows);
	free(scene->bars);
	free(scene->channels);
	free(scene->marks);
	free(scene->objects);
	free(scene->facts);
	free(scene->calls);
	free(scene->memories);
	free(scene->notes);
	arena_free(scene->arena);
}

/* The list with room for one more element, which is zeroed. The capacity is a power of 2. */
static void *grow(void *list, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0)
		list = memory_resize(list, count ? count * 2 : 1, size);
	memset((char *)list + count * size, 0, size);
	return list;
}

/* Appends a zeroed element to a list and gives a pointer to it. */
#define NEXT(list, count) ((list) = grow((list), (count), sizeof(*(list))), &(list)[(count)++])

struct scene_lane *scene_add_lane(struct scene *scene, const char *title, uint32_t pid)
{
	struct scene_lane *lane = NEXT(scene->lanes, scene->lane_count);

	lane->title = empty;
	lane->pid = pid;
	lane->last_row = SCENE_NO_ROW;
	scene_set(scene, &lane->title, "%s", title);
	return lane;
}

struct scene_row *scene_add_row(struct scene *scene, enum scene_kind kind, int from, int to)
{
	struct scene_row *row = NEXT(scene->rows, scene->row_count);

	row->kind = kind;
	row->from = from;
	row->to = to;
	row->label = row->brief = row->notice_label = row->payload = row->detail = empty;
	row->behind = empty;
	row->outside = row->channel = empty;
	row->tail = row->head = (struct scene_brace){SCENE_NO_ROW, SCENE_NO_ROW};
	row->left_ns = row->arrived_ns = SCENE_NEVER;
	return row;
}

struct scene_bar *scene_add_bar(struct scene *scene, int lane, enum scene_bar_kind kind)
{
	struct scene_bar *bar = NEXT(scene->bars, scene->bar_count);

	bar->lane = lane;
	bar->kind = kind;
	return bar;
}

struct scene_channel *scene_add_channel(struct scene *scene, enum mechanism mechanism)
{
	struct scene_channel *channel = NEXT(scene->channels, scene->channel_count);

	channel->mechanism = mechanism;
	channel->name = channel->route = channel->traffic = channel->latency = empty;
	return channel;
}

struct scene_mark *scene_add_mark(struct scene *scene, enum severity severity)
{
	struct scene_mark *mark = NEXT(scene->marks, scene->mark_count);

	mark->severity = severity;
	mark->row = SCENE_NO_ROW;
	mark->lane = SCENE_NOWHERE;
	mark->id = mark->text = mark->advice = mark->channel = empty;
	return mark;
}

struct scene_object *scene_add_object(struct scene *scene, enum mechanism mechanism)
{
	struct scene_object *object = NEXT(scene->objects, scene->object_count);

	object->mechanism = mechanism;
	object->name = empty;
	object->peer = SCENE_NONE;
	object->ended_ns = SCENE_NEVER;
	return object;
}

struct scene_message *scene_add_message(struct scene *scene, int from, int to)
{
	struct scene_message *message = NEXT(scene->facts, scene->fact_count);

	message->from = from;
	message->to = to;
	message->object = message->send = message->receive = SCENE_NONE;
	message->sent_ns = message->received_ns = SCENE_NEVER;
	message->label = empty;
	return message;
}

struct scene_call *scene_add_call(struct scene *scene, int lane, uint32_t tid)
{
	struct scene_call *call = NEXT(scene->calls, scene->call_count);

	call->lane = lane;
	call->tid = tid;
	call->name = call->result = call->object = empty;
	call->level_of = SCENE_NONE;
	return call;
}

struct scene_memory *scene_add_memory(struct scene *scene, enum mechanism mechanism)
{
	struct scene_memory *memory = NEXT(scene->memories, scene->memory_count);

	memory->mechanism = mechanism;
	memory->name = empty;
	return memory;
}

struct scene_haver *scene_add_haver(struct scene *scene, struct scene_memory *memory)
{
	struct scene_haver haver = {.lane = SCENE_NOWHERE, .name = empty, .how = empty};

	ARENA_PUSH(scene->arena, memory->havers, memory->haver_count, haver);
	return &memory->havers[memory->haver_count - 1];
}

const char *scene_lane_number(const struct scene_lane *lane, char buf[SCENE_NUMBER])
{
	const uint32_t base = lane->pid_base;
	int len = 0;

	*buf = '\0';
	if (lane->tid)
		len = snprintf(buf, SCENE_NUMBER, "%" PRIu32 "/%" PRIu32, lane->pid - base,
			       lane->tid - base);
	else if (lane->pid)
		len = snprintf(buf, SCENE_NUMBER, "%" PRIu32, lane->pid - base);
	if (len && lane->ns_pid)
		snprintf(buf + len, SCENE_NUMBER - (size_t)len, " ns:%" PRIu32,
			 lane->ns_pid - base);
	return buf;
}

/* Formatted and made harmless; in the scene's arena. */
static char *text_of(struct scene *scene, const char *format, va_list args)
{
	char *raw = memory_vformat(scene_say(scene, format), args);
	char *text = scene_harmless(raw, strlen(raw));
	struct viz_bytes kept = arena_bytes(scene->arena, text, strlen(text));

	free(raw);
	free(text);
	return (char *)kept.data;
}

void scene_add_mark_line(struct scene *scene, struct scene_mark *mark, const char *line)
{
	char *text = NULL;

	scene_set(scene, &text, "%s", line);
	ARENA_PUSH(scene->arena, mark->lines, mark->line_count, text);
}

void scene_add_note(struct scene *scene, const char *format, ...)
{
	char **slot = NEXT(scene->notes, scene->note_count);
	va_list args;

	va_start(args, format);
	*slot = text_of(scene, format, args);
	va_end(args);
}

void scene_set(struct scene *scene, char **slot, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*slot = text_of(scene, format, args);
	va_end(args);
}

void scene_append(struct scene *scene, char **slot, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = memory_vformat(scene_say(scene, format), args);
	va_end(args);
	if (**slot)
		scene_set(scene, slot, "%s, %s", *slot, text);
	else
		scene_set(scene, slot, "%s", text);
	free(text);
}
