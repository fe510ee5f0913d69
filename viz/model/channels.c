// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Builds channels from `channel` and `mapping` lines; a later line of a channel adds to earlier
 * ones.
 */
#include "viz/model/builder.h"

#define OUTSIDERS_MAX 64 /* per channel: a bound against hostile traces */
#define HELD_OUTSIDE_MAX 256

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
	struct viz_bytes comm = json_string(json_member(value->json, "comm"));
	struct viz_bytes access = json_string(json_member(value->json, "access"));
	uint64_t pid;
	int64_t fd;

	if (!value->present || !reader_uint(json_member(value->json, "pid"), &pid) ||
	    pid > UINT32_MAX)
		return false;
	*outsider = (struct viz_outsider){.pid = (uint32_t)pid, .fd = -1};
	if (comm.data)
		outsider->comm = build_intern(b, comm);
	if (reader_nearest(json_member(value->json, "fd"), &fd) && fd >= 0 && fd <= INT32_MAX)
		outsider->fd = (int32_t)fd;
	if (access.data)
		outsider->access = access_by_name(access.data);
	return true;
}

/* A channel may have several lines, each of which names one outsider. */
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

/* To be filled in: few channels have one of their own. */
static struct viz_glimpse *own_glimpse(struct model_builder *b, struct viz_channel *channel)
{
	if (channel->glimpse->none)
		channel->glimpse = arena_alloc(b->arena, sizeof(*channel->glimpse));
	return (struct viz_glimpse *)channel->glimpse;
}

static void add_flight(struct model_builder *b, struct viz_channel *channel)
{
	const struct trace_value *value = VALUE(channel, in_flight);
	struct viz_bytes socket = json_string(json_member(value->json, "channel"));
	struct viz_bytes access = json_string(json_member(value->json, "access"));
	struct viz_glimpse *glimpse;
	struct viz_flight flight;

	if (!value->present || !socket.data || !access.data ||
	    channel->glimpse->flight_count >= OUTSIDERS_MAX)
		return;
	flight.socket = build_channel(b, socket);
	flight.access = access_by_name(access.data);
	glimpse = own_glimpse(b, channel);
	ARENA_PUSH(b->arena, glimpse->flights, glimpse->flight_count, flight);
}

/* After another connect(2), datagrams of the former peer may still be received. */
static void set_peer_address(struct model_builder *b, struct viz_channel *channel)
{
	struct viz_bytes before = channel->peer_address;

	set_string(b, FIELD_channel_peer_address, &channel->peer_address);
	channel->peer_changed |= before.len && !viz_bytes_equal(before, channel->peer_address);
}

/* Of what others come to by its name or address. */
static void set_named(const struct model_builder *b, struct viz_channel *channel, uint64_t at_ns)
{
	if (VALUE(channel, listening)->present)
		channel->listening = VALUE(channel, listening)->flag;
	if (VALUE(channel, removed)->present)
		channel->removed = VALUE(channel, removed)->flag;
	if (!VALUE(channel, backlog)->present)
		return;
	channel->backlog_known = true;
	channel->backlog = VALUE(channel, backlog)->number;
	channel->backlog_ns = at_ns;
}

/* What only a glance tells of the users of an object, and of what it is worth. */
static void add_glimpse(struct model_builder *b, struct viz_channel *channel)
{
	struct viz_glimpse *glimpse;

	if (VALUE(channel, types)->present) {
		glimpse = own_glimpse(b, channel);
		glimpse->types = build_uints(b, FIELD_channel_types, &glimpse->types_count);
	}
	if (VALUE(channel, users)->present) {
		glimpse = own_glimpse(b, channel);
		glimpse->users = build_uints(b, FIELD_channel_users, &glimpse->users_count);
		glimpse->users_known = true;
	}
	if (VALUE(channel, last_user)->present)
		own_glimpse(b, channel)->last_user = build_u32(b, FIELD_channel_last_user);
	if (VALUE(channel, zero_waiter)->present &&
	    channel->glimpse->zero_waiter_count < OUTSIDERS_MAX) {
		glimpse = own_glimpse(b, channel);
		ARENA_PUSH(b->arena, glimpse->zero_waiters, glimpse->zero_waiter_count,
			   build_u32(b, FIELD_channel_zero_waiter));
	}
	if (VALUE(channel, value)->present) {
		glimpse = own_glimpse(b, channel);
		glimpse->value = VALUE(channel, value)->number;
		glimpse->value_known = true;
	}
	if (VALUE(channel, disarmed)->flag)
		own_glimpse(b, channel)->disarmed = true;
}

