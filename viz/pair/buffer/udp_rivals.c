// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A receive of a UDP socket names the message that lay first in the queue when it began or woke. A
 * receive that is alone took that message. If several receives overlap, one that took another
 * message found its own gone: taken by a receive that names it as well, or that names none, or that
 * had lost its own message in the same way. So a receive that ended before the first of these began
 * is exact. Some receives prove what they took: they are left out, and another receive that names
 * the same message has taken a different one.
 */
#include <stdlib.h>

#include "viz/pair/buffer/buffer_match.h"

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

/*
 * The beginning of the first receive that names no send, or the same as another one; VIZ_NEVER if
 * there is none. Sorts the receives by the send that they name.
 */
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

/*
 * The length of the first cluster: each receive in it begins before an earlier one has ended. Sets
 * `several` if they are of more than one call.
 */
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

/* True if records are missing and several threads receive: a lost receive may overlap any other. */
static bool may_have_missed(const struct pair_context *context, struct channel_traffic *traffic,
			    const struct flow_side *settled)
{
	for (size_t i = 0; i < settled->count; i++) {
		const struct viz_thread *thread = settled->items[i].op->thread;

		if (!traffic->udp.receiver)
			traffic->udp.receiver = thread;
		traffic->udp.shared |= thread != traffic->udp.receiver;
	}
	return context->lost && traffic->udp.shared;
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

/* A message that one receive is proved to have taken is crossed off the names of all others. */
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
			items[i]->rival.not_taken++;
	}
}

static bool any_settled(const struct pair_context *context, struct flow_item **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i]->exit_ns < context->until_ns)
			return true;
	return false;
}

/* Marks the receives of one cluster, none of which is proved; `several`: of more than one call. */
static void mark_unproved(const struct pair_context *context, struct flow_item **items,
			  size_t count, bool several)
{
	bool settled = any_settled(context, items, count);
	uint64_t bad_ns = first_bad(items, count);

	for (size_t i = 0; i < count; i++) {
		bool bad = several ? pair_took_until(items[i]) >= bad_ns : !pair_chunk_of(items[i]);

		items[i]->rival.contested = items[i]->rival.contested_ever || bad;
		items[i]->rival.contested_ever |= bad && settled;
	}
}

static void mark_cluster(const struct pair_context *context, struct flow_item **items, size_t count)
{
	struct flow_item **unproved = items;
	size_t kept = 0, len;
	bool several;

	for (size_t i = 0; i < count; i++) {
		items[i]->rival.contested = false;
		if (!is_proved(items[i]))
			unproved[kept++] = items[i];
	}
	for (; kept; unproved += len, kept -= len) {
		len = cluster_len(unproved, kept, &several);
		mark_unproved(context, unproved, len, several);
	}
}

static void mark_all(struct flow_item **items, size_t count, bool contested)
{
	for (size_t i = 0; i < count; i++)
		items[i]->rival.contested = items[i]->rival.contested_ever ||
					    (contested && !is_proved(items[i]));
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
