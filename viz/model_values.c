// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From a line's checked values to the model's own memory. */
#include "model_build.h"

#define OUTSIDERS_MAX 64 /* of one channel: hostile traces have many */
#define HELD_OUTSIDE_MAX 256

const struct trace_value *build_value(const struct model_builder *b, enum field field)
{
	return &b->line->values[field];
}

static void fail_field(struct model_builder *b, enum field field, const char *why)
{
	if (!b->err)
		b->err = reader_fail(b->reader, "\"%s\" %s", field_info(field)->key, why);
}

uint32_t build_u32(struct model_builder *b, enum field field)
{
	uint64_t number = build_value(b, field)->number;

	if (number > UINT32_MAX)
		fail_field(b, field, "is above 2^32");
	return (uint32_t)number;
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
		map_put(b->arena, &b->strings, bytes, (void *)copy.data);
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
	const cJSON *element;

	*count = 0;
	if (!value->present)
		return NULL;
	cJSON_ArrayForEach(element, value->json)
	{
		if (!reader_bytes(element, &bytes)) {
			fail_field(b, field, "holds bad base64");
			break;
		}
		ARENA_PUSH(b->into, list, *count, arena_bytes(b->into, bytes.data, bytes.len));
	}
	return list;
}

uint64_t *build_uints(struct model_builder *b, enum field field, size_t *count)
{
	const struct trace_value *value = build_value(b, field);
	uint64_t *list = NULL, number;
	const cJSON *element;

	*count = 0;
	if (!value->present)
		return NULL;
	cJSON_ArrayForEach(element, value->json)
	{
		if (reader_uint(element, &number))
			ARENA_PUSH(b->into, list, *count, number);
	}
	return list;
}

static bool build_fd(struct model_builder *b, const cJSON *json, struct viz_fd *fd)
{
	struct viz_bytes id;
	int64_t number;

	if (!reader_int(cJSON_GetObjectItemCaseSensitive(json, "fd"), &number))
		return false;
	if (number < INT32_MIN || number > INT32_MAX)
		return false;
	if (!reader_bytes(cJSON_GetObjectItemCaseSensitive(json, "channel"), &id))
		return false;
	fd->fd = (int32_t)number;
	fd->channel = build_channel(b, id);
	fd->access = access_by_name(cJSON_GetObjectItemCaseSensitive(json, "access")->valuestring);
	return true;
}

struct viz_fd *build_fds(struct model_builder *b, enum field field, size_t *count)
{
	const struct trace_value *value = build_value(b, field);
	struct viz_fd *list = NULL, fd;
	const cJSON *element;

	*count = 0;
	if (!value->present)
		return NULL;
	cJSON_ArrayForEach(element, value->json)
	{
		if (!build_fd(b, element, &fd)) {
			fail_field(b, field, "holds a bad descriptor");
			break;
		}
		ARENA_PUSH(b->into, list, *count, fd);
	}
	return list;
}

static bool build_wait(struct model_builder *b, const cJSON *json, struct viz_wait *wait)
{
	const cJSON *channel = cJSON_GetObjectItemCaseSensitive(json, "channel"), *event;
	struct viz_bytes id;
	int64_t number;

	*wait = (struct viz_wait){0};
	if (!reader_int(cJSON_GetObjectItemCaseSensitive(json, "fd"), &number) ||
	    number < INT32_MIN || number > INT32_MAX)
		return false;
	if (channel && !reader_bytes(channel, &id))
		return false;
	wait->fd = (int32_t)number;
	wait->channel = channel ? build_channel(b, id) : NULL;
	cJSON_ArrayForEach(event, cJSON_GetObjectItemCaseSensitive(json, "events"))
	{
		wait->events |= 1U << poll_event_by_name(event->valuestring);
	}
	return true;
}

struct viz_wait *build_waits(struct model_builder *b, enum field field, size_t *count)
{
	const struct trace_value *value = build_value(b, field);
	struct viz_wait *list = NULL, wait;
	const cJSON *element;

	*count = 0;
	if (!value->present)
		return NULL;
	cJSON_ArrayForEach(element, value->json)
	{
		if (!build_wait(b, element, &wait)) {
			fail_field(b, field, "holds a bad descriptor");
			break;
		}
		ARENA_PUSH(b->into, list, *count, wait);
	}
	return list;
}

struct viz_channel *build_channel(struct model_builder *b, struct viz_bytes id)
{
	struct viz_channel *channel = map_get(&b->model->index->channels, id);

	if (channel)
		return channel;
	channel = arena_alloc(b->arena, sizeof(*channel));
	channel->index = b->model->channel_count;
	channel->id = arena_bytes(b->arena, id.data, id.len);
	map_put(b->arena, &b->model->index->channels, id, channel);
	ARENA_PUSH(b->arena, b->model->channels, b->model->channel_count, channel);
	return channel;
}

static void set_number(const struct trace_value *value, uint64_t *target)
{
	if (value->present)
		*target = value->number;
}

static void set_string(struct model_builder *b, enum field field, struct viz_bytes *target)
{
	if (build_value(b, field)->present)
		*target = build_string(b, field);
}

static bool build_outsider(struct model_builder *b, const struct trace_value *value,
			   struct viz_outsider *outsider)
{
	const cJSON *comm = cJSON_GetObjectItemCaseSensitive(value->json, "comm");
	const cJSON *access = cJSON_GetObjectItemCaseSensitive(value->json, "access");
	const cJSON *fd = cJSON_GetObjectItemCaseSensitive(value->json, "fd");
	uint64_t pid;

