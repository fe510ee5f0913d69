// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Kernel objects: the channel and descriptors lines. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "encode.h"

/* A kernel object whose description was lost is named all the same. */
static void channel_bare(struct encoder *encoder, struct object *object)
{
	struct json *json = &encoder->json;

	object->described = true;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), object->id);
	json_field_uint(json, KEY(channel, at_ns), encoder->now_ns);
	json_field_text(json, KEY(channel, mechanism), mechanism_info(object->mechanism)->name);
	line_end(json);
}

const char *channel_of(struct encoder *encoder, const struct wire_ref *ref,
		       enum mechanism mechanism)
{
	struct object *object = objects_get(encoder->objects, *ref, mechanism);

	if (!object)
		return NULL;
	if (!object->described)
		channel_bare(encoder, object);
	return object->id;
}

/* POSIX queues are named /name, the abstract names of sockets begin with a NUL byte. */
static void name_field(struct json *json, const struct wire_object *record)
{
	char name[WIRE_NAME_LEN + 1];
	size_t len = record->name_len, at = 0;

	if (len == 0 || len > WIRE_NAME_LEN)
		return;
	if (record->mechanism == MECH_POSIX_MQ)
		name[at++] = '/';
	for (size_t i = 0; i < len && at < sizeof(name); i++)
		name[at++] = record->name[i];
	if (name[0] == 0)
		name[0] = '@';
	else if (name[at - 1] == 0)
		at--; /* a path that was bound with its NUL */
	json_field_bytes(json, KEY(channel, name), name, at);
}

static void addresses_fields(struct json *json, const struct wire_object *record)
{
	char text[80];

	if (record->family != AF_INET && record->family != AF_INET6)
		return;
	if (record->local_port && endpoint_text(text, sizeof(text), record->family,
						record->local_address, record->local_port))
		json_field_text(json, KEY(channel, local_address), text);
	if (record->peer_port && endpoint_text(text, sizeof(text), record->family,
					       record->peer_address, record->peer_port))
		json_field_text(json, KEY(channel, peer_address), text);
	json_field_uint(json, KEY(channel, network), record->network);
}

static bool has_inode(enum mechanism mechanism)
{
	return mechanism != MECH_SYSV_MSG && mechanism != MECH_EVENTFD && mechanism != MECH_EPOLL;
}

/*
 * A peer without a number, met when a socket first has a peer, is the connection that its server
 * has yet to accept: a new socket, whatever lay at its address before.
 */
static const char *peer_of(struct encoder *encoder, const struct wire_object *record,
			   struct object *object)
{
	struct object *peer;

	if (!record->peer.address)
		return NULL;
	if (record->peer.number == 0 && !object->has_peer)
		peer = objects_make(encoder->objects, record->peer, object->mechanism);
	else
		peer = objects_get(encoder->objects, record->peer, object->mechanism);
	object->has_peer = true;
	if (peer && !peer->described)
		channel_bare(encoder, peer);
	return peer ? peer->id : NULL;
}

void encode_object(struct encoder *encoder, const struct wire_object *record)
{
	struct json *json = &encoder->json;
	struct object *object = objects_get(encoder->objects, record->ref, record->mechanism);
	const char *peer;
	char key[16];

	if (!object)
		return;
	encoder->now_ns = record->at_ns;
	peer = peer_of(encoder, record, object);
	object->described = true;
	object->local_port = record->local_port;
	object->peer_port = record->peer_port;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), object->id);
	json_field_uint(json, KEY(channel, at_ns), record->at_ns);
	json_field_text(json, KEY(channel, mechanism), mechanism_info(record->mechanism)->name);
	name_field(json, record);
	if (has_inode(record->mechanism) && record->ref.number)
		json_field_uint(json, KEY(channel, inode), record->ref.number);
	if (record->has_key) {
		snprintf(key, sizeof(key), "0x%08x", (unsigned)record->key);
		json_field_text(json, KEY(channel, key), key);
	}
	if (record->capacity)
		json_field_uint(json, KEY(channel, capacity), record->capacity);
	addresses_fields(json, record);
	if (peer)
		json_field_text(json, KEY(channel, peer), peer);
	if (record->listening)
		json_field_bool(json, KEY(channel, listening), true);
	line_end(json);
}

void fds_value(struct encoder *encoder, const struct wire_fd *fds, size_t count)
{
	struct json *json = &encoder->json;

	json_array(json);
	for (size_t i = 0; i < count; i++) {
		struct object *object;

		if (fds[i].mechanism == MECH_NONE)
			continue;
		object = objects_get(encoder->objects, fds[i].object, fds[i].mechanism);
		if (!object)
			continue;
		json_object(json);
		json_field_uint(json, "fd", (uint64_t)fds[i].fd);
		json_field_text(json, "channel", object->id);
		json_field_text(json, "access", access_name(fds[i].access));
		json_end_object(json);
	}
	json_end_array(json);
}

/* Kept for the operation's own line, which comes next. */
static void rights_keep(struct encoder *encoder, const struct wire_descriptors *record,
			size_t count)
{
	struct call *call = calls_of_thread(encoder->calls, record->head.tid);

	if (!call)
		return;
	memcpy(call->rights, record->fds, count * sizeof(record->fds[0]));
	call->rights_count = (unsigned)count;
}

static enum process_event descriptors_event(const struct wire_descriptors *record)
{
	if (record->event == WIRE_SNAPSHOT)
		return PROCESS_EVENT_SNAPSHOT;
	return record->event == WIRE_EXIT ? PROCESS_EVENT_EXIT : PROCESS_EVENT_EXEC;
}

void encode_descriptors(struct encoder *encoder, const struct wire_descriptors *record)
{
	struct json *json = &encoder->json;
	size_t count = record->count <= WIRE_FDS ? record->count : WIRE_FDS;

	encoder->now_ns = record->at_ns;
	for (size_t i = 0; i < count; i++)
		channel_of(encoder, &record->fds[i].object, record->fds[i].mechanism);
	if (record->event == WIRE_RIGHTS) {
		rights_keep(encoder, record, count);
		return;
	}
	line_begin(json, RECORD_descriptors);
	json_field_text(json, KEY(descriptors, event),
			process_event_name(descriptors_event(record)));
	json_field_uint(json, KEY(descriptors, at_ns), record->at_ns);
	json_field_uint(json, KEY(descriptors, pid), record->head.pid);
	json_key(json, KEY(descriptors, fds));
	fds_value(encoder, record->fds, count);
	if (record->more)
		json_field_bool(json, KEY(descriptors, more), true);
	if (record->cut)
		json_field_bool(json, KEY(descriptors, cut), true);
	line_end(json);
}
