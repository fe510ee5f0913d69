/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Folding: what repeats is drawn once, and counted. For scene_fold*.c, scene_shape.c. */
#ifndef VIZ_SCENE_FOLD_H
#define VIZ_SCENE_FOLD_H

#include <string.h>

#include "scene_draft.h"

/* What a folded row, or a loop, stands for. */
struct draft_fold {
	uint64_t times_least; /* one after the other; of a loop, its rounds */
	uint64_t times_most;
	uint64_t total;	   /* drafts, or rounds, in all */
	uint64_t messages; /* of which are messages or signals, each counted once */
	uint64_t signals;  /* of these */
	uint64_t bytes;
	uint64_t bytes_least; /* of one message; UINT64_MAX: there is none */
	uint64_t bytes_most;
	uint64_t latency_least_ns; /* UINT64_MAX: none is known */
	uint64_t latency_most_ns;
	uint64_t until_ns; /* the last one's time, where nothing is drawn between */
	const struct viz_channel *channel;
	bool channels; /* it is not always the same channel */
	bool mixed;    /* a loop of rows in no order */
};

/* Drafts of the same shape differ in time, bytes and payload, and that is told as a range. */
struct scene_shape {
	int kind, part, from, to;
	int mechanism, match, fate, typed;
	int64_t type;
	uint64_t channel, signal;
	uint64_t outsider[2];
	uint64_t words[2];
};

/*
 * false: nothing is like it. `coarse`: of whatever channel and type, for those that come in no
 * order.
 */
bool scene_shape(const struct draft *draft, bool coarse, struct scene_shape *shape);

bool scene_is_connected(const struct viz_channel *channel);
uint64_t scene_signal_shape(const struct viz_signal *signal); /* which, and what it met */

void scene_fold_begin(struct draft_fold *fold, const struct draft *draft); /* stands for one */
void scene_fold_add(struct draft_fold *fold, const struct draft_fold *more);

/* The rows so far; more are appended with scene_fold_put(). */
struct fold_rows {
	struct scene_drafts *d;
	struct draft *rows;
	size_t count;
	size_t capacity;
};

struct draft *scene_fold_put(struct fold_rows *out, const struct draft *draft);

/* The begin of a loop, and its end. `fold` belongs to the drafts' arena. */
void scene_fold_open(struct fold_rows *out, uint64_t at_ns, const struct draft_fold *fold);
void scene_fold_close(struct fold_rows *out, uint64_t at_ns);

/*
 * Drafts [first, end) as rows in no order, one of each coarse shape (scene_fold_mix.c). Kinds that
 * are too many are counted.
 */
void scene_fold_mix(struct fold_rows *out, size_t first, size_t end);

/* How many coarse shapes these have. */
size_t scene_fold_kinds(const struct scene_drafts *d, size_t first, size_t end);

#endif
