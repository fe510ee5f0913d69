/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that is freed all at once, and growing lists and maps in it. Where there is no memory
 * left, these functions say so and end the program: a viewer has nothing better to do.
 */
#ifndef VIZ_ARENA_H
#define VIZ_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

struct arena;

struct arena *arena_new(void);

/* For one thing and what belongs to it: so many bytes of it come with the arena itself. */
#define ARENA_SMALL_LEN ((size_t)1024)
struct arena *arena_new_small(void);

void arena_free(struct arena *arena); /* NULL is fine */

/* Zeroed and aligned for anything; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
struct viz_bytes arena_bytes(struct arena *arena, const void *data, size_t len);

/*
 * Appends to an array whose length is *count. Its capacity is the next power of two, so it need
 * not be kept; what is outgrown stays in the arena until the end (at most as much again).
 */
#define ARENA_PUSH(arena, items, count, item)                                                      \
	((items) = arena_grow((arena), (items), (count), sizeof(*(items))),                        \
	 (items)[(count)++] = (item))
void *arena_grow(struct arena *arena, void *items, size_t count, size_t size);

/*
 * A list in memory of its own, which realloc(3) moves and free(3) frees; for what comes and goes.
 * Zeroed it is empty.
 */
#define LIST_PUSH(list, item)                                                                      \
	((list)->items = list_grow((list)->items, (list)->count, &(list)->capacity,                \
				   sizeof(*(list)->items)),                                        \
	 (list)->items[(list)->count++] = (item))
void *list_grow(void *items, size_t count, size_t *capacity, size_t size);

/* Zeroed memory for free(3); never NULL. */
void *memory_new(size_t size);

/* Bytes to pointers. A zeroed map is empty. */
struct map {
	struct map_entry *entries;
	size_t count;
	size_t capacity;
};

void *map_get(const struct map *map, struct viz_bytes key); /* NULL where there is none */
void map_put(struct arena *arena, struct map *map, struct viz_bytes key, void *value);

/* The same with integers as keys. */
void *map_get_uint(const struct map *map, uint64_t key);
void map_put_uint(struct arena *arena, struct map *map, uint64_t key, void *value);

#endif
