// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/lock_wakes.h"

static uint64_t key_of(const struct viz_operation *op)
{
	return (uintptr_t)op;
}

void lock_wakes_add(struct lock_wakes *wakes, struct viz_message *m)
{
	const struct viz_operation *give = m->from.operation, *take = m->to.operation;

	if (id_map_get(&wakes->by_give, key_of(give)) || id_map_get(&wakes->by_take, key_of(take)))
		return; /* one of many that a call woke */
	id_map_put(&wakes->by_give, key_of(give), m);
	id_map_put(&wakes->by_take, key_of(take), m);
}

uint32_t lock_wakes_references(const struct lock_wakes *wakes, const struct viz_operation *op)
{
	return (id_map_get(&wakes->by_give, key_of(op)) != NULL) +
	       (id_map_get(&wakes->by_take, key_of(op)) != NULL);
}

struct viz_message *lock_wakes_remove(struct lock_wakes *wakes, const struct viz_operation *op)
{
	struct viz_message *m = id_map_get(&wakes->by_give, key_of(op));

	m = m ? m : id_map_get(&wakes->by_take, key_of(op));
	if (!m)
		return NULL;
	id_map_remove(&wakes->by_give, key_of(m->from.operation));
	id_map_remove(&wakes->by_take, key_of(m->to.operation));
	return m;
}

void lock_wakes_free(struct lock_wakes *wakes)
{
	id_map_free(&wakes->by_give);
	id_map_free(&wakes->by_take);
}
