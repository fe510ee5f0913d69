/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The open descriptors of a table, in order of their numbers. They lie in chunks, so that adding
 * and removing one among many moves only its neighbours. A zeroed list is empty. Private to
 * descriptors.c and fd_table*.c.
 */
#ifndef VIZ_MODEL_FD_SLOTS_H
#define VIZ_MODEL_FD_SLOTS_H

#include "viz/model/builder.h"

struct fd_slot {
	int32_t fd;
	enum access access;
	struct viz_channel *channel;
	/* Linked by of_slot; those that ended are still among them. */
	struct viz_holding *held;
	struct viz_holding *marked; /* from this one on fd_table_last() has marked them */
};

struct fd_chunk;

struct fd_slots {
	struct fd_chunk **chunks; /* none is empty */
	size_t count;
	size_t capacity;
	struct fd_chunk *spare; /* the last one that became empty; NULL: none */
};

/* Pointers to slots are valid until the next fd_slots_add() or fd_slots_remove(). */
struct fd_slot *fd_slots_find(const struct fd_slots *slots, int32_t fd); /* NULL: not open */

/* The first descriptor with this number or a higher one; NULL: none is open. */
struct fd_slot *fd_slots_from(const struct fd_slots *slots, int64_t fd);

/* A new slot for a descriptor that is not open. */
struct fd_slot *fd_slots_add(struct arena *arena, struct fd_slots *slots, int32_t fd);
void fd_slots_clear(struct fd_slots *slots);
void fd_slots_remove(struct fd_slots *slots, int32_t fd); /* it must be open */

#endif
