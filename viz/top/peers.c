// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/top/peers.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"

/* A socket in an index, under one of the things by which it can be found. */
struct spot {
	uint64_t key;
	const struct top_object *object;
};

struct spots {
	struct spot *items;
	size_t count;
};

struct peers {
	struct spots by_address; /* unix: of the socket itself */
	struct spots by_name;	 /* unix datagrams: of the name bound */
	struct spots by_ends;	 /* TCP: of both addresses */
	struct spots by_port;	 /* UDP */
};

static int spot_compare(const void *left, const void *right)
{
	const struct spot *a = left, *b = right;
	int order = COMPARE(a->key, b->key);

	return order ? order : COMPARE(a->object, b->object);
}

/* Sorts the index. Several ends may have named one object. */
static void spots_finish(struct spots *spots)
{
	size_t kept = 0;

	if (spots->count)
		qsort(spots->items, spots->count, sizeof(*spots->items), spot_compare);
	for (size_t i = 0; i < spots->count; i++)
		if (!kept || spot_compare(&spots->items[kept - 1], &spots->items[i]) != 0)
			spots->items[kept++] = spots->items[i];
	spots->count = kept;
}

static const struct spot *spots_first(const struct spots *spots, uint64_t key)
{
	size_t low = 0, high = spots->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (spots->items[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return spots->items + low;
}

static bool is_in(const struct spots *spots, const struct spot *spot, uint64_t key)
{
	return spot < spots->items + spots->count && spot->key == key;
}

static uint64_t text_add(uint64_t digest, const char *text)
{
	for (; *text; text++)
		digest = (digest ^ (unsigned char)*text) * 0x100000001b3ULL;
	return (digest ^ 0xff) * 0x100000001b3ULL;
}

static uint64_t ends_key(const char *local, const char *remote)
{
	return text_add(text_add(0xcbf29ce484222325ULL, local), remote);
}

static bool is_unix(enum mechanism mechanism)
{
	return mechanism == MECH_UNIX_STREAM || mechanism == MECH_UNIX_DGRAM ||
	       mechanism == MECH_UNIX_SEQPACKET;
}

static void object_add(struct arena *arena, struct peers *peers, const struct top_object *object)
{
	struct spot spot = {.object = object};

	if (is_unix(object->mechanism)) {
		spot.key = object->address;
		ARENA_PUSH(arena, peers->by_address.items, peers->by_address.count, spot);
		spot.key = object->named;
		if (object->mechanism == MECH_UNIX_DGRAM && object->named)
			ARENA_PUSH(arena, peers->by_name.items, peers->by_name.count, spot);
	} else if (object->mechanism == MECH_TCP && *object->local) {
		spot.key = ends_key(object->local, object->remote);
		ARENA_PUSH(arena, peers->by_ends.items, peers->by_ends.count, spot);
	} else if (object->mechanism == MECH_UDP && object->port) {
		spot.key = object->port;
		ARENA_PUSH(arena, peers->by_port.items, peers->by_port.count, spot);
	}
}

struct peers *peers_new(struct arena *arena, const struct top_end *ends, size_t count)
{
	struct peers *peers = arena_alloc(arena, sizeof(*peers));

	memset(peers, 0, sizeof(*peers));
	for (size_t i = 0; i < count; i++)
		object_add(arena, peers, ends[i].object);
	spots_finish(&peers->by_address);
	spots_finish(&peers->by_name);
	spots_finish(&peers->by_ends);
	spots_finish(&peers->by_port);
	return peers;
}

/* How sure it is that one socket is the other's peer. */
enum likeness { OTHER_SOCKET, POSSIBLE_PEER, CERTAIN_PEER };

/*
 * Addresses are used again, so the numbers must not contradict each other. A connection that was
 * not yet accepted had none, so the two of a connection may both not know the other's; but the one
 * that accepted it has its listener's name (unix_stream_connect() in net/unix/af_unix.c).
 */
static enum likeness compare_ends(const struct top_object *object, const struct top_object *other)
{
	if (object->mechanism != other->mechanism || other == object ||
	    other->peer != object->address)
		return OTHER_SOCKET;
	if (object->peer_number && object->peer_number != (uint32_t)other->number)
		return OTHER_SOCKET;
	if (other->peer_number && other->peer_number != (uint32_t)object->number)
		return OTHER_SOCKET;
	if (object->peer_number || other->peer_number)
		return CERTAIN_PEER;
	return object->named || other->named ? POSSIBLE_PEER : OTHER_SOCKET;
}

/* The receiver of datagrams need not be connected. */
static enum likeness compare_receiver(const struct top_object *object,
				      const struct top_object *other)
{
	if (object->mechanism != MECH_UNIX_DGRAM)
		return compare_ends(object, other);
	return other->mechanism == MECH_UNIX_DGRAM ? POSSIBLE_PEER : OTHER_SOCKET;
}

/* The only one at this address that is so likely; NULL: none, or several. */
static const struct top_object *unix_find(const struct peers *peers,
					  const struct top_object *object, uint64_t address,
					  enum likeness likeness)
{
	const struct spot *spot = spots_first(&peers->by_address, address);
	const struct top_object *found = NULL;

	for (; address && is_in(&peers->by_address, spot, address); spot++) {
		if (compare_receiver(object, spot->object) != likeness)
			continue;
		if (found)
			return NULL;
		found = spot->object;
	}
	return found;
}

bool peers_know_addresses_alone(const struct peers *peers, const struct top_object *object)
{
	return (object->mechanism == MECH_UNIX_STREAM ||
		object->mechanism == MECH_UNIX_SEQPACKET) &&
	       object->peer && !object->peer_number &&
	       !unix_find(peers, object, object->peer, CERTAIN_PEER);
}

static const struct top_object *named_find(const struct peers *peers, uint64_t name)
{
	const struct spot *spot = spots_first(&peers->by_name, name);

	if (!is_in(&peers->by_name, spot, name) || is_in(&peers->by_name, spot + 1, name))
		return NULL;
	return spot->object;
}

/* Two namespaces of one machine may be connected: only a loopback address is of one alone. */
static const struct top_object *tcp_find(const struct peers *peers, const struct top_object *object)
{
	uint64_t key = ends_key(object->remote, object->local);
	const struct spot *spot = spots_first(&peers->by_ends, key);
	const struct top_object *found = NULL;

	for (; *object->local && is_in(&peers->by_ends, spot, key); spot++) {
		const struct top_object *other = spot->object;

		if (strcmp(other->local, object->remote) != 0 ||
		    strcmp(other->remote, object->local) != 0 ||
		    (object->loopback && other->network != object->network))
			continue;
		if (found)
			return NULL;
		found = other;
	}
	return found;
}

static const struct top_object *udp_find(const struct peers *peers, const struct top_end *end)
{
	uint64_t port = end->to & 0xffff;
	const struct spot *spot = spots_first(&peers->by_port, port);
	const struct top_object *found = NULL;

	for (; port && is_in(&peers->by_port, spot, port); spot++) {
		const struct top_object *other = spot->object;

		if (other->network != end->object->network ||
		    (!other->anywhere && other->place != end->to && other->mapped != end->to))
			continue;
		if (found)
			return NULL;
		found = other;
	}
	return found;
}

const struct top_object *peers_find(const struct peers *peers, const struct top_end *end)
{
	switch (end->object->mechanism) {
	case MECH_UNIX_STREAM:
	case MECH_UNIX_SEQPACKET:
		return unix_find(peers, end->object, end->object->peer, CERTAIN_PEER);
	case MECH_UNIX_DGRAM: {
		const struct top_object *found = unix_find(peers, end->object, end->to,
							   POSSIBLE_PEER);

		return found ? found : named_find(peers, end->to);
	}
	case MECH_TCP:
		return tcp_find(peers, end->object);
	case MECH_UDP:
		return udp_find(peers, end);
	default:
		return NULL;
	}
}
