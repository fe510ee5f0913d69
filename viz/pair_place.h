/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Places by position: the kernel says where a stream stood when a call began and when it returned,
 * so each call has a window in which its bytes lie. Sequence numbers of TCP are places by
 * themselves; a pipe's are its slots and the bytes in them (fs/pipe.c). What has a place needs no
 * order, no counting and no anchor: it survives loss and late attach. Private to pair_*.c.
 */
#ifndef VIZ_PAIR_PLACE_H
#define VIZ_PAIR_PLACE_H

#include "pair_internal.h"

struct placing;

/* Where bytes may go that are written from the place `at` on. */
struct place_option {
	uint64_t from;
	uint64_t after; /* the next byte's place, as a cursor */
	uint64_t split; /* so many bytes lie there, the rest in the slots behind; 0: all */
};

enum { PLACE_OPTIONS = 2 };

/* How places follow each other. */
struct place_scale {
	/* How many options there are. */
	size_t (*options)(uint64_t at, const struct flow_item *item,
			  struct place_option options[PLACE_OPTIONS]);
};

extern const struct place_scale place_linear, place_pipe;

/* What else tells that an item may begin at a place; `agrees` NULL: nothing. */
struct place_check {
	bool (*agrees)(const struct placing *placing, const struct flow_item *item, uint64_t from);
	const struct placing *placing;
};

/*
 * Finds the place of each of these items, whose windows overlap: every order is tried that the
 * windows and the times allow. Where the answer is one, the item has it; where it is not, it has
 * the likeliest one and `doubt`. false: there is none, or too many to try.
 */
bool place_cluster(struct arena *arena, const struct place_scale *scale,
		   const struct place_check *check, struct flow_item **items, size_t count);

/*
 * Joins what is settled of a flow by places and adds its messages and gaps. false: the evidence is
 * not there, nothing was done.
 */
bool pair_flow_placed(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route);

/* The same where only one side tells positions and records are missing: pair_counted.c. */
bool pair_flow_counted(struct pair_context *context, struct flow *flow,
		       const struct pair_route *route);

/* pair_order.c: the calls' times have another order than their positions. Sorts the flow. */
bool pair_order_contradicts(struct flow *flow, enum mechanism mechanism);

#endif
