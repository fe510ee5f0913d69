/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that is freed all at once, with growing lists and maps in it. None of these functions
 * fails (memory.h).
 */
#ifndef VIZ_BASE_ARENA_H
#define VIZ_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "viz/base/bytes.h"
#include "viz/base/memory.h"

struct arena;

struct arena *arena_new(void);

/*
 * An arena for one object and what belongs to it. Its first ARENA_SMALL_LEN bytes need no further
 * allocation.
 */
#define ARENA_SMALL_LEN ((size_t)416)
struct arena *arena_new_small(void);

void arena_free(struct arena *arena); /* arena may be NULL */

/*
 * Memory of the arena, zeroed and aligned for any type of ours; never NULL. arena_bytes() gives a
 * copy of `data` with a NUL behind it.
 */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
struct viz_bytes arena_bytes(struct arena *arena, const void *data, size_t len);

/*
 * Appends to an array of `count` items. The capacity is the next power of two and need not be
 * stored. Outgrown arrays stay in the arena until its end; they take at most as much again.
 */
#define ARENA_PUSH(arena, items, count, item)                                                      \
	((items) = arena_grow((arena), (items), (count), sizeof(*(items))),                        \
	 (items)[(count)++] = (item))
void *arena_grow(struct arena *arena, void *items, size_t count, size_t size);

/*
 * A map from byte strings to pointers. A zeroed map is empty. Keys are copied into the arena;
 * entries cannot be removed. A copy of a map is not valid any more once something is put into it.
 */
struct map {
	struct map_entry *entries;
	size_t count;
	size_t capacity;
};

void *map_get(const struct map *map, struct viz_bytes key); /* NULL: the map has no such key */
void map_put(struct arena *arena, struct map *map, struct viz_bytes key, void *value);

/* The same with a key that lives as long as the map: it is not copied. Its data is not NULL. */
void map_put_lasting(struct arena *arena, struct map *map, struct viz_bytes key, void *value);

/* map_get() and map_put() with integers as keys; a map has keys of one kind only. */
void *map_get_uint(const struct map *map, uint64_t key);
void map_put_uint(struct arena *arena, struct map *map, uint64_t key, void *value);

#endif
