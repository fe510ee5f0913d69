/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Numbers to pointers, where entries come and go: its memory grows with what is in it, not with
 * what has been. Zeroed it is empty; id_map_free() gives its memory back, not what it points to.
 */
#ifndef VIZ_ID_MAP_H
#define VIZ_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

struct id_slot {
	uint64_t id;
	void *value; /* NULL: free */
};

struct id_map {
	struct id_slot *slots; /* to walk through all: `capacity` of them, free ones too */
	size_t count;
	size_t capacity;
};

void *id_map_get(const struct id_map *map, uint64_t id);       /* NULL where there is none */
void id_map_put(struct id_map *map, uint64_t id, void *value); /* `value` is not NULL */
void id_map_remove(struct id_map *map, uint64_t id);	       /* fine where there is none */
void id_map_free(struct id_map *map);

#endif
