// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/position/drained_ends.h"

#include <stdlib.h>

#include "viz/base/sorted_search.h"
#include "viz/model/operation_facts.h"
#include "viz/pair/position/placing.h"

static bool into_file(const struct flow_side *receives)
{
	for (size_t i = 0; i < receives->count; i++)
		if (receives->items[i].op->role == ROLE_TRANSFER &&
		    !viz_operation_sink(receives->items[i].op))
			return true;
	return false;
}

static void note(struct placing *p, uint32_t head, uint64_t end)
{
	struct drained_end seen = {head, (uint32_t)end};

	ARENA_PUSH(p->context->round, p->drained.items, p->drained.count, seen);
}

static void note_seen(struct placing *p, const struct viz_position *position)
{
	if (position->known)
		note(p, position->head, position->end);
}

/*
 * A write that returned when the pipe had been drained: nobody may have seen where it ended. It
 * filled at least what it would have filled alone.
 */
static void note_written(struct placing *p, const struct flow_item *item)
{
	const struct viz_position *entry = operation_pipe_entry(item->op, true);
	const struct viz_position *exit = operation_pipe_exit(item->op, true);
	struct place_option options[PLACE_OPTIONS];
	uint64_t at = (uint64_t)entry->head * SLOT_LEN +
		      (entry->head == entry->tail ? SLOT_LEN - 1 : entry->end);
	size_t count;

	if (!entry->known || !exit->known || exit->head != exit->tail ||
	    !operation_makes_copies(item->op))
		return;
	count = place_pipe.options(at, item, options);
	for (size_t i = 0; i < count; i++)
		if (options[i].after / SLOT_LEN == exit->head)
			note(p, exit->head, options[i].after % SLOT_LEN);
}

static int compare_ends(const void *a, const void *b)
{
	const struct drained_end *x = a, *y = b;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	return (x->end < y->end) - (x->end > y->end);
}

/* Keeps the largest of each head. */
static void keep_largest(struct drained_ends *ends)
{
	size_t kept = 0;

	if (ends->count)
		qsort(ends->items, ends->count, sizeof(*ends->items), compare_ends);
	for (size_t i = 0; i < ends->count; i++)
		if (!kept || ends->items[i].head != ends->items[kept - 1].head)
			ends->items[kept++] = ends->items[i];
	ends->count = kept;
}

void drained_ends_find(struct placing *p)
{
	const struct flow_side *sides[] = {&p->flow->sends, &p->flow->receives};

	if (p->linear || p->flow->packets || !into_file(&p->flow->receives))
		return;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sides[k]->count; i++) {
			const struct flow_item *item = &sides[k]->items[i];

			note_seen(p, operation_pipe_entry(item->op, k == 0));
			note_seen(p, operation_pipe_lock(item->op, k == 0));
			note_seen(p, operation_pipe_exit(item->op, k == 0));
			if (k == 0 && flow_is_settled(p->flow, item))
				note_written(p, item);
		}
	keep_largest(&p->drained);
}

static uint64_t head_of(const void *items, size_t index)
{
	return ((const struct drained_end *)items)[index].head;
}

uint32_t drained_end_at(const struct drained_ends *ends, const struct viz_position *position)
{
	size_t at = position->head == position->tail
			    ? search_until(ends->items, ends->count, head_of, position->head)
			    : 0;

	if (!at || ends->items[at - 1].head != position->head ||
	    ends->items[at - 1].end < position->end)
		return position->end;
	return ends->items[at - 1].end;
}
