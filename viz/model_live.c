// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Operations of a trace that is read piece by piece: each has its own memory, and lives while
 * somebody uses it. Who takes one says so and lets go of it later; the last one frees it.
 */
#include "model_build.h"

/* With its bytes, as short as they mostly are: a block more would be half as much again. */
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

/* At the end: what has begun and not returned is collected, as a model that keeps all has it. */
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
