// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A hash table with open addressing. When an entry is removed, later entries of its run move up. */
#include "viz/base/id_map.h"

#include <stdlib.h>

#include "viz/base/arena.h"

/* Ids are given in turn: those of one group get neighbouring slots, in one or two cache lines. */
#define GROUP 8

static size_t home_of(const struct id_map *map, uint64_t id)
{
	uint64_t group = id / GROUP * 0x9e3779b97f4a7c15;

	return ((group ^ group >> 32) * GROUP + id % GROUP) & (map->capacity - 1);
}

/*
 * Whoever asks for an id mostly asks for those of the next group soon: their slots, which lie
 * elsewhere in a table that no cache holds, are fetched meanwhile.
 */
static void expect(const struct id_map *map, uint64_t id)
{
	__builtin_prefetch(&map->slots[home_of(map, id + 4 * GROUP)]);
}

static size_t find(const struct id_map *map, uint64_t id)
{
	size_t i = home_of(map, id);

	expect(map, id);
	while (map->slots[i].value && map->slots[i].id != id)
		i = (i + 1) & (map->capacity - 1);
	return i;
}

void *id_map_get(const struct id_map *map, uint64_t id)
{
	return map->capacity ? map->slots[find(map, id)].value : NULL;
}

static void grow(struct id_map *map)
{
	struct id_map old = *map;

	map->capacity = old.capacity ? old.capacity * 2 : 16;
	map->slots = memory_new(map->capacity * sizeof(*map->slots));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].value)
			map->slots[find(map, old.slots[i].id)] = old.slots[i];
	free(old.slots);
}

void id_map_put(struct id_map *map, uint64_t id, void *value)
{
	size_t i;

	if (map->count >= map->capacity / 2)
		grow(map);
	i = find(map, id);
	map->count += map->slots[i].value == NULL;
	map->slots[i] = (struct id_slot){id, value};
}

void id_map_remove(struct id_map *map, uint64_t id)
{
	size_t mask = map->capacity - 1, hole, i;

	if (!map->capacity)
		return;
	hole = find(map, id);
	if (!map->slots[hole].value)
		return;
	map->count--;
	for (i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
		size_t home = home_of(map, map->slots[i].id);

		if (((i - home) & mask) < ((i - hole) & mask))
			continue; /* it must not move before its home slot */
		map->slots[hole] = map->slots[i];
		hole = i;
	}
	map->slots[hole].value = NULL;
}

void id_map_free(struct id_map *map)
{
	free(map->slots);
	*map = (struct id_map){0};
}
