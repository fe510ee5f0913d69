// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All calls of a trace, those that are packed too, in the order of their begin. */
#include <stdlib.h>

#include "viz/scene/drafts.h"

static bool has_failed(const struct viz_model *model)
{
	for (size_t i = 0; i < model->operation_count; i++)
		if (model->operations[i]->channel && viz_operation_failed(model->operations[i]))
			return true;
	return false;
}

void scene_walk_begin(struct scene_walk *walk, const struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	*walk = (struct scene_walk){.d = d};
	if (!pairing->packed || !has_failed(d->request->model))
		return;
	walk->packed = packed_calls(pairing->packed, false);
	walk->packed_count = 2 * packed_count(pairing->packed);
}

static const struct viz_operation *brief_of(const struct packed_call *call)
{
	const struct viz_message *m = packed_brief(call->record);

	return call->side ? m->to.operation : m->from.operation;
}

static bool is_before(const struct packed_call *call, const struct viz_operation *op)
{
	return call->enter_ns != op->enter_ns ? call->enter_ns < op->enter_ns : call->id < op->id;
}

const struct viz_operation *scene_walk_next(struct scene_walk *walk)
{
	const struct viz_model *model = walk->d->request->model;
	const bool more = walk->next_packed < walk->packed_count;
	const struct packed_call *call = more ? &walk->packed[walk->next_packed] : NULL;
	const bool kept = walk->next < model->operation_count;

	walk->is_packed = call && (!kept || is_before(call, model->operations[walk->next]));
	if (walk->is_packed) {
		walk->next_packed++;
		return brief_of(call);
	}
	return kept ? model->operations[walk->next++] : NULL;
}

void scene_walk_end(struct scene_walk *walk)
{
	free(walk->packed);
}