/* The same of a socket. */
static void add_glimpse_of_socket(struct model_builder *b, struct viz_channel *channel)
{
	if (VALUE(channel, peer_ended)->present)
		own_glimpse(b, channel)->peer_ended = VALUE(channel, peer_ended)->flag;
	if (VALUE(channel, sent)->present)
		own_glimpse(b, channel)->sent = VALUE(channel, sent)->number;
	if (VALUE(channel, unread)->present)
		own_glimpse(b, channel)->unread = VALUE(channel, unread)->number;
	if (VALUE(channel, unread_more)->flag)
		own_glimpse(b, channel)->unread_more = true;
	if (VALUE(channel, packet_ns)->present)
		own_glimpse(b, channel)->packet_ns = build_time(b, FIELD_channel_packet_ns);
	if (VALUE(channel, sent_ns)->present)
		own_glimpse(b, channel)->sent_ns = build_time(b, FIELD_channel_sent_ns);
	if (VALUE(channel, received_ns)->present)
		own_glimpse(b, channel)->received_ns = build_time(b, FIELD_channel_received_ns);
}

void build_channel_line(struct model_builder *b)
{
	struct viz_channel *channel = build_channel(b, VALUE(channel, id)->bytes);
	uint64_t at_ns = build_time(b, FIELD_channel_at_ns);

	if (channel->at_ns == 0)
		channel->at_ns = at_ns;
	if (channel->mechanism == MECH_NONE) /* the mechanism of a channel never changes */
		channel->mechanism = (enum mechanism)VALUE(channel, mechanism)->number;
	set_string(b, FIELD_channel_name, &channel->name);
	set_string(b, FIELD_channel_key, &channel->key);
	set_string(b, FIELD_channel_local_address, &channel->local_address);
	set_string(b, FIELD_channel_interface, &channel->interface);
	set_string(b, FIELD_channel_protocol, &channel->protocol);
	set_string(b, FIELD_channel_groups, &channel->groups);
	set_peer_address(b, channel);
	if (VALUE(channel, stock)->present && !channel->stock_known) {
		channel->stock_known = true;
		channel->stock = VALUE(channel, stock)->number;
		channel->stock_ns = at_ns;
	}
	set_number(VALUE(channel, inode), &channel->inode);
	set_number(VALUE(channel, capacity), &channel->capacity);
	set_number(VALUE(channel, network), &channel->network);
	if (VALUE(channel, peer)->present)
		channel->peer = build_channel(b, VALUE(channel, peer)->bytes);
	if (VALUE(channel, memory)->present)
		channel->memory = build_channel(b, VALUE(channel, memory)->bytes);
	add_glimpse(b, channel);
	add_glimpse_of_socket(b, channel);
	channel->held_outside = &b->model->held_outside;
	add_flight(b, channel);
	add_outsider(b, channel);
	add_stranger(b, channel);
	if (VALUE(channel, end)->present)
		channel->master = viz_bytes_equal(VALUE(channel, end)->bytes,
						  viz_bytes_of("master"));
	set_named(b, channel, at_ns);
	b->channel = channel;
}

/*
 * A process had the memory mapped before it was traced, so any process may have written what lies
 * in it.
 */
void build_mapping_line(struct model_builder *b)
{
	struct viz_channel *channel = build_channel(b, VALUE(mapping, channel)->bytes);
	uint64_t at_ns = build_time(b, FIELD_mapping_at_ns);
	struct viz_process *process = build_process(b, build_u32(b, FIELD_mapping_pid), at_ns);

	if (!channel || !process)
		return;
	channel->found = true;
	ARENA_PUSH(b->arena, b->model->mappings, b->model->mapping_count,
		   ((struct viz_mapping){at_ns, process, channel}));
}
