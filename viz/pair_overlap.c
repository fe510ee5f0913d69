// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Receives of a UDP socket name what lay first in its queue when they began or woke. One alone has
 * taken just that. Of several at once, whoever took another one found his own gone: it was taken by
 * somebody who names it too, or names nothing, or had lost his own in the same way before. So what
 * ended before the first of these began is sure.
 */
#include <stdlib.h>

#include "pair_named.h"

static uint64_t begin_of(const struct flow_item *item)
{
	return item->op->resumed_ns ? item->op->resumed_ns : item->enter_ns;
}

static int compare_begins(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (begin_of(x) != begin_of(y))
		return begin_of(x) < begin_of(y) ? -1 : 1;
	if (x->op != y->op)
		return x->op->id < y->op->id ? -1 : 1;
	return (x->message > y->message) - (x->message < y->message);
}

static int compare_names(const void *a, const void *b)
{
	const struct viz_chunk *x = pair_chunk_of(*(struct flow_item *const *)a);
	const struct viz_chunk *y = pair_chunk_of(*(struct flow_item *const *)b);

	if (!x || !y)
		return !x - !y;
	if (x->operation != y->operation)
		return x->operation < y->operation ? -1 : 1;
	return (x->message > y->message) - (x->message < y->message);
}

/* When the first of those began that name nothing or the same. Sorts them by name. */
static uint64_t first_bad(struct flow_item **items, size_t count)
{
	uint64_t first_ns = VIZ_NEVER;

	qsort(items, count, sizeof(*items), compare_names);
	for (size_t i = 0; i < count; i++) {
		bool same = i && !compare_names(&items[i - 1], &items[i]);

		if (same && begin_of(items[i - 1]) < first_ns)
			first_ns = begin_of(items[i - 1]);
		if ((same || !pair_chunk_of(items[i])) && begin_of(items[i]) < first_ns)
			first_ns = begin_of(items[i]);
	}
	return first_ns;
}

/* Those from the first on of which each begins before another one has ended. */
static size_t cluster_len(struct flow_item **items, size_t count, bool *several)
{
	uint64_t end_ns = items[0]->exit_ns;
	size_t i;

	*several = false;
	for (i = 1; i < count && begin_of(items[i]) <= end_ns; i++) {
		*several |= items[i]->op != items[0]->op;
		end_ns = items[i]->exit_ns > end_ns ? items[i]->exit_ns : end_ns;
	}
	return i;
}

static void add_side(struct arena *arena, struct flow_side *side, struct flow_item ***items,
		     size_t *count)
{
	for (size_t i = 0; i < side->count; i++)
		ARENA_PUSH(arena, *items, *count, &side->items[i]);
}

/* Records are missing: one of those may have been there at the same time. */
static bool may_have_missed(const struct pair_context *context, struct channel_traffic *traffic,
			    const struct flow_side *settled)
{
	for (size_t i = 0; i < settled->count; i++) {
		const struct viz_thread *thread = settled->items[i].op->thread;

		if (!traffic->receiver)
			traffic->receiver = thread;
		traffic->shared |= thread != traffic->receiver;
	}
	return context->lost && traffic->shared;
}

void pair_mark_overlaps(struct pair_context *context, struct channel_traffic *traffic,
			struct flow_side *settled)
{
	bool missed = may_have_missed(context, traffic, settled), several;
	struct flow_item **items = NULL;
	size_t count = 0, len;

	add_side(context->round, settled, &items, &count);
	add_side(context->round, &traffic->receives, &items, &count);
	if (count)
		qsort(items, count, sizeof(*items), compare_begins);
	for (; count; items += len, count -= len) {
		uint64_t bad_ns;

		len = cluster_len(items, count, &several);
		bad_ns = missed ? 0 : several ? first_bad(items, len) : VIZ_NEVER;
		for (size_t i = 0; i < len; i++)
			items[i]->unsure = items[i]->exit_ns >= bad_ns;
	}
}
