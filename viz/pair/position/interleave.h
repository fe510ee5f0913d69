/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Matching by position. The kernel reports where a stream stood when a call began and when it
 * returned, so each call has a window [lo, hi] in which its bytes lie. Within the window, a search
 * finds the place of each call.
 *
 * A place is one number. For TCP it is a sequence number, extended to 64 bits; for a pipe of
 * packets only, the number of a slot; for any other pipe, slot * SLOT_LEN + byte in that slot,
 * where slots are counted as head and tail of the pipe are (fs/pipe.c). A place needs neither order
 * nor counting from the start, so it remains valid after lost records and after attaching late.
 * Private to viz/pair.
 */
#ifndef VIZ_PAIR_POSITION_INTERLEAVE_H
#define VIZ_PAIR_POSITION_INTERLEAVE_H

#include "viz/pair/core/context.h"

struct placing;

/* One way to lay an item's bytes if the next free place is `at`. */
struct place_option {
	uint64_t from;
	uint64_t after; /* the next free place behind them */
	uint64_t split; /* bytes in the first slot; the rest goes to new slots; 0: all */
	bool ragged;	/* their distribution between `from` and `after` is unknown: spliced.c */
};

enum { PLACE_OPTIONS = 2 };

/* How one item's bytes can follow another's. */
struct place_scale {
	/* Fills `options` with the ways to lay `item` at the place `at`; returns their number. */
	size_t (*options)(uint64_t at, const struct flow_item *item,
			  struct place_option options[PLACE_OPTIONS]);
};

extern const struct place_scale place_linear, place_pipe;

/* Further evidence for where an item may begin; `agrees` is NULL if there is none. */
struct place_check {
	bool (*agrees)(const struct placing *placing, const struct flow_item *item, uint64_t from);
	const struct placing *placing;
};

/*
 * Finds the position of each item of a group whose windows overlap, by trying every order that the
 * windows and the times allow, and sets it as placing_put() does; an item with several possible
 * positions gets the likeliest one and `ambiguous`. Sorts `items` by time of entry.
 * Returns false if no order fits or the search exceeds its limits; no item has a place then.
 */
bool place_cluster(struct arena *arena, const struct place_scale *scale,
		   const struct place_check *check, struct flow_item **items, size_t count);

/*
 * Matches the completed calls of a flow by their places, and adds messages and gaps. Returns false,
 * and has done nothing, if a completed call has no window, or if a send that is unfinished at the
 * end of the trace does not tell where it began.
 */
bool pair_flow_placed(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route);

#endif
