// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes the lines about kernel objects: channel and descriptors lines. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "user/encode/encode.h"

/* Both ends of a terminal carry the slave's name, for a master has none of its own. */
static void terminal_fields(struct json *json, const struct object *object)
{
	char name[32];
	int len;

	if (object->mechanism != MECH_PTY)
		return;
	len = snprintf(name, sizeof(name), "/dev/pts/%u",
		       (unsigned)(object->ref.number & WIRE_PTY_INDEX));
	json_field_bytes(json, KEY(channel, name), name, (size_t)len);
	json_field_text(json, KEY(channel, end),
			object->ref.number & WIRE_PTY_MASTER ? "master" : "slave");
}

/* Writes a channel line without details, for an object whose description was lost. */
static void channel_bare(struct encoder *encoder, struct object *object)
{
	struct json *json = &encoder->json;

	object->described = true;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), object->id);
	json_field_uint(json, KEY(channel, at_ns), encoder->now_ns);
	json_field_text(json, KEY(channel, mechanism), mechanism_info(object->mechanism)->name);
	terminal_fields(json, object);
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
	object->used = true;
	return object->id;
}

#define SEM_PREFIX_LEN 4		   /* sem_open(3) calls /dev/shm/sem.NAME /NAME */
#define DEV_MAJOR(device) ((device) >> 20) /* include/linux/kdev_t.h */
#define DEV_MINOR(device) ((device)&0xfffff)

/*
 * The part of the name that the kernel's name lacks: POSIX objects are named /name, shared memory
 * by its path if it is known.
 */
static const char *name_prefix(const struct wire_object *record)
{
	if (record->mechanism == MECH_POSIX_MQ || record->mechanism == MECH_POSIX_SEM)
		return "/";
	return record->mechanism == MECH_SHARED_MMAP && record->in_shm ? "/dev/shm/" : "";
}

/* True if the record has the kernel's own name for anonymous shared memory. */
static bool is_unnamed(const struct wire_object *record)
{
	return record->mechanism == MECH_SHARED_MMAP && !record->in_shm &&
	       record->name_len == strlen("dev/zero") &&
	       memcmp(record->name, "dev/zero", record->name_len) == 0;
}

/*
 * Writes the object's name. Abstract socket names, which begin with a NUL byte, get an '@' instead.
 */
static void name_field(struct encoder *encoder, const struct wire_object *record)
{
	char name[16 + WIRE_NAME_LEN];
	size_t skip = record->mechanism == MECH_POSIX_SEM ? SEM_PREFIX_LEN : 0;
	size_t len, at = strlen(name_prefix(record));

	if (record->name_len <= skip || record->name_len > WIRE_NAME_LEN || is_unnamed(record))
		return;
	len = record->name_len - skip;
	memcpy(name, name_prefix(record), at);
	memcpy(name + at, record->name + skip, len);
	at += len;
	if (name[0] == 0)
		name[0] = '@';
	else if (name[at - 1] == 0)
		at--; /* a path that was bound with its NUL */
	json_key(&encoder->json, KEY(channel, name));
	secret_name(&encoder->json, encoder->secrets, name, at);
}

static void device_field(struct json *json, const struct wire_object *record)
{
	char device[32];

	if (!record->device)
		return;
	snprintf(device, sizeof(device), "%u:%u", DEV_MAJOR(record->device),
		 DEV_MINOR(record->device));
	json_field_text(json, KEY(channel, device), device);
}

static void addresses_fields(struct json *json, const struct wire_object *record)
{
	char text[80];

	if (record->mechanism == MECH_NETLINK)
		netlink_fields(json, record);
	if (record->family != AF_INET && record->family != AF_INET6)
		return;
	if (record->local_port && endpoint_text(text, sizeof(text), record->family,
						record->local_address, record->local_port))
		json_field_text(json, KEY(channel, local_address), text);
	if (record->peer_port && endpoint_text(text, sizeof(text), record->family,
					       record->peer_address, record->peer_port))
		json_field_text(json, KEY(channel, peer_address), text);
	if (record->interface[0])
		json_field_bytes(json, KEY(channel, interface), record->interface,
				 strnlen(record->interface, sizeof(record->interface)));
	json_field_uint(json, KEY(channel, network), record->network);
}

/* False for mechanisms whose number is not an inode number. */
static bool has_inode(enum mechanism mechanism)
{
	switch (mechanism) {
	case MECH_SYSV_MSG:
	case MECH_SYSV_SHM:
	case MECH_SYSV_SEM:
	case MECH_EVENTFD:
	case MECH_EPOLL:
	case MECH_SIGNALFD:
	case MECH_TIMERFD:
	case MECH_INOTIFY:
	case MECH_PIDFD:
	case MECH_FUTEX:
	case MECH_PTY:
	case MECH_PROCESS_VM:
		return false;
	default:
		return true;
	}
}

/*
 * Returns the id of the record's peer, or NULL. An unnumbered peer of a socket that had none before
 * is the connection that its server has yet to accept: a new socket, whatever object had its
 * address before. That connection has this socket as its peer, even if it is accepted after the
 * client has gone and lost its number.
 */
static const char *peer_of(struct encoder *encoder, const struct wire_object *record,
			   struct object *object)
{
	struct object *peer;