	if (!value->present ||
	    !reader_uint(cJSON_GetObjectItemCaseSensitive(value->json, "pid"), &pid) ||
	    pid > UINT32_MAX)
		return false;
	*outsider = (struct viz_outsider){.pid = (uint32_t)pid, .fd = -1};
	if (cJSON_IsString(comm))
		outsider->comm = build_intern(b, viz_bytes_of(comm->valuestring));
	if (cJSON_IsNumber(fd) && fd->valuedouble >= 0 && fd->valuedouble <= INT32_MAX)
		outsider->fd = fd->valueint;
	if (cJSON_IsString(access))
		outsider->access = access_by_name(access->valuestring);
	return true;
}

/* A later line of the same channel adds to what the earlier said. */
static void add_outsider(struct model_builder *b, struct viz_channel *channel)
{
	struct viz_outsider outsider;

	if (!build_outsider(b, VALUE(channel, outside), &outsider))
		return;
	for (size_t i = 0; i < channel->outsider_count; i++)
		if (channel->outsiders[i].pid == outsider.pid)
			return;
	if (channel->outsider_count < OUTSIDERS_MAX)
		ARENA_PUSH(b->arena, channel->outsiders, channel->outsider_count, outsider);
}

static void add_stranger(struct model_builder *b, struct viz_channel *channel)
{
	struct viz_sockets *held = &b->model->held_outside;
	struct viz_outsider stranger;

	if (!build_outsider(b, VALUE(channel, held_outside), &stranger) ||
	    channel->stranger_count >= OUTSIDERS_MAX)
		return;
	ARENA_PUSH(b->arena, channel->strangers, channel->stranger_count, stranger);
	if (channel->mechanism == MECH_UDP && channel->stranger_count == 1 &&
	    held->count < HELD_OUTSIDE_MAX)
		ARENA_PUSH(b->arena, held->items, held->count, channel);
}

static void add_flight(struct model_builder *b, struct viz_channel *channel)
{
	const struct trace_value *value = VALUE(channel, in_flight);
	const cJSON *socket = cJSON_GetObjectItemCaseSensitive(value->json, "channel");
	const cJSON *access = cJSON_GetObjectItemCaseSensitive(value->json, "access");
	struct viz_flight flight;

	if (!value->present || !cJSON_IsString(socket) || !cJSON_IsString(access) ||
	    channel->glimpse.flight_count >= OUTSIDERS_MAX)
		return;
	flight.socket = build_channel(b, viz_bytes_of(socket->valuestring));
	flight.access = access_by_name(access->valuestring);
	ARENA_PUSH(b->arena, channel->glimpse.flights, channel->glimpse.flight_count, flight);
}

void build_channel_line(struct model_builder *b)
{
	struct viz_channel *channel = build_channel(b, VALUE(channel, id)->bytes);
	uint64_t at_ns = build_time(b, FIELD_channel_at_ns);

	if (channel->at_ns == 0)
		channel->at_ns = at_ns;
	if (channel->mechanism == MECH_NONE) /* what it is does not change */
		channel->mechanism = (enum mechanism)VALUE(channel, mechanism)->number;
	set_string(b, FIELD_channel_name, &channel->name);
	set_string(b, FIELD_channel_key, &channel->key);
	set_string(b, FIELD_channel_local_address, &channel->local_address);
	set_string(b, FIELD_channel_protocol, &channel->protocol);
	set_string(b, FIELD_channel_groups, &channel->groups);
	set_string(b, FIELD_channel_peer_address, &channel->peer_address);
	set_number(VALUE(channel, inode), &channel->inode);
	set_number(VALUE(channel, capacity), &channel->capacity);
	set_number(VALUE(channel, network), &channel->network);
	if (VALUE(channel, peer)->present)
		channel->peer = build_channel(b, VALUE(channel, peer)->bytes);
	if (VALUE(channel, types)->present)
		channel->glimpse.types = build_uints(b, FIELD_channel_types,
						     &channel->glimpse.types_count);
	if (VALUE(channel, memory)->present)
		channel->memory = build_channel(b, VALUE(channel, memory)->bytes);
	if (VALUE(channel, users)->present) {
		channel->glimpse.users = build_uints(b, FIELD_channel_users,
						     &channel->glimpse.users_count);
		channel->glimpse.users_known = true;
	}
	if (VALUE(channel, last_user)->present)
		channel->glimpse.last_user = build_u32(b, FIELD_channel_last_user);
	channel->held_outside = &b->model->held_outside;
	add_flight(b, channel);
	add_outsider(b, channel);
	add_stranger(b, channel);
	if (VALUE(channel, end)->present)
		channel->master = viz_bytes_equal(VALUE(channel, end)->bytes,
						  viz_bytes_of("master"));
	if (VALUE(channel, listening)->present)
		channel->listening = VALUE(channel, listening)->flag;
	if (VALUE(channel, peer_ended)->present)
		channel->glimpse.peer_ended = VALUE(channel, peer_ended)->flag;
	set_number(VALUE(channel, sent), &channel->glimpse.sent);
	b->channel = channel;
}

/* Somebody shared it before: what lies in it may be anybody's. */
void build_mapping_line(struct model_builder *b)
{
	struct viz_channel *channel = build_channel(b, VALUE(mapping, channel)->bytes);

	build_process(b, build_u32(b, FIELD_mapping_pid), build_time(b, FIELD_mapping_at_ns));
	channel->found = true;
}
