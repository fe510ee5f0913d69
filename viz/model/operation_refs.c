// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reference counts of operations while a trace is read as a stream. Each operation has an arena of
 * its own; viz_operation_use() takes a reference, and the last viz_operation_drop() frees it.
 */
#include "viz/model/builder.h"

struct live_operation {
	struct viz_operation operation; /* the first member, so that one pointer is that of both */
	struct arena *memory;		/* holds all this */
	struct model_index *known_by;	/* the index that it is removed from when it is freed */
};

/*
 * Operation and payload mostly fit the arena's first block; a second one costs half as much again.
 */
#define USUAL_PAYLOAD 64
_Static_assert(sizeof(struct live_operation) + USUAL_PAYLOAD + 8 <= ARENA_SMALL_LEN,
	       "one allocation for each");

struct viz_operation *model_live_operation(struct model_builder *b)
{
	struct arena *memory = arena_new_small();
	struct live_operation *live = arena_alloc(memory, sizeof(*live));

	live->operation.live = true;
	live->memory = memory;
	live->known_by = b->model->index;
	return &live->operation;
}

struct arena *model_live_memory(struct viz_operation *op)
{
	return ((struct live_operation *)op)->memory;
}

struct viz_operation *viz_operation_use(const struct viz_operation *op)
{
	struct viz_operation *used = (struct viz_operation *)op;

	if (used && used->live)
		used->uses++;
	return used;
}

void viz_operation_drop(const struct viz_operation *op)
{
	struct live_operation *live = (struct live_operation *)op;

	if (!op || !op->live || --live->operation.uses)
		return;
	id_map_remove(&live->known_by->operations, op->id);
	arena_free(live->memory);
}

/* At the end, collects the unfinished operations in the list that a whole model has them in. */
void model_live_unfinished(struct viz_model *model)
{
	const struct id_map *map = &model->index->operations;

	model->operation_count = 0;
	for (size_t i = 0; i < map->capacity; i++) {
		struct viz_operation *op = map->slots[i].value;

		if (op && !viz_operation_done(op))
			ARENA_PUSH(model->arena, model->operations, model->operation_count, op);
	}
	build_sort_operations(model);
}

void model_live_free(struct viz_model *model)
{
	const struct id_map *map = &model->index->operations;

	for (size_t i = 0; i < map->capacity; i++) {
		struct viz_operation *op = map->slots[i].value;

		if (op && op->live)
			arena_free(model_live_memory(op));
	}
}