	if (!record->peer.address || record->memory)
		return NULL;
	if (record->peer.number == 0 && !object->has_peer) {
		peer = objects_make(encoder->objects, record->peer, object->mechanism);
		if (peer) {
			peer->has_peer = true;
			peer->client = record->ref.number;
		}
	} else {
		peer = objects_get_socket(encoder->objects, record->peer, object->mechanism,
					  &record->ref);
	}
	object->has_peer = true;
	if (peer && !peer->described)
		channel_bare(encoder, peer);
	return peer ? peer->id : NULL;
}

/* How a TCP connection stands, in a glance. */
static void traffic_fields(struct json *json, const struct wire_object *record)
{
	if (record->peer_ended)
		json_field_bool(json, KEY(channel, peer_ended), true);
	if (record->sent)
		json_field_uint(json, KEY(channel, sent), record->sent);
	if (record->unread)
		json_field_uint(json, KEY(channel, unread), record->unread);
	if (record->packet_ns)
		json_field_uint(json, KEY(channel, packet_ns), record->packet_ns);
	if (record->sent_ns)
		json_field_uint(json, KEY(channel, sent_ns), record->sent_ns);
	if (record->received_ns)
		json_field_uint(json, KEY(channel, received_ns), record->received_ns);
}

void encode_object(struct encoder *encoder, const struct wire_object *record)
{
	struct json *json = &encoder->json;
	struct object *object = objects_get_socket(encoder->objects, record->ref, record->mechanism,
						   record->memory ? NULL : &record->peer);
	const char *peer, *memory;
	char key[16];

	if (!object)
		return;
	encoder->now_ns = record->at_ns;
	peer = peer_of(encoder, record, object);
	memory = record->memory ? channel_of(encoder, &record->peer, record->memory) : NULL;
	object->described = true;
	object->protocol = record->mechanism == MECH_NETLINK ? record->netlink.protocol : 0;
	object->local_port = record->local_port;
	object->peer_port = record->peer_port;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), object->id);
	json_field_uint(json, KEY(channel, at_ns), record->at_ns);
	json_field_text(json, KEY(channel, mechanism), mechanism_info(record->mechanism)->name);
	name_field(encoder, record);
	terminal_fields(json, object);
	if (has_inode(record->mechanism) && record->ref.number)
		json_field_uint(json, KEY(channel, inode), record->ref.number);
	if (record->has_key) {
		snprintf(key, sizeof(key), "0x%08x", (unsigned)record->key);
		json_field_text(json, KEY(channel, key), key);
	}
	if (record->capacity)
		json_field_uint(json, KEY(channel, capacity), record->capacity);
	device_field(json, record);
	if (memory)
		json_field_text(json, KEY(channel, memory), memory);
	addresses_fields(json, record);
	if (peer)
		json_field_text(json, KEY(channel, peer), peer);
	if (record->listening)
		json_field_bool(json, KEY(channel, listening), true);
	if (record->backlog)
		json_field_uint(json, KEY(channel, backlog), record->backlog - 1);
	if (record->removed)
		json_field_bool(json, KEY(channel, removed), true);
	traffic_fields(json, record);
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
		json_field_text(json, "access", access_name(fds[i].access & ACCESS_BOTH));
		if (fds[i].access & WIRE_ACCESS_LAST)
			json_field_bool(json, "last", true);
		json_end_object(json);
	}
	json_end_array(json);
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
	struct call *call;

	encoder->now_ns = record->at_ns;
	for (size_t i = 0; i < count; i++)
		channel_of(encoder, &record->fds[i].object, record->fds[i].mechanism);
	if (record->event == WIRE_RIGHTS) {
		call = calls_of_thread(encoder->calls, record->head.tid);
		if (!call || call_rights(call, record))
			encoder->malformed++;
		return;
	}
	line_begin(json, RECORD_descriptors);
	json_field_text(json, KEY(descriptors, event),
			process_event_name(descriptors_event(record)));
	json_field_uint(json, KEY(descriptors, at_ns), record->at_ns);
	json_field_uint(json, KEY(descriptors, pid), record->head.pid);
	if (record->began_ns)
		json_field_uint(json, KEY(descriptors, began_ns), record->began_ns);
	if (record->event != WIRE_EXEC && record->head.tid != record->head.pid)
		json_field_uint(json, KEY(descriptors, tid), record->head.tid);
	if (record->table)
		json_field_uint(json, KEY(descriptors, table), (uint32_t)record->table);
	json_key(json, KEY(descriptors, fds));
	fds_value(encoder, record->fds, count);
	if (record->more)
		json_field_bool(json, KEY(descriptors, more), true);
	if (record->cut)
		json_field_bool(json, KEY(descriptors, cut), true);
	line_end(json);
}

void encode_fifo_name(struct encoder *encoder, const struct wire_fd *new_fd, const void *path,
		      size_t len)
{
	struct json *json = &encoder->json;
	struct object *fifo;

	if (new_fd->mechanism != MECH_FIFO || len == 0)
		return;
	fifo = objects_get(encoder->objects, new_fd->object, MECH_FIFO);
	if (!fifo || fifo->named)
		return;
	fifo->described = fifo->named = true;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), fifo->id);
	json_field_uint(json, KEY(channel, at_ns), encoder->now_ns);
	json_field_text(json, KEY(channel, mechanism), mechanism_info(MECH_FIFO)->name);
	json_key(json, KEY(channel, name));
	secret_name(json, encoder->secrets, path, len);
	line_end(json);
}
