// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a call asks for of semaphores (semop) and of file locks (flock, fcntl). */
#include "viz/model/builder.h"

static void add_sems(struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, sems);
	const struct json_node *item;

	b->extra.sems_count = 0;
	if (!value->present)
		return;
	json_for_each(item, value->json)
	{
		struct viz_sem sem = {0};

		if (reader_uint(json_member(item, "number"), &sem.number) &&
		    reader_int(json_member(item, "change"), &sem.change) &&
		    reader_uint(json_member(item, "flags"), &sem.flags))
			ARENA_PUSH(b->into, b->extra.sems, b->extra.sems_count, sem);
	}
}

static bool says(const struct json_node *lock, const char *key, const char *word)
{
	return viz_bytes_equal(json_string(json_member(lock, key)), viz_bytes_of(word));
}

static void add_lock(struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, lock);
	struct viz_lock lock = {.to = UINT64_MAX};
	uint64_t from, length;

	if (!value->present)
		return;
	lock.kind = says(value->json, "kind", "flock")	 ? LOCK_KIND_FLOCK
		    : says(value->json, "kind", "posix") ? LOCK_KIND_POSIX
							 : LOCK_KIND_OFD;
	lock.mode = says(value->json, "mode", "exclusive") ? LOCK_MODE_EXCLUSIVE
		    : says(value->json, "mode", "shared")  ? LOCK_MODE_SHARED
							   : LOCK_MODE_UNLOCK;
	lock.placed = lock.kind == LOCK_KIND_FLOCK || says(value->json, "from", "start");
	if (lock.placed && reader_uint(json_member(value->json, "offset"), &from) &&
	    reader_uint(json_member(value->json, "length"), &length) &&
	    length <= UINT64_MAX - from) {
		lock.from = from;
		lock.to = length ? from + length : UINT64_MAX;
	}
	b->extra.lock = lock;
}

void build_locks(struct model_builder *b)
{
	add_sems(b);
	add_lock(b);
}
