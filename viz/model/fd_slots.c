// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/model/fd_slots.h"

enum { CHUNK_FIRST = 8, CHUNK_MOST = 128 };

struct fd_chunk {
	size_t count;
	size_t capacity;
	struct fd_slot slots[]; /* sorted by fd */
};

static struct fd_chunk *chunk_new(struct arena *arena, struct fd_slots *slots, size_t capacity)
{
	struct fd_chunk *chunk = slots->spare;

	slots->spare = NULL;
	if (chunk && chunk->capacity >= capacity)
		return chunk;
	chunk = arena_alloc(arena, sizeof(*chunk) + capacity * sizeof(*chunk->slots));
	chunk->capacity = capacity;
	return chunk;
}

static int32_t last_fd(const struct fd_chunk *chunk)
{
	return chunk->slots[chunk->count - 1].fd;
}

/* The index of the first chunk whose last descriptor is not below fd. */
static size_t chunk_index(const struct fd_slots *slots, int64_t fd)
{
	size_t low = 0, high = slots->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (last_fd(slots->chunks[middle]) < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The index of the first slot of the chunk that is not below fd. */
static size_t slot_index(const struct fd_chunk *chunk, int64_t fd)
{
	size_t low = 0, high = chunk->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (chunk->slots[middle].fd < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct fd_slot *fd_slots_from(const struct fd_slots *slots, int64_t fd)
{
	size_t at = chunk_index(slots, fd);

	return at < slots->count ? &slots->chunks[at]->slots[slot_index(slots->chunks[at], fd)]
				 : NULL;
}

struct fd_slot *fd_slots_find(const struct fd_slots *slots, int32_t fd)
{
	struct fd_slot *slot = fd_slots_from(slots, fd);

	return slot && slot->fd == fd ? slot : NULL;
}

static void insert_chunk(struct arena *arena, struct fd_slots *slots, size_t at,
			 struct fd_chunk *chunk)
{
	if (slots->count == slots->capacity) {
		struct fd_chunk **chunks;

		slots->capacity = slots->capacity ? slots->capacity * 2 : 1;
		chunks = arena_array(arena, slots->capacity, sizeof(struct fd_chunk *));
		if (slots->count)
			memcpy(chunks, slots->chunks, slots->count * sizeof(struct fd_chunk *));
		slots->chunks = chunks;
	}
	memmove(slots->chunks + at + 1, slots->chunks + at,
		(slots->count - at) * sizeof(struct fd_chunk *));
	slots->chunks[at] = chunk;
	slots->count++;
}

static void move_slots(struct fd_chunk *to, struct fd_chunk *from, size_t first)
{
	to->count = from->count - first;
	from->count = first;
	memcpy(to->slots, from->slots + first, to->count * sizeof(*to->slots));
}

/*
 * Makes room in the full chunk at `at`, and gives the index of the one that fd now belongs to. The
 * last chunk is not halved where fd goes behind its end, as most do.
 */
static size_t make_room(struct arena *arena, struct fd_slots *slots, size_t at, int32_t fd)
{
	struct fd_chunk *full = slots->chunks[at], *more;
	bool small = full->capacity < CHUNK_MOST;

	more = chunk_new(arena, slots, small ? full->capacity * 2 : CHUNK_MOST);
	if (small) {
		move_slots(more, full, 0);
		slots->chunks[at] = more;
		return at;
	}
	if (fd < last_fd(full))
		move_slots(more, full, CHUNK_MOST / 2);
	insert_chunk(arena, slots, at + 1, more);
	return fd > last_fd(full) ? at + 1 : at;
}

struct fd_slot *fd_slots_add(struct arena *arena, struct fd_slots *slots, int32_t fd)
{
	size_t at = chunk_index(slots, fd), index;
	struct fd_chunk *chunk;

	if (!slots->count)
		insert_chunk(arena, slots, 0, chunk_new(arena, slots, CHUNK_FIRST));
	if (at == slots->count)
		at--;
	if (slots->chunks[at]->count == slots->chunks[at]->capacity)
		at = make_room(arena, slots, at, fd);
	chunk = slots->chunks[at];
	index = slot_index(chunk, fd);
	memmove(chunk->slots + index + 1, chunk->slots + index,
		(chunk->count - index) * sizeof(*chunk->slots));
	chunk->slots[index] = (struct fd_slot){.fd = fd};
	chunk->count++;
	return &chunk->slots[index];
}

void fd_slots_clear(struct fd_slots *slots)
{
	if (!slots->count)
		return;
	slots->spare = slots->chunks[0];
	slots->spare->count = 0;
	slots->count = 0;
}

void fd_slots_remove(struct fd_slots *slots, int32_t fd)
{
	size_t at = chunk_index(slots, fd);
	struct fd_chunk *chunk = slots->chunks[at];
	size_t index = slot_index(chunk, fd);

	chunk->count--;
	memmove(chunk->slots + index, chunk->slots + index + 1,
		(chunk->count - index) * sizeof(*chunk->slots));
	if (chunk->count)
		return;
	slots->spare = chunk;
	slots->count--;
	memmove(slots->chunks + at, slots->chunks + at + 1,
		(slots->count - at) * sizeof(struct fd_chunk *));
}
