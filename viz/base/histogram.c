// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/histogram.h"

#define STEP_BITS 5 /* log2 of HISTOGRAM_STEPS */

static unsigned power_of(uint64_t value)
{
	return 63 - (unsigned)__builtin_clzll(value | 1);
}

/* Below 32, every value has a step of its own. */
static unsigned step_of(uint64_t value, unsigned power)
{
	uint64_t shifted = power > STEP_BITS ? value >> (power - STEP_BITS) : value;

	return shifted % HISTOGRAM_STEPS;
}

/* The middle of the values that a step stands for. */
static uint64_t step_value(unsigned power, unsigned step)
{
	uint64_t width;

	if (power < STEP_BITS)
		return step;
	width = (uint64_t)1 << (power - STEP_BITS);
	return ((uint64_t)1 << power) + step * width + width / 2;
}

static uint64_t *steps_for(struct arena *arena, struct histogram *histogram, unsigned power)
{
	if (!histogram->powers[power])
		histogram->powers[power] = arena_array(arena, HISTOGRAM_STEPS, sizeof(uint64_t));
	return histogram->powers[power];
}

static void widen(struct histogram *histogram, uint64_t min, uint64_t max)
{
	if (!histogram->count || min < histogram->min)
		histogram->min = min;
	if (!histogram->count || max > histogram->max)
		histogram->max = max;
}

void histogram_add(struct arena *arena, struct histogram *histogram, uint64_t value)
{
	unsigned power = power_of(value);

	widen(histogram, value, value);
	histogram->count++;
	steps_for(arena, histogram, power)[step_of(value, power)]++;
}

void histogram_merge(struct arena *arena, struct histogram *histogram,
		     const struct histogram *other)
{
	if (!other->count)
		return;
	widen(histogram, other->min, other->max);
	histogram->count += other->count;
	for (unsigned power = 0; power < HISTOGRAM_POWERS; power++)
		for (unsigned step = 0; other->powers[power] && step < HISTOGRAM_STEPS; step++)
			steps_for(arena, histogram, power)[step] += other->powers[power][step];
}

static uint64_t within(const struct histogram *histogram, uint64_t value)
{
	if (value < histogram->min)
		return histogram->min;
	return value > histogram->max ? histogram->max : value;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent)
{
	/* count × percent / 100, rounded up, without overflow */
	uint64_t rank = histogram->count / 100 * percent +
			(histogram->count % 100 * percent + 99) / 100;
	uint64_t seen = 0;

	for (unsigned power = 0; power < HISTOGRAM_POWERS; power++)
		for (unsigned step = 0; histogram->powers[power] && step < HISTOGRAM_STEPS;
		     step++) {
			seen += histogram->powers[power][step];
			if (seen && seen >= rank)
				return within(histogram, step_value(power, step));
		}
	return 0;
}

uint64_t histogram_in_power(const struct histogram *histogram, unsigned power)
{
	uint64_t sum = 0;

	for (unsigned step = 0; histogram->powers[power] && step < HISTOGRAM_STEPS; step++)
		sum += histogram->powers[power][step];
	return sum;
}
