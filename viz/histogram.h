/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How values (times, sizes) are distributed, in little memory: each power of two is cut into 32
 * equal steps, so a quantile is within 2 % of the true one. Least and greatest are exact. A zeroed
 * histogram is empty; its memory is the arena's.
 */
#ifndef VIZ_HISTOGRAM_H
#define VIZ_HISTOGRAM_H

#include <stdint.h>

#include "arena.h"

enum { HISTOGRAM_POWERS = 64, HISTOGRAM_STEPS = 32 };

struct histogram {
	uint64_t count;
	uint64_t min; /* where count is not 0 */
	uint64_t max;
	uint64_t *powers[HISTOGRAM_POWERS]; /* NULL: no value in [2^power, 2^(power + 1)) */
};

void histogram_add(struct arena *arena, struct histogram *histogram, uint64_t value);

/* Adds all of `other`. */
void histogram_merge(struct arena *arena, struct histogram *histogram,
		     const struct histogram *other);

/* The value that `percent` of all do not exceed; 0 where there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent);

/* How many lie in [2^power, 2^(power + 1)); those of power 0 have the zeros too. */
uint64_t histogram_in_power(const struct histogram *histogram, unsigned power);

#endif
