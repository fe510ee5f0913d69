// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reference counts of operations while a trace is read as a stream. Each operation has an arena of
 * its own; viz_operation_use() takes a reference, and the last viz_operation_drop() frees it.
 */
#include "viz/model/builder.h"

/*
 * Operation and payload mostly fit the arena's first block; a second one costs half as much again.
 */
_Static_assert(sizeof(struct viz_operation) + 128 <= ARENA_SMALL_LEN, "one allocation for each");

struct viz_operation *model_live_operation(struct model_builder *b)
{
	struct arena *memory = arena_new_small();
	struct viz_operation *op = arena_alloc(memory, sizeof(*op));

	op->memory = memory;
	op->known_by = b->model->index;
	return op;
}

struct viz_operation *viz_operation_use(const struct viz_operation *op)
{
	struct viz_operation *used = (struct viz_operation *)op;

	if (used && used->memory)
		used->uses++;
	return used;
}

void viz_operation_drop(const struct viz_operation *op)
{
	struct viz_operation *used = (struct viz_operation *)op;

	if (!used || !used->memory || --used->uses)
		return;
	id_map_remove(&used->known_by->operations, used->id);
	arena_free(used->memory);
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

	for (size_t i = 0; i < map->capacity; i++)
		if (map->slots[i].value)
			arena_free(((struct viz_operation *)map->slots[i].value)->memory);
}
