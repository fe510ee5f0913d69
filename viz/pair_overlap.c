// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Receives of a UDP socket name what lay first in its queue when they began or woke. One alone has
 * taken just that. Of several at once, whoever took another one found his own gone: it was taken by
 * somebody who names it too, or names nothing, or had lost his own in the same way before. So what
 * ended before the first of these began is sure. Some prove what they have taken: these are out of
 * it, and whoever names the same has taken another one.
 */
#include <stdlib.h>

#include "pair_named.h"

static int compare_begins(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (pair_took_from(x) != pair_took_from(y))
		return pair_took_from(x) < pair_took_from(y) ? -1 : 1;
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

		if (same && pair_took_from(items[i - 1]) < first_ns)
			first_ns = pair_took_from(items[i - 1]);
		if ((same || !pair_chunk_of(items[i])) && pair_took_from(items[i]) < first_ns)
			first_ns = pair_took_from(items[i]);
	}
	return first_ns;
}

/* Those from the first on of which each begins before another one has ended. */
static size_t cluster_len(struct flow_item **items, size_t count, bool *several)
{
	uint64_t end_ns = pair_took_until(items[0]);
	size_t i;

	*several = false;
	for (i = 1; i < count && pair_took_from(items[i]) <= end_ns; i++) {
		uint64_t until_ns = pair_took_until(items[i]);

		*several |= items[i]->op != items[0]->op;
		end_ns = until_ns > end_ns ? until_ns : end_ns;
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

static struct viz_bytes name_key(const struct viz_chunk *chunk, uint64_t words[2])
{
	words[0] = chunk->operation;
	words[1] = chunk->message;
	return (struct viz_bytes){(const char *)words, 2 * sizeof(*words)};
}

static bool is_proved(const struct flow_item *item)
{
	const struct viz_chunk *chunk = pair_chunk_of(item);

	return chunk && chunk->proved;
}

/* What somebody has for certain, nobody else has. */
static void pass_over_proved(struct pair_context *context, struct flow_item **items, size_t count)
{
	struct map proved = {0};
	const struct viz_chunk *chunk;
	uint64_t words[2];

	for (size_t i = 0; i < count; i++)
		if (is_proved(items[i]))
			map_put(context->round, &proved, name_key(pair_chunk_of(items[i]), words),
				items[i]);
	for (size_t i = 0; i < count; i++) {
		if (is_proved(items[i]))
			continue;
		while ((chunk = pair_chunk_of(items[i])) != NULL &&
		       map_get(&proved, name_key(chunk, words)))
			items[i]->not_taken++;
	}
}

static bool any_settled(const struct pair_context *context, struct flow_item **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i]->exit_ns < context->until_ns)
			return true;
	return false;
}

/* None of these is proved, and each begins before another one has ended; `several`: of calls. */
static void mark_unproved(const struct pair_context *context, struct flow_item **items,
			  size_t count, bool several)
{
	bool settled = any_settled(context, items, count);
	uint64_t bad_ns = first_bad(items, count);

	for (size_t i = 0; i < count; i++) {
		bool bad = several ? pair_took_until(items[i]) >= bad_ns : !pair_chunk_of(items[i]);

		items[i]->unsure = items[i]->unsure_ever || bad;
		items[i]->unsure_ever |= bad && settled;
	}
}

static void mark_cluster(const struct pair_context *context, struct flow_item **items, size_t count)
{
	struct flow_item **unproved = items;
	size_t kept = 0, len;
	bool several;

	for (size_t i = 0; i < count; i++) {
		items[i]->unsure = false;
		if (!is_proved(items[i]))
			unproved[kept++] = items[i];
	}
	for (; kept; unproved += len, kept -= len) {
		len = cluster_len(unproved, kept, &several);
		mark_unproved(context, unproved, len, several);
	}
}

static void mark_all(struct flow_item **items, size_t count, bool unsure)
{
	for (size_t i = 0; i < count; i++)
		items[i]->unsure = items[i]->unsure_ever || (unsure && !is_proved(items[i]));
}

void pair_mark_overlaps(struct pair_context *context, struct channel_traffic *traffic,
			struct flow_side *settled)
{
	bool missed = may_have_missed(context, traffic, settled), several;
	struct flow_item **items = NULL;
	size_t count = 0, len;

	add_side(context->round, settled, &items, &count);
	add_side(context->round, &traffic->receives, &items, &count);
	pass_over_proved(context, items, count);
	if (count)
		qsort(items, count, sizeof(*items), compare_begins);
	for (; count; items += len, count -= len) {
		len = cluster_len(items, count, &several);
		if (several && !missed)
			mark_cluster(context, items, len);
		else
			mark_all(items, len, missed);
	}
}
