/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A map from numbers to pointers from which entries can be removed; its memory grows with the
 * largest number of entries at one time. A zeroed map is empty. id_map_free() frees the map, not
 * what the entries point to.
 */
#ifndef VIZ_BASE_ID_MAP_H
#define VIZ_BASE_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

struct id_slot {
	uint64_t id;
	void *value; /* NULL: the slot is free */
};

struct id_map {
	struct id_slot *slots; /* `capacity` slots, also free ones; may be iterated */
	size_t count;
	size_t capacity;
};

void *id_map_get(const struct id_map *map, uint64_t id);       /* NULL: there is none */
void id_map_put(struct id_map *map, uint64_t id, void *value); /* value must not be NULL */
void id_map_remove(struct id_map *map, uint64_t id);	       /* it may be missing */
void id_map_free(struct id_map *map);

#endif
