/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Matches a counter (eventfd) by the counts that the kernel reports: each call sampled the count
 * just before it began and just after it returned. A read takes all additions since the last read,
 * so only the order of additions against reads matters, not their order among themselves. Shared by
 * eventfd_count.c and eventfd_interleave.c; private to viz/pair.
 */
#ifndef VIZ_PAIR_POLICY_EVENTFD_EVENTS_H
#define VIZ_PAIR_POLICY_EVENTFD_EVENTS_H

#include "viz/pair/core/context.h"

enum count_kind { COUNT_LOOK, COUNT_ADD, COUNT_TAKE };

/*
 * What a call did to the count, or saw of it, at some time from lo_ns to hi_ns. COUNT_LOOK is a
 * sample, COUNT_ADD a write and COUNT_TAKE a read.
 */
struct count_event {
	enum count_kind kind;
	uint64_t lo_ns, hi_ns;
	uint64_t count; /* the count seen, or the number added or taken */
	struct flow_item *item;
	/* COUNT_ADD, set by the search: the read that took it; NULL: no read of the cluster did. */
	struct flow_item *taker;
	bool noted;   /* set by the search: it has a step on a possible path */
	bool several; /* other reads may have taken it; `taker` is the likeliest */
};

/* Events whose times overlap each other's and no other event's, in order of lo_ns. */
struct count_cluster {
	struct count_event *events;
	size_t count;
	uint64_t start;		  /* what the counter held before the first event */
	struct flow_item **takes; /* set by the search: the reads, in the likeliest order */
	size_t take_count;
	struct flow_item *first_take; /* takes what was added before; NULL: none */
	bool first_several;	      /* another read may take it instead */
	bool overflow;		      /* the search gave up: there are too many orders */
};

/*
 * Tries every order that times and counts allow, and sets taker and several of the additions, and
 * the cluster's last five fields. False if no order fits or if there are too many (overflow).
 * `arena` holds cluster->takes.
 */
bool count_search(struct arena *arena, struct count_cluster *cluster);

/*
 * Matches the completed calls of a counter. Returns false, and has done nothing, if no call sampled
 * the count or if the counter is a semaphore.
 */
bool pair_match_counts(struct pair_context *context, struct channel_traffic *traffic,
		       const struct pair_route *route);

/* eventfd.c: notes the number that a counter begins with, if the call made one. */
void pair_note_counter(struct pair_context *context, const struct viz_operation *op);

#endif
