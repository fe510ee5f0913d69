// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/arena.h"

#include <stdbool.h>
#include <stdlib.h>

/* Each block is twice as long as the last, up to one that gets huge pages (memory.c). */
#define BLOCK_LEN ((size_t)64 << 10)
#define BLOCK_LEN_MAX ((size_t)4 << 20)
#define SMALL_BLOCK_LEN ((size_t)128) /* of a small arena, behind the first one */
#define ALIGN _Alignof(uint64_t)      /* no type of ours needs more */

struct block {
	struct block *next;
	size_t used;
	size_t size;
	uint64_t data[];
};

struct arena {
	struct block *blocks;
	size_t block_len; /* of new blocks */
};

_Static_assert(sizeof(struct arena) % _Alignof(struct block) == 0, "a block may stand behind it");

struct arena *arena_new(void)
{
	struct arena *arena = memory_new(sizeof(*arena));

	arena->block_len = BLOCK_LEN;
	return arena;
}

struct arena *arena_new_small(void)
{
	/* The first block lies behind the arena, in the same allocation. */
	struct arena *arena = memory_new(sizeof(*arena) + sizeof(struct block) + ARENA_SMALL_LEN);
	struct block *block = (void *)(arena + 1);

	block->size = ARENA_SMALL_LEN;
	arena->blocks = block;
	arena->block_len = SMALL_BLOCK_LEN;
	return arena;
}

/* True for the block that lies in the arena's own allocation. */
static bool is_inside(const struct arena *arena, const struct block *block)
{
	return (const void *)block == (const void *)(arena + 1);
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->blocks) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		if (!is_inside(arena, block))
			free(block);
	}
	free(arena);
}

/*
 * A block with room for `size` bytes. Large pieces get a block of their own, which is put behind
 * the current one, so that the current one's free space is still used.
 */
static struct block *block_for(struct arena *arena, size_t size)
{
	struct block *current = arena->blocks;
	size_t len = size > arena->block_len ? size : arena->block_len;
	struct block *block;

	if (current && current->size - current->used >= size)
		return current;
	block = memory_new(sizeof(*block) + len);
	block->size = len;
	if (current && size > arena->block_len / 4) {
		block->next = current->next;
		current->next = block;
	} else {
		block->next = current;
		arena->blocks = block;
		if (arena->block_len >= BLOCK_LEN && arena->block_len < BLOCK_LEN_MAX)
			arena->block_len *= 2;
	}
	return block;
}

/*
 * Frees memory of the arena that nobody uses any more, if it has a block of its own. Only a block
 * behind the current one gets nothing further.
 */
static void give_back(struct arena *arena, const void *memory, size_t size)
{
	struct block **link = &arena->blocks, *block;

	if (!memory || size < BLOCK_LEN)
		return;
	while ((block = *link) && block->data != memory)
		link = &block->next;
	if (!block || block == arena->blocks || block->used != size)
		return;
	*link = block->next;
	free(block);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct block *block;
	char *memory;

	if (size > SIZE_MAX / 2)
		size = SIZE_MAX / 2; /* block_for() fails with a message */
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	block = block_for(arena, size);
	memory = (char *)block->data + block->used;
	block->used += size;
	return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	return arena_alloc(arena, count > SIZE_MAX / 2 / size ? SIZE_MAX : count * size);
}

struct viz_bytes arena_bytes(struct arena *arena, const void *data, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, data, len);
	return (struct viz_bytes){copy, len};
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t size)
{
	void *bigger;

	if (items && (count < 4 || (count & (count - 1)) != 0))
		return items;
	bigger = arena_array(arena, count < 4 ? 4 : count * 2, size);
	if (items)
		memcpy(bigger, items, count * size);
	return bigger;
}

struct map_entry {
	struct viz_bytes key; /* data NULL: the slot is free */
	uint64_t hash;
	void *value;
};

static struct map_entry *find_entry(const struct map *map, struct viz_bytes key, uint64_t hash)
{
	for (size_t i = hash;; i++) {
		struct map_entry *entry = &map->entries[i & (map->capacity - 1)];

		if (!entry->key.data)
			return entry;
		if (entry->hash == hash && viz_bytes_equal(entry->key, key))
			return entry;
	}
}

static void grow_map(struct arena *arena, struct map *map)
{
	struct map old = *map;

	map->capacity = old.capacity ? old.capacity * 2 : 16;
	map->entries = arena_array(arena, map->capacity, sizeof(*map->entries));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.entries[i].key.data)
			*find_entry(map, old.entries[i].key, old.entries[i].hash) = old.entries[i];
	give_back(arena, old.entries, old.capacity * sizeof(*old.entries));
}

void *map_get(const struct map *map, struct viz_bytes key)
{
	return map->capacity ? find_entry(map, key, viz_bytes_hash(key))->value : NULL;
}

/* The entry of the key, which may be a free one so far. */
static struct map_entry *room_for(struct arena *arena, struct map *map, struct viz_bytes key,
				  uint64_t hash)
{
	if (map->count >= map->capacity / 2)
		grow_map(arena, map);
	return find_entry(map, key, hash);
}

static void fill(struct map *map, struct map_entry *entry, struct viz_bytes key, uint64_t hash)
{
	entry->key = key;
	entry->hash = hash;
	map->count++;
}

void map_put(struct arena *arena, struct map *map, struct viz_bytes key, void *value)
{
	uint64_t hash = viz_bytes_hash(key);
	struct map_entry *entry = room_for(arena, map, key, hash);

	if (!entry->key.data)
		fill(map, entry, arena_bytes(arena, key.data, key.len), hash);
	entry->value = value;
}

void map_put_lasting(struct arena *arena, struct map *map, struct viz_bytes key, void *value)
{
	uint64_t hash = viz_bytes_hash(key);
	struct map_entry *entry = room_for(arena, map, key, hash);

	if (!entry->key.data)
		fill(map, entry, key, hash);
	entry->value = value;
}

static struct viz_bytes uint_key(const uint64_t *key)
{
	return (struct viz_bytes){(const char *)key, sizeof(*key)};
}

void *map_get_uint(const struct map *map, uint64_t key)
{
	return map_get(map, uint_key(&key));
}

void map_put_uint(struct arena *arena, struct map *map, uint64_t key, void *value)
{
	map_put(arena, map, uint_key(&key), value);
}
