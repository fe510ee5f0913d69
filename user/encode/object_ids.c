// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/object_ids.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/format/names.h"

/*
 * So many objects that had an address before its newest are remembered, for records that come late
 * from another processor. Each of them is gone from the kernel.
 */
#define OLDER_MOST 4

/* The latest objects that have had one kernel address, newest first. */
struct slot {
	uint64_t address;
	struct object *newest;
};

/* How many objects were given one id, and how many of them are remembered. */
struct claim {
	unsigned count;
	unsigned held;
	char id[64];
};

struct objects {
	void *slots;  /* tsearch(3) tree of struct slot */
	void *claims; /* tsearch(3) tree of struct claim */
	struct object *forgotten;
	unsigned unnumbered;
};

static int slot_compare(const void *a, const void *b)
{
	uint64_t x = ((const struct slot *)a)->address, y = ((const struct slot *)b)->address;

	return x < y ? -1 : x > y;
}

static int claim_compare(const void *a, const void *b)
{
	return strcmp(((const struct claim *)a)->id, ((const struct claim *)b)->id);
}

struct objects *objects_new(void)
{
	return calloc(1, sizeof(struct objects));
}

static void free_chain(struct object *object)
{
	while (object) {
		struct object *older = object->older;
		free(object);
		object = older;
	}
}

static void slot_free(void *pointer)
{
	struct slot *slot = pointer;

	free_chain(slot->newest);
	free(slot);
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
	tdestroy(objects->slots, slot_free);
	tdestroy(objects->claims, free);
	free(objects);
}

static struct slot *slot_get(struct objects *objects, uint64_t address)
{
	struct slot key = {.address = address},
		    **found = tfind(&key, &objects->slots, slot_compare);
	struct slot *slot;

	if (found)
		return *found;
	slot = calloc(1, sizeof(*slot));
	if (!slot)
		return NULL;
	slot->address = address;
	if (!tsearch(slot, &objects->slots, slot_compare)) {
		free(slot);
		return NULL;
	}
	return slot;
}

/* Counts and returns the uses of `id`, this one included; 1 if memory is short. */
static unsigned claim_count(struct objects *objects, const char *id)
{
	struct claim *claim = calloc(1, sizeof(*claim)), **found;

	if (!claim)
		return 1;
	snprintf(claim->id, sizeof(claim->id), "%s", id);
	found = tsearch(claim, &objects->claims, claim_compare);
	if (!found || *found != claim)
		free(claim);
	if (!found)
		return 1;
	(*found)->held++;
	return ++(*found)->count;
}

static bool is_socket(enum mechanism mechanism)
{
	const struct mechanism_info *info = mechanism_info(mechanism);

	return info->addressing == ADDRESSING_DIRECT &&
	       (info->form == FORM_STREAM || info->form == FORM_MESSAGE);
}

/*
 * Pipes and sockets have the next number of a counter of 32 bits (get_next_ino() in fs/inode.c):
 * no trace is so long that it comes round.
 */
static bool is_never_reused(enum mechanism mechanism)
{
	return mechanism == MECH_PIPE || is_socket(mechanism);
}

/* False for a socket of another mechanism. Who splices has one name for a pipe and a socket. */
static bool may_be(const struct object *object, enum mechanism mechanism)
{
	return object->mechanism == mechanism || !is_socket(mechanism) ||
	       !is_socket(object->mechanism);
}

/* Forgets an id that no remembered object has, where no other one can come to it. */
static void claim_release(struct objects *objects, const struct object *object)
{
	struct claim key = {0}, **found;

	snprintf(key.id, sizeof(key.id), "%.*s", (int)strcspn(object->id, "#"), object->id);
	found = tfind(&key, &objects->claims, claim_compare);
	if (found && --(*found)->held == 0 && is_never_reused(object->mechanism)) {
		struct claim *claim = *found;
		tdelete(claim, &objects->claims, claim_compare);
		free(claim);
	}
}

static void forget_oldest(struct objects *objects, struct slot *slot)
{
	struct object **link = &slot->newest;

	for (unsigned i = 0; i <= OLDER_MOST && *link; i++)
		link = &(*link)->older;
	while (*link) {
		struct object *object = *link;
		*link = object->older;
		claim_release(objects, object);
		object->older = objects->forgotten;
		objects->forgotten = object;
	}
}

static void name_object(struct objects *objects, struct object *object)
{
	const char *mechanism = mechanism_info(object->mechanism)->name;
	unsigned long long number = object->ref.number;
	unsigned count;

	if (number && object->mechanism == MECH_FUTEX)
		snprintf(object->id, sizeof(object->id), "%s:[%llu+%llu]", mechanism,
			 number & UINT32_MAX, (number & ~WIRE_FUTEX) >> 32);
	else if (object->mechanism == MECH_PTY)
		snprintf(object->id, sizeof(object->id), "%s:[%llu%s]", mechanism,
			 number & WIRE_PTY_INDEX, number & WIRE_PTY_MASTER ? ":master" : "");
	else if (number)
		snprintf(object->id, sizeof(object->id), "%s:[%llu]", mechanism,
			 number & ~WIRE_NUMBERED);
	else
		snprintf(object->id, sizeof(object->id), "%s:[~%u]", mechanism,
			 ++objects->unnumbered); /* a count, so no other has it */
	count = !number ? 1 : claim_count(objects, object->id);
	if (count > 1) {
		size_t len = strlen(object->id);
		snprintf(object->id + len, sizeof(object->id) - len, "#%u", count);
	}
}

static struct object *object_add(struct objects *objects, struct slot *slot, struct wire_ref ref,
				 enum mechanism mechanism)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->ref = ref;
	object->mechanism = mechanism;
	name_object(objects, object);
	object->older = slot->newest;
	slot->newest = object;
	forget_oldest(objects, slot);
	return object;
}

struct object *objects_get(struct objects *objects, struct wire_ref ref, enum mechanism mechanism)
{
	struct slot *slot = ref.address ? slot_get(objects, ref.address) : NULL;
	struct object *object;

	if (!slot)
		return NULL;
	if (ref.number == 0 && slot->newest && may_be(slot->newest, mechanism))
		return slot->newest;
	for (object = slot->newest; object; object = object->older)
		if (object->ref.number == ref.number && may_be(object, mechanism))
			return object;
	object = slot->newest;
	if (object && object->ref.number == 0 && may_be(object, mechanism)) {
		object->ref.number = ref.number; /* a socket that was accepted since */
		return object;
	}
	return object_add(objects, slot, ref, mechanism);
}

struct object *objects_renew(struct objects *objects, struct wire_ref ref, enum mechanism mechanism)
{
	struct object *object = objects_get(objects, ref, mechanism);

	if (!object || !object->used)
		return object;
	return object_add(objects, slot_get(objects, ref.address), ref, mechanism);
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
	struct slot *slot = ref.address ? slot_get(objects, ref.address) : NULL;

	if (!slot)
		return NULL;
	if (slot->newest && slot->newest->ref.number == 0 && !slot->newest->described)
		return slot->newest;
	return object_add(objects, slot, ref, mechanism);
}
