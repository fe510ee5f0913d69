// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Turns repeated exchanges into loops, and loops of loops. Drafts are appended to a list one by
 * one. Whenever the list ends with the same few items twice, or with the body of the loop before
 * them, these are merged into one item. Equal drafts in a row are one item with a count of its own,
 * so that a round may have two of something where the next has five. An item is compared at most
 * once per body length and merged into another at most once: the time is linear.
 *
 * If too many rows remain, stretches are drawn without order (fold_unordered.c); if many remain,
 * only stretches of few kinds are.
 */
#include "viz/scene/fold.h"

#include <stdlib.h>

enum {
#define BOUND(name, number) name = (number),
#include "viz/base/memory.h"
#include "viz/scene/fold_limits.def"
#undef BOUND
};

/* A draft, several equal ones in a row, or a loop. */
struct node {
	uint32_t id; /* nodes with equal ids have equal structure; 0: like no other */
	uint32_t body_count;
	bool fixed;   /* it must keep its place: a life begins or ends, or it is like no other */
	size_t first; /* index of its first draft */
	size_t end;   /* behind its last draft; in a body, of the first round only */
	struct node *body;
	struct draft_fold *fold; /* NULL: it stands for one draft */
};

struct folding {
	struct scene_drafts *d;
	struct arena *arena; /* for nodes and map keys */
	struct map numbers;  /* shapes and bodies to their ids */
	uint32_t number;
	struct {
		struct node *items;
		size_t count;
		size_t capacity;
	} list;
	struct fold_rows out;
};

/* --- numbers of structures --- */

static uint32_t number_of(struct folding *f, const void *key, size_t len)
{
	struct viz_bytes bytes = {key, len};
	uintptr_t number = (uintptr_t)map_get(&f->numbers, bytes);

	if (!number) {
		number = ++f->number;
		map_put(f->arena, &f->numbers, arena_bytes(f->arena, key, len),
			(void *)number); /* NOLINT(performance-no-int-to-ptr): no pointer */
	}
	return (uint32_t)number;
}

static uint32_t number_of_body(struct folding *f, const struct node *body, size_t count)
{
	uint32_t key[BODY_MOST + 1] = {UINT32_MAX};

	for (size_t i = 0; i < count; i++)
		key[i + 1] = body[i].id;
	return number_of(f, key, (count + 1) * sizeof(*key));
}

/* --- sums --- */

static struct draft_fold *fold_of(struct folding *f, struct node *node)
{
	if (!node->fold) {
		node->fold = arena_alloc(f->d->arena, sizeof(*node->fold));
		scene_fold_begin(node->fold, &f->d->rows[node->first]);
	}
	return node->fold;
}

/* Adds the counts of another round to those of a body's item. */
static void merge(struct folding *f, struct node *into, struct node *from)
{
	struct draft_fold *fold = fold_of(f, into), one;
	const struct draft_fold *more = from->fold;

	if (!more) {
		scene_fold_begin(&one, &f->d->rows[from->first]);
		more = &one;
	}
	if (more->times_least < fold->times_least)
		fold->times_least = more->times_least;
	if (more->times_most > fold->times_most)
		fold->times_most = more->times_most;
	scene_fold_add(fold, more);
	for (size_t i = 0; i < into->body_count; i++)
		merge(f, &into->body[i], &from->body[i]);
}

/* --- loops --- */

static bool same_items(const struct node *a, const struct node *b, size_t count)
{
	for (size_t i = count; i-- > 0;)
		if (a[i].id != b[i].id || !a[i].id)
			return false;
	return true;
}

static void merge_items(struct folding *f, struct node *into, struct node *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		merge(f, &into[i], &from[i]);
}

/* If the last `count` items repeat the body of the loop before them, merges them into it. */
static bool add_round(struct folding *f, size_t count)
{
	struct node *round = &f->list.items[f->list.count - count];
	struct node *loop = round - 1;

	if (f->list.count < count + 1 || loop->body_count != count ||
	    !same_items(loop->body, round, count))
		return false;
	merge_items(f, loop->body, round, count);
	loop->fold->times_least = ++loop->fold->times_most;
	loop->fold->total++;
	loop->end = round[count - 1].end;
	f->list.count -= count;
	return true;
}

/* If the last `count` items repeat the `count` items before them, makes a loop of both. */
static bool make_loop(struct folding *f, size_t count)
{
	struct node *second = &f->list.items[f->list.count - count];
	struct node *first = second - count;
	struct node loop = {.body_count = (uint32_t)count};

	if (f->list.count < 2 * count || !same_items(first, second, count))
		return false;
	loop.id = number_of_body(f, first, count);
	loop.first = first->first;
	loop.end = second[count - 1].end;
	loop.body = arena_array(f->arena, count, sizeof(*loop.body));
	memcpy(loop.body, first, count * sizeof(*loop.body));
	for (size_t i = 0; i < count; i++)
		loop.fixed |= first[i].fixed;
	merge_items(f, loop.body, second, count);
	loop.fold = arena_alloc(f->d->arena, sizeof(*loop.fold));
	*loop.fold = (struct draft_fold){.times_least = 2, .times_most = 2, .total = 2};
	*first = loop;
	f->list.count -= 2 * count - 1;
	return true;
}

static void find_loops(struct folding *f)
{
	bool found = true;

	while (found) {
		found = false;
		for (size_t n = 1; n <= BODY_MOST && n < f->list.count && !found; n++)
			found = add_round(f, n) || (n > 1 && make_loop(f, n));
	}
}

