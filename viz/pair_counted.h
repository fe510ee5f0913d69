/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counts of a pipe's two sides, and the samples that tell by how much they differ. Shared by
 * pair_counted.c and pair_sample.c.
 */
#ifndef VIZ_PAIR_COUNTED_H
#define VIZ_PAIR_COUNTED_H

#include "pair_place.h"

struct sample {
	size_t known, other; /* how many of each had been when it was taken */
	uint64_t front;	     /* as far as the pipe was emptied, in the count of `known` */
	uint64_t shift;	     /* the count of `other` less that of `known`, modulo 2^64 */
	bool proven;	     /* nothing is missing since the one before */
	size_t begin, end;   /* of `known`: nothing is missing between these */
	size_t reach;	     /* and from there on, how much is */
	bool first;	     /* before `reach` nobody can tell */
};

struct counting {
	struct pair_context *context;
	struct flow *flow;
	const struct pair_route *route;
	bool receives; /* `known`, the side with positions, are these */
	struct flow_item **known, **other;
	size_t known_count, other_count;
	uint64_t *known_at, *other_at; /* the counts before each, and behind the last */
	struct sample *samples;
	size_t sample_count;
	uint64_t until_ns; /* the other side's calls that began before are all there */
	uint64_t unknown, unknown_ns;
};

/* Counts what is settled on both sides; false: not exactly one of them tells its positions. */
bool counting_begin(struct counting *c);

/* Finds the samples; counts of `known` grow by what they tell to be missing. */
void counting_sample(struct counting *c);

/* Since when an item of the side with positions may have found what its entry tells. */
uint64_t counting_not_before(const struct counting *c, size_t at);

static inline uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
