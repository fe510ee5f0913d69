// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/object_ids.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/bytes.h"
#include "viz/base/id_map.h"
#include "viz/format/names.h"

/*
 * Objects that had an address before its newest are gone from the kernel. So many of them are
 * remembered, of one address and in all, for records that come late from another processor.
 */
#define OLDER_MOST 4
#define GONE_MOST 2048

/* So many objects are remembered that are the newest of their address; see may_be_left(). */
#define NEWEST_MOST 8192

#define ID_LEN 64

TAILQ_HEAD(objects_turns, object);

#define LATELY 64 /* objects that are found without a search: a power of two */

struct objects {
	void *newest; /* tsearch(3) tree of struct object, by address; each begins a chain */
	struct object *lately[LATELY]; /* in `newest`, too: the last of those that share a place */
	/*
	 * Of mechanisms whose numbers are used again: the numbers that objects have had, 64 of them
	 * in an entry as bits of its pointer; and how many objects, as a pointer, had those that
	 * were used again, by the hash of their id. Of two that share a place one gets a suffix for
	 * nothing. These are kept as long as the trace.
	 */
	struct id_map seen, again;
	/* The numbers of TCP sockets that were described, and left; as those in `seen`. */
	struct id_map left;
	struct objects_turns used; /* those in `newest`, the one not used for longest first */
	unsigned used_count;
	struct objects_turns gone; /* all others, the longest gone first */
	unsigned gone_count;
	struct object *forgotten;
	unsigned unnumbered;
};

static int object_compare(const void *a, const void *b)
{
	uint64_t x = ((const struct object *)a)->ref.address;
	uint64_t y = ((const struct object *)b)->ref.address;

	return x < y ? -1 : x > y;
}

struct objects *objects_new(void)
{
	struct objects *objects = calloc(1, sizeof(struct objects));

	if (!objects)
		return NULL;
	TAILQ_INIT(&objects->used);
	TAILQ_INIT(&objects->gone);
	return objects;
}

static void free_chain(void *pointer)
{
	struct object *object = pointer;

	while (object) {
		struct object *older = object->older;
		free(object);
		object = older;
	}
}

void objects_tidy(struct objects *objects)
{
	free_chain(objects->forgotten);
	objects->forgotten = NULL;
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	objects_tidy(objects);
	tdestroy(objects->newest, free_chain);
	id_map_free(&objects->seen);
	id_map_free(&objects->again);
	id_map_free(&objects->left);
	free(objects);
}

/* Returns where the newest object of the address is; NULL: there was none. */
static struct object **newest_at(struct objects *objects, uint64_t address)
{
	const struct object key = {.ref = {.address = address}};

	return tfind(&key, &objects->newest, object_compare);
}

/* Objects lie at multiples of their size: the bits between tell the most of them apart. */
static struct object **object_place(struct objects *objects, uint64_t address)
{
	return &objects->lately[(address >> 6 ^ address >> 12) % LATELY];
}

/* Returns the newest object of the address; NULL: there was none. */
static struct object *newest_of(struct objects *objects, uint64_t address)
{
	struct object **place = object_place(objects, address), *lately = *place, **found;

	if (lately && lately->ref.address == address)
		return lately;
	found = newest_at(objects, address);
	if (!found)
		return NULL;
	*place = *found;
	return *found;
}

_Static_assert(sizeof(void *) == sizeof(uint64_t), "64 bits in a pointer");

/* Bits that are kept where the map has pointers. */
static void *bits_in_pointer(uint64_t bits)
{
	void *pointer;

	memcpy(&pointer, &bits, sizeof(pointer));
	return pointer;
}

#define SYSV_INDEX_BITS 15 /* ipc/util.h: IPCMNI_SHIFT; a counter is above it */

/*
 * Numbers of one kind lie close together, and get entries that do. Of System V ids those of one
 * index do, whose counters follow each other.
 */
static uint64_t number_key(uint64_t number, enum mechanism mechanism)
{
	const uint64_t index = number & ((1 << SYSV_INDEX_BITS) - 1);

	if (mechanism == MECH_SYSV_MSG || mechanism == MECH_SYSV_SEM || mechanism == MECH_SYSV_SHM)
		number = index << 32 | number >> SYSV_INDEX_BITS;
	return number ^ (uint64_t)mechanism << 56;
}

static bool has_number(const struct id_map *numbers, uint64_t key)
{
	return (uintptr_t)id_map_get(numbers, key / 64) >> key % 64 & 1;
}

static void add_number(struct id_map *numbers, uint64_t key)
{
	const uint64_t bits = (uintptr_t)id_map_get(numbers, key / 64);

	id_map_put(numbers, key / 64, bits_in_pointer(bits | (uint64_t)1 << key % 64));
}

/* Counts and returns the uses of `id`, whose number is `number`, this one included. */
static unsigned count_uses(struct objects *objects, const char *id, uint64_t number,
			   enum mechanism mechanism)
{
	uint64_t key = number_key(number, mechanism);
	uint64_t hash = viz_bytes_hash(viz_bytes_of(id));
	uint64_t before;

