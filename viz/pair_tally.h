/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A counter (eventfd) by what the kernel says it held: each call looked at the count just before it
 * began and just after it returned. Additions since the last read are all taken by the next one, so
 * only the order of additions against reads matters, not their order among themselves. Shared by
 * pair_tally.c and pair_tally_search.c; private to pair_*.c.
 */
#ifndef VIZ_PAIR_TALLY_H
#define VIZ_PAIR_TALLY_H

#include "pair_internal.h"

enum tally_kind { TALLY_LOOK, TALLY_ADD, TALLY_TAKE };

/* What a call did to the count, or saw of it, at some time from lo_ns to hi_ns. */
struct tally_event {
	enum tally_kind kind;
	uint64_t lo_ns, hi_ns;
	uint64_t count; /* seen, added or taken */
	struct flow_item *item;
	/* TALLY_ADD: the read that took it; NULL: none of these. Set by the search. */
	struct flow_item *taker;
	bool several; /* another one may have; `taker` is the likeliest */
};

/* Events that overlap each other and no others, in the order of lo_ns. */
struct tally_cluster {
	struct tally_event *events;
	size_t count;
	uint64_t start;		  /* what the counter held before */
	struct flow_item **takes; /* in the likeliest order */
	size_t take_count;
	struct flow_item *first_take; /* takes what was added before; NULL: nothing does */
	bool first_several;	      /* or another one does */
	bool overflow;		      /* there were too many orders to try */
};

/* Tries every order that times and counts allow. false: there is none, or too many to try. */
bool tally_search(struct arena *arena, struct tally_cluster *cluster);

/* Joins what is settled of a counter. false: the evidence is not there, nothing was done. */
bool pair_counter_tally(struct pair_context *context, struct channel_traffic *traffic,
			const struct pair_route *route);

#endif
