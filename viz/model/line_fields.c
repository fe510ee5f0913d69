// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copies the checked values of a line into the model's own memory. */
#include "viz/model/builder.h"

uint32_t build_u32(const struct model_builder *b, enum field field)
{
	return (uint32_t)build_value(b, field)->number;
}

uint64_t build_time(struct model_builder *b, enum field field)
{
	uint64_t at_ns = build_value(b, field)->number;

	if (at_ns > b->model->end_ns)
		b->model->end_ns = at_ns;
	return at_ns;
}

struct viz_bytes build_intern(struct model_builder *b, struct viz_bytes bytes)
{
	const char *data;

	if (!bytes.data)
		return bytes;
	data = map_get(&b->strings, bytes);
	if (!data) {
		struct viz_bytes copy = arena_bytes(b->arena, bytes.data, bytes.len);

		data = copy.data;
		map_put_lasting(b->arena, &b->strings, copy, (void *)copy.data);
	}
	return (struct viz_bytes){data, bytes.len};
}

struct viz_bytes build_string(struct model_builder *b, enum field field)
{
	return build_intern(b, build_value(b, field)->bytes);
}

struct viz_bytes build_bytes(struct model_builder *b, enum field field)
{
	const struct trace_value *value = build_value(b, field);

	if (!value->present)
		return (struct viz_bytes){NULL, 0};
	return arena_bytes(b->into, value->bytes.data, value->bytes.len);
}

struct viz_bytes *build_list(struct model_builder *b, enum field field, size_t *count)
{
	const struct trace_value *value = build_value(b, field);
	struct viz_bytes *list = NULL, bytes;
	const struct json_node *element;

	*count = 0;
	if (!value->present)
		return NULL;
	json_for_each(element, value->json)
	{
		if (reader_bytes(element, &bytes))
			ARENA_PUSH(b->into, list, *count,
				   arena_bytes(b->into, bytes.data, bytes.len));
	}
	return list;
}

bool build_list_has(const struct model_builder *b, enum field field, const char *word)
{
	const struct trace_value *value = build_value(b, field);
	const struct json_node *element;

	if (!value->present)
		return false;
	json_for_each(element, value->json)
	{
		if (viz_bytes_equal(json_string(element), viz_bytes_of(word)))
			return true;
	}
	return false;
}

uint64_t *build_uints(struct model_builder *b, enum field field, size_t *count)
{
	const struct trace_value *value = build_value(b, field);
	uint64_t *list = NULL, number;
	const struct json_node *element;

	*count = 0;
	if (!value->present)
		return NULL;
	json_for_each(element, value->json)
	{
		if (reader_uint(element, &number))
			ARENA_PUSH(b->into, list, *count, number);
	}
	return list;
}

static bool build_fd(struct model_builder *b, const struct json_node *json, struct viz_fd *fd)
{
	struct viz_bytes id;
	int64_t number;

	if (!reader_int(json_member(json, "fd"), &number))
		return false;
	if (!reader_bytes(json_member(json, "channel"), &id))
		return false;
	fd->fd = (int32_t)number;
	fd->channel = build_channel(b, id);
	fd->access = access_by_name(json_string(json_member(json, "access")).data);
	fd->last = json_member_is_true(json, "last");
	return true;
}

struct viz_fd *build_fds(struct model_builder *b, enum field field, size_t *count)
{
	const struct trace_value *value = build_value(b, field);
	struct viz_fd *list = NULL, fd;
	const struct json_node *element;

	*count = 0;
	if (!value->present)
		return NULL;
	json_for_each(element, value->json)
	{
		if (build_fd(b, element, &fd))
			ARENA_PUSH(b->into, list, *count, fd);
	}
	return list;
}

static bool build_wait(struct model_builder *b, const struct json_node *json, struct viz_wait *wait)
{
	const struct json_node *channel = json_member(json, "channel"), *event;
	struct viz_bytes id;
	int64_t number;

	*wait = (struct viz_wait){0};
	if (!reader_int(json_member(json, "fd"), &number))
		return false;
	if (channel && !reader_bytes(channel, &id))
		return false;
	wait->fd = (int32_t)number;
	wait->channel = channel ? build_channel(b, id) : NULL;
	json_for_each(event, json_member(json, "events"))
	{
		wait->events |= 1U << poll_event_by_name(event->text.data);
	}
	return true;
}

struct viz_wait *build_waits(struct model_builder *b, enum field field, size_t *count)
{
	const struct trace_value *value = build_value(b, field);
	struct viz_wait *list = NULL, wait;
	const struct json_node *element;

	*count = 0;
	if (!value->present)
		return NULL;
	json_for_each(element, value->json)
	{
		if (build_wait(b, element, &wait))
			ARENA_PUSH(b->into, list, *count, wait);
	}
	return list;
}

struct viz_channel *build_channel(struct model_builder *b, struct viz_bytes id)
{
	static const struct viz_glimpse none = {.none = true};
	struct viz_channel *channel = map_get(&b->model->index->channels, id);

	if (channel)
		return channel;
	channel = arena_alloc(b->arena, sizeof(*channel));
	channel->index = b->model->channel_count;
	channel->glimpse = &none;
	channel->id = arena_bytes(b->arena, id.data, id.len);
	map_put_lasting(b->arena, &b->model->index->channels, channel->id, channel);
	ARENA_PUSH(b->arena, b->model->channels, b->model->channel_count, channel);
	return channel;
}