	if (!has_number(&objects->seen, key)) {
		add_number(&objects->seen, key);
		return 1;
	}
	before = (uintptr_t)id_map_get(&objects->again, hash);
	id_map_put(&objects->again, hash, bits_in_pointer(before ? before + 1 : 2));
	return before ? (unsigned)before + 1 : 2;
}

static bool is_socket(enum mechanism mechanism)
{
	const struct mechanism_info *info = mechanism_info(mechanism);

	return info->addressing == ADDRESSING_DIRECT &&
	       (info->form == FORM_STREAM || info->form == FORM_MESSAGE);
}

/*
 * Pipes and sockets have the next number of a counter of 32 bits (get_next_ino() in fs/inode.c), as
 * those have that ipclens numbers itself (bpf/object/instances.bpf.h): no trace is so long that it
 * comes round. So another object of the same number is the same with another connection.
 */
static bool is_never_reused(enum mechanism mechanism)
{
	switch (mechanism) {
	case MECH_PIPE:
	case MECH_EPOLL:
	case MECH_SIGNALFD:
	case MECH_TIMERFD:
	case MECH_INOTIFY:
		return true;
	default:
		return is_socket(mechanism);
	}
}

/* False for a socket of another mechanism. Who splices has one name for a pipe and a socket. */
static bool may_be(const struct object *object, enum mechanism mechanism)
{
	return object->mechanism == mechanism || !is_socket(mechanism) ||
	       !is_socket(object->mechanism);
}

/* Takes one that is gone out of the chain of its address. It stays valid until objects_tidy(). */
static void forget(struct objects *objects, struct object *object)
{
	struct object **link = newest_at(objects, object->ref.address);

	while (*link != object)
		link = &(*link)->older;
	*link = object->older;
	TAILQ_REMOVE(&objects->gone, object, turn);
	objects->gone_count--;
	object->older = objects->forgotten;
	objects->forgotten = object;
}

/*
 * True for objects that would get their id again: a socket that was accepted late has a count for a
 * number, and so has a later connection of a TCP socket. Of UDP and netlink more is known than a
 * later record tells. A storm of sockets whose ends are lost would be remembered for ever else.
 */
static bool may_be_left(const struct object *object)
{
	switch (object->mechanism) {
	case MECH_UDP:
	case MECH_NETLINK:
		return false;
	default:
		return !strchr(object->id, '~') && !object->generation &&
		       is_never_reused(object->mechanism);
	}
}

/* Leaves the object that nobody has used for longest, and what had its address before. */
static void leave_unused(struct objects *objects)
{
	struct object *object = TAILQ_FIRST(&objects->used);

	TAILQ_REMOVE(&objects->used, object, turn);
	if (!may_be_left(object)) {
		TAILQ_INSERT_TAIL(&objects->used, object, turn);
		return;
	}
	objects->used_count--;
	if (object->mechanism == MECH_TCP && object->described)
		add_number(&objects->left, object->ref.number);
	while (object->older)
		forget(objects, object->older);
	if (*object_place(objects, object->ref.address) == object)
		*object_place(objects, object->ref.address) = NULL;
	tdelete(object, &objects->newest, object_compare);
	object->older = objects->forgotten;
	objects->forgotten = object;
}

/* The object is the newest of its address, and is used now. */
static struct object *use(struct objects *objects, struct object *object)
{
	TAILQ_REMOVE(&objects->used, object, turn);
	TAILQ_INSERT_TAIL(&objects->used, object, turn);
	return object;
}

/* The object is not the newest of its address any more. */
static void retire(struct objects *objects, struct object *object)
{
	unsigned older = 0;

	TAILQ_REMOVE(&objects->used, object, turn);
	objects->used_count--;
	TAILQ_INSERT_TAIL(&objects->gone, object, turn);
	objects->gone_count++;
	for (; object->older; object = object->older)
		older++;
	if (older >= OLDER_MOST)
		forget(objects, object);
	else if (objects->gone_count > GONE_MOST)
		forget(objects, TAILQ_FIRST(&objects->gone));
}

/* The number as the id tells it. */
static uint64_t told_number(struct wire_ref ref, enum mechanism mechanism)
{
	if (mechanism == MECH_FUTEX)
		return ref.number & ~WIRE_FUTEX;
	if (mechanism == MECH_PTY)
		return ref.number & (WIRE_PTY_INDEX | WIRE_PTY_MASTER);
	return ref.number & ~WIRE_NUMBERED;
}

/* Writes the id without a suffix, for objects that have a number. */
static void id_text(char id[ID_LEN], struct wire_ref ref, enum mechanism mechanism)
{
	const char *name = mechanism_info(mechanism)->name;
	unsigned long long number = told_number(ref, mechanism);

	if (mechanism == MECH_FUTEX)
		snprintf(id, ID_LEN, "%s:[%llu+%llu]", name, number & UINT32_MAX, number >> 32);
	else if (mechanism == MECH_PTY)
		snprintf(id, ID_LEN, "%s:[%llu%s]", name, number & WIRE_PTY_INDEX,
			 number & WIRE_PTY_MASTER ? ":master" : "");
	else
		snprintf(id, ID_LEN, "%s:[%llu]", name, number);
}

