/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Folding: repetitions are drawn once, with a count. Shared by fold*.c and row_shape.c. */
#ifndef VIZ_SCENE_FOLD_H
#define VIZ_SCENE_FOLD_H

#include <string.h>

#include "viz/scene/drafts.h"

/* What a folded row, or a loop, stands for. */
struct draft_fold {
	uint64_t times_least; /* repetitions one after the other; of a loop, its rounds */
	uint64_t times_most;
	uint64_t total;	   /* drafts or rounds in all */
	uint64_t messages; /* messages and signals among them, each counted once */
	uint64_t signals;  /* signals among `messages` */
	uint64_t bytes;
	uint64_t bytes_least; /* of the smallest message; UINT64_MAX: no message */
	uint64_t bytes_most;
	uint64_t latency_least_ns; /* UINT64_MAX: not known */
	uint64_t latency_most_ns;
	uint64_t until_ns; /* a single row: time of the last repetition; else 0 */
	const struct viz_channel *channel;
	uint64_t left;	  /* of talk with oneself, those that were never taken */
	bool channels;	  /* they are of several channels */
	uint64_t words;	  /* scene_text_number() of what the first message says; 0: nothing */
	bool other_words; /* another one says something else */
	bool mixed;	  /* a loop whose rows have no order (fold_unordered.c) */
};

/*
 * What drafts must have in common to be folded. They may differ in time, bytes and payload, which
 * the row gives as ranges. Shapes are compared byte by byte.
 */
struct scene_shape {
	int kind, part, from, to;
	int mechanism, match, fate, typed, hangs;
	int64_t type;
	uint64_t channel, signal;
	uint64_t outsider[2];
	uint64_t words[2];
};

/*
 * Gives the shape of a draft; false if it is like no other. A `coarse` shape leaves out channel,
 * message type and outsiders; it is used for rows without an order.
 */
bool scene_shape(const struct draft *draft, bool coarse, struct scene_shape *shape);

/* A hash (FNV-1a) that stands for the text; collisions are accepted. */
uint64_t scene_text_number(struct viz_bytes text);

bool scene_is_connected(const struct viz_channel *channel);
/* Number, effect on a call, and whether it killed; 0: NULL. */
uint64_t scene_signal_shape(const struct viz_signal *signal);

/* Stands for this draft alone. */
void scene_fold_begin(struct draft_fold *fold, const struct draft *draft);
void scene_fold_add(struct draft_fold *fold, const struct draft_fold *more);

/* The rows written so far; scene_fold_put() appends one. */
struct fold_rows {
	struct scene_drafts *d;
	struct draft *rows;
	size_t count;
	size_t capacity;
};

struct draft *scene_fold_put(struct fold_rows *out, const struct draft *draft);

/* Append the begin and the end of a loop. `fold` must be in the drafts' arena. */
void scene_fold_open(struct fold_rows *out, uint64_t at_ns, const struct draft_fold *fold);
void scene_fold_close(struct fold_rows *out, uint64_t at_ns);

/*
 * Appends drafts [first, end) as a loop without order, one row for each coarse shape
 * (fold_unordered.c). The rarest shapes beyond a limit become one row with their count.
 */
void scene_fold_mix(struct fold_rows *out, size_t first, size_t end);

/* The number of coarse shapes among drafts [first, end). */
size_t scene_fold_kinds(const struct scene_drafts *d, size_t first, size_t end);

#endif