/* True for a birth, exec or exit, except on the lane of a group, which goes on. */
static bool is_life(const struct scene_drafts *d, const struct draft *draft)
{
	int lane = draft->kind == SCENE_FORK ? draft->to : draft->from;

	return (draft->kind == SCENE_FORK || draft->kind == SCENE_EXEC ||
		draft->kind == SCENE_EXIT) &&
	       lane >= 0 && d->scene->lanes[lane].kind != SCENE_LANE_GROUP;
}

static void append(struct folding *f, size_t draft)
{
	struct node *last = f->list.count ? &f->list.items[f->list.count - 1] : NULL;
	struct node node = {.first = draft, .end = draft + 1};
	struct scene_shape shape;

	if (scene_shape(&f->d->rows[draft], false, &shape))
		node.id = number_of(f, &shape, sizeof(shape));
	node.fixed = !node.id || is_life(f->d, &f->d->rows[draft]);
	if (last && node.id && last->id == node.id) {
		struct draft_fold one;

		scene_fold_begin(&one, &f->d->rows[draft]);
		scene_fold_add(fold_of(f, last), &one);
		last->fold->times_least = ++last->fold->times_most;
		last->end = draft + 1;
		return;
	}
	find_loops(f);
	LIST_PUSH(&f->list, node);
}

/* --- rows --- */

static size_t count_rows(const struct node *node)
{
	size_t count = node->body_count ? 2 : 1;

	for (size_t i = 0; i < node->body_count; i++)
		count += count_rows(&node->body[i]);
	return count;
}

/* True if folding is worth it: enough rows, and at most half as many with it. */
static bool is_folded(const struct node *node)
{
	size_t rows = node->end - node->first;

	return rows >= ROWS_LEAST && rows >= 2 * count_rows(node);
}

static size_t rows_drawn(const struct node *node)
{
	return is_folded(node) ? count_rows(node) : node->end - node->first;
}

/* Sums messages and bytes of a loop over its body. `total` stays the number of rounds. */
static void sum_body(struct draft_fold *fold, const struct node *loop)
{
	fold->bytes_least = fold->latency_least_ns = UINT64_MAX;
	for (size_t i = 0; i < loop->body_count; i++) {
		struct draft_fold part = *loop->body[i].fold;

		if (loop->body[i].body_count)
			sum_body(&part, &loop->body[i]);
		part.total = 0;
		scene_fold_add(fold, &part);
	}
}

static void put_node(struct folding *f, const struct node *node, uint64_t end_ns)
{
	struct draft *draft;

	if (node->body_count) {
		sum_body(node->fold, node);
		scene_fold_open(&f->out, f->d->rows[node->first].at_ns, node->fold);
		for (size_t i = 0; i < node->body_count; i++)
			put_node(f, &node->body[i], 0);
		if (!end_ns)
			end_ns = f->out.rows[f->out.count - 1].at_ns;
		scene_fold_close(&f->out, end_ns);
		return;
	}
	draft = scene_fold_put(&f->out, &f->d->rows[node->first]);
	if (node->fold && node->fold->total > 1) {
		draft->fold = node->fold;
		node->fold->until_ns = end_ns;
	}
}

static void put_item(struct folding *f, const struct node *node)
{
	if (is_folded(node)) {
		put_node(f, node, f->d->rows[node->end - 1].at_ns);
		return;
	}
	for (size_t i = node->first; i < node->end; i++)
		scene_fold_put(&f->out, &f->d->rows[i]);
}

/*
 * The end of the items from `from` on that may be mixed: up to one that must keep its place, or a
 * loop of more than 1/ALONE_PART of all drafts. *rows is how many rows they would take.
 */
static size_t mixable(const struct folding *f, size_t from, size_t *rows)
{
	size_t end = from;

	for (*rows = 0; end < f->list.count; end++) {
		const struct node *node = &f->list.items[end];

		if (node->fixed ||
		    (is_folded(node) && (node->end - node->first) * ALONE_PART > f->d->count))
			break;
		*rows += rows_drawn(node);
	}
	return end;
}

/* Whether to draw items [from, end), which take `rows` of a picture's `total`, without order. */
static bool is_worth_mixing(const struct folding *f, size_t total, size_t from, size_t end,
			    size_t rows)
{
	if (end == from || total > ROWS_MOST)
		return end > from && rows >= MIX_LEAST;
	return rows >= FEW_LEAST && FEW_TIMES * scene_fold_kinds(f->d, f->list.items[from].first,
								 f->list.items[end - 1].end) <=
					    rows;
}

static void put_items(struct folding *f, size_t total)
{
	size_t rows = 0;

	for (size_t i = 0; i < f->list.count;) {
		size_t end = total > ROWS_MANY ? mixable(f, i, &rows) : i;

		if (is_worth_mixing(f, total, i, end, rows))
			scene_fold_mix(&f->out, f->list.items[i].first, f->list.items[end - 1].end);
		else
			for (end += end == i; i < end; i++)
				put_item(f, &f->list.items[i]);
		i = end;
	}
}

static size_t rows_in_all(const struct folding *f)
{
	size_t rows = 0;

	for (size_t i = 0; i < f->list.count; i++)
		rows += rows_drawn(&f->list.items[i]);
	return rows;
}

void scene_fold(struct scene_drafts *d)
{
	struct folding f = {.d = d, .arena = arena_new(), .out = {.d = d}};

	for (size_t i = 0; i < d->count; i++)
		append(&f, i);
	find_loops(&f);
	put_items(&f, rows_in_all(&f));
	free(d->rows);
	d->rows = f.out.rows;
	d->count = f.out.count;
	d->capacity = f.out.capacity;
	free(f.list.items);
	arena_free(f.arena);
}