/* `generation` counts the objects that had the number before, where numbers are never reused. */
static void name_object(struct objects *objects, char id[ID_LEN], struct wire_ref ref,
			enum mechanism mechanism, unsigned generation)
{
	unsigned count = generation + 1;
	size_t len;

	if (!ref.number) { /* a count, so no other has it */
		snprintf(id, ID_LEN, "%s:[~%u]", mechanism_info(mechanism)->name,
			 ++objects->unnumbered);
		return;
	}
	id_text(id, ref, mechanism);
	if (!is_never_reused(mechanism))
		count = count_uses(objects, id, told_number(ref, mechanism), mechanism);
	len = strlen(id);
	if (count > 1)
		snprintf(id + len, ID_LEN - len, "#%u", count);
}

/* Adds one before the newest of the address; its predecessor, if any, had the same number. */
static struct object *object_add(struct objects *objects, struct wire_ref ref,
				 enum mechanism mechanism, const struct object *predecessor)
{
	unsigned generation = predecessor ? predecessor->generation + 1 : 0;
	struct object *object, **newest;
	char id[ID_LEN];

	name_object(objects, id, ref, mechanism, generation);
	object = calloc(1, sizeof(*object) + strlen(id) + 1);
	if (!object)
		return NULL;
	memcpy(object->id, id, strlen(id) + 1);
	object->ref = ref;
	object->mechanism = mechanism;
	object->generation = generation;
	if (mechanism == MECH_TCP && !predecessor)
		object->described = object->used = has_number(&objects->left, ref.number);
	newest = tsearch(object, &objects->newest, object_compare);
	if (!newest) {
		free(object);
		return NULL;
	}
	*object_place(objects, ref.address) = object;
	if (*newest != object) {
		object->older = *newest;
		*newest = object;
		retire(objects, object->older);
	}
	TAILQ_INSERT_TAIL(&objects->used, object, turn);
	objects->used_count++;
	for (unsigned tries = 0; tries < 4 && objects->used_count > NEWEST_MOST; tries++)
		leave_unused(objects);
	return object;
}

/*
 * False if it cannot be this one, which nobody had accepted yet when it was met: an accepted socket
 * has the peer that connected to it for as long as it lives (net/unix/af_unix.c).
 */
static bool may_be_accepted(const struct object *object, const struct wire_ref *peer)
{
	return !peer || !object->client ||
	       (peer->address && (!peer->number || peer->number == object->client));
}

struct object *objects_get(struct objects *objects, struct wire_ref ref, enum mechanism mechanism)
{
	return objects_get_socket(objects, ref, mechanism, NULL);
}

struct object *objects_get_socket(struct objects *objects, struct wire_ref ref,
				  enum mechanism mechanism, const struct wire_ref *peer)
{
	struct object *newest = ref.address ? newest_of(objects, ref.address) : NULL, *object;

	if (!ref.address)
		return NULL;
	if (ref.number == 0 && newest && may_be(newest, mechanism))
		return use(objects, newest);
	for (object = newest; object; object = object->older)
		if (object->ref.number == ref.number && may_be(object, mechanism))
			return object == newest ? use(objects, object) : object;
	if (newest && newest->ref.number == 0 && may_be(newest, mechanism) &&
	    may_be_accepted(newest, peer)) {
		newest->ref.number = ref.number; /* a socket that was accepted since */
		return use(objects, newest);
	}
	return object_add(objects, ref, mechanism, NULL);
}

struct object *objects_renew(struct objects *objects, struct wire_ref ref, enum mechanism mechanism)
{
	struct object *object = objects_get(objects, ref, mechanism);

	return object && object->used ? object_add(objects, ref, mechanism, object) : object;
}

struct object *objects_open(struct objects *objects, const struct wire_fd *fd)
{
	struct object *object = objects_get(objects, fd->object, fd->mechanism);
	bool writes = !(fd->access & WIRE_ACCESS_READ);

	if (object && object->used && !object->opens[0] && !object->opens[1])
		object->opens[0] = object->opens[1] = 1; /* open before the first open seen */
	if (object && fd->opens <= object->opens[writes] && fd->opens < UINT8_MAX)
		object = objects_renew(objects, fd->object, fd->mechanism);
	if (object && object->opens[writes] < UINT8_MAX)
		object->opens[writes]++;
	return object;
}

struct object *objects_make(struct objects *objects, struct wire_ref ref, enum mechanism mechanism)
{
	struct object *newest = ref.address ? newest_of(objects, ref.address) : NULL;

	if (!ref.address)
		return NULL;
	if (newest && newest->ref.number == 0 && !newest->described)
		return newest;
	return object_add(objects, ref, mechanism, NULL);
}
