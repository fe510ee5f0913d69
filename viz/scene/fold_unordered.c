// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A long stretch in which many processes talk in no order that a reader could follow becomes one
 * row per kind of event, with its count. Every event is counted.
 */
#include "viz/base/compare.h"
#include "viz/scene/fold.h"

#include <stdlib.h>

enum { KINDS_MOST = 32 };

struct kind {
	size_t draft; /* the first of this kind */
	size_t order;
	struct draft_fold *fold;
};

struct mix {
	struct scene_drafts *d;
	struct arena *arena;
	struct map kinds;
	struct kind **list;
	size_t count;
	struct draft_fold *sums;
};

/*
 * A received half counts as the whole message, unless the lane of its sender has ended before.
 * Pieces hang on nothing where nothing has an order.
 */
static struct draft whole(const struct scene_drafts *d, const struct draft *draft)
{
	struct draft copy = *draft;

	if (draft->headless && draft->part == SCENE_SENT)
		copy.part = SCENE_WHOLE;
	copy.tailless = copy.headless = false;
	if (draft->part != SCENE_RECEIVED || draft->from < 0 ||
	    d->lane_end_ns[draft->from] <= draft->at_ns)
		return copy;
	copy.part = SCENE_WHOLE;
	copy.tie = 0;
	return copy;
}

static void count(struct mix *mix, size_t index)
{
	struct draft draft = whole(mix->d, &mix->d->rows[index]);
	struct scene_shape shape;
	struct viz_bytes key = {(const char *)&shape, sizeof(shape)};
	struct draft_fold one;
	struct kind *kind;

	if (draft.part == SCENE_SENT) /* it is counted where it arrives */
		return;
	scene_shape(&draft, true, &shape);
	scene_fold_begin(&one, &draft);
	scene_fold_add(mix->sums, &one);
	kind = map_get(&mix->kinds, key);
	if (kind) {
		scene_fold_add(kind->fold, &one);
		kind->fold->times_least = ++kind->fold->times_most;
		return;
	}
	kind = arena_alloc(mix->arena, sizeof(*kind));
	kind->draft = index;
	kind->order = mix->count;
	kind->fold = arena_alloc(mix->d->arena, sizeof(*kind->fold));
	*kind->fold = one;
	map_put(mix->arena, &mix->kinds, arena_bytes(mix->arena, &shape, sizeof(shape)), kind);
	ARENA_PUSH(mix->arena, mix->list, mix->count, kind);
}

size_t scene_fold_kinds(const struct scene_drafts *d, size_t first, size_t end)
{
	struct arena *arena = arena_new();
	struct map kinds = {0};
	size_t count;

	for (size_t i = first; i < end; i++) {
		struct draft draft = whole(d, &d->rows[i]);
		struct scene_shape shape;
		struct viz_bytes key = {(const char *)&shape, sizeof(shape)};

		if (draft.part == SCENE_SENT)
			continue;
		scene_shape(&draft, true, &shape);
		if (!map_get(&kinds, key))
			map_put(arena, &kinds, arena_bytes(arena, key.data, key.len), arena);
	}
	count = kinds.count;
	arena_free(arena);
	return count;
}

static int busiest_first(const void *a, const void *b)
{
	const struct kind *x = *(struct kind *const *)a, *y = *(struct kind *const *)b;

	return COMPARE(y->fold->total, x->fold->total) ?: COMPARE(x->order, y->order);
}

static int by_order(const void *a, const void *b)
{
	const struct kind *x = *(struct kind *const *)a, *y = *(struct kind *const *)b;

	return COMPARE(x->order, y->order);
}

static void put_kind(struct fold_rows *out, const struct kind *kind)
{
	struct draft draft = whole(out->d, &out->d->rows[kind->draft]);

	if (kind->fold->total > 1)
		draft.fold = kind->fold;
	scene_fold_put(out, &draft);
}

/* One row with the sum of the rarest kinds, those beyond KINDS_MOST. */
static void put_others(struct fold_rows *out, const struct mix *mix, uint64_t at_ns)
{
	struct draft others = {
		.kind = SCENE_NOTE, .from = SCENE_NOWHERE, .to = SCENE_NOWHERE, .at_ns = at_ns};
	struct draft_gap *gap = arena_alloc(out->d->arena, sizeof(*gap));

	for (size_t i = KINDS_MOST; i < mix->count; i++) {
		gap->rows += mix->list[i]->fold->total;
		gap->messages += mix->list[i]->fold->messages;
	}
	if (!gap->rows)
		return;
	others.of.left_out = gap;
	out->d->left_out += gap->rows;
	out->d->left_out_messages += gap->messages;
	scene_fold_put(out, &others);
}

void scene_fold_mix(struct fold_rows *out, size_t first, size_t end)
{
	struct mix mix = {.d = out->d, .arena = arena_new()};
	uint64_t end_ns = out->d->rows[end - 1].at_ns;
	size_t shown;

	mix.sums = arena_alloc(out->d->arena, sizeof(*mix.sums));
	*mix.sums = (struct draft_fold){
		.bytes_least = UINT64_MAX, .latency_least_ns = UINT64_MAX, .mixed = true};
	for (size_t i = first; i < end; i++)
		count(&mix, i);
	shown = mix.count < KINDS_MOST ? mix.count : KINDS_MOST;
	if (mix.count)
		qsort(mix.list, mix.count, sizeof(struct kind *), busiest_first);
	if (shown)
		qsort(mix.list, shown, sizeof(struct kind *), by_order);
	scene_fold_open(out, out->d->rows[first].at_ns, mix.sums);
	for (size_t i = 0; i < shown; i++)
		put_kind(out, mix.list[i]);
	put_others(out, &mix, end_ns);
	scene_fold_close(out, end_ns);
	arena_free(mix.arena);
}
