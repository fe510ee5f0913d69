/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The distribution of values (times, sizes) in little memory. Each power of two is divided into 32
 * equal steps, so that a quantile is within 2 % of the exact one; min and max are exact. While
 * these two are all values that there are, it needs no memory beside itself. A zeroed histogram is
 * empty; its memory belongs to the arena.
 */
#ifndef VIZ_BASE_HISTOGRAM_H
#define VIZ_BASE_HISTOGRAM_H

#include <stdint.h>

#include "viz/base/arena.h"

enum { HISTOGRAM_POWERS = 64, HISTOGRAM_STEPS = 32 };

struct histogram {
	uint64_t count;
	uint64_t min; /* valid if count is not 0; so is max */
	uint64_t max;
	/*
	 * The steps of each power; NULL: no value in [2^power, 2^(power + 1)). NULL as a whole: all
	 * values are equal, or there are two.
	 */
	uint64_t **powers;
};

void histogram_add(struct arena *arena, struct histogram *histogram, uint64_t value);

/* Adds all values of `other`. */
void histogram_merge(struct arena *arena, struct histogram *histogram,
		     const struct histogram *other);

/*
 * The value that `percent` % of all values do not exceed, within the error named above; 0 if there
 * are no values.
 */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent);

/* How many values lie in [2^power, 2^(power + 1)); power 0 also counts zeros. */
uint64_t histogram_in_power(const struct histogram *histogram, unsigned power);

#endif
