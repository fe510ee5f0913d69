// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/histogram.h"

#include <stdbool.h>

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

static void count_value(struct arena *arena, struct histogram *histogram, uint64_t value,
			uint64_t times)
{
	const unsigned power = power_of(value);

	if (!histogram->powers[power])
		histogram->powers[power] = arena_array(arena, HISTOGRAM_STEPS, sizeof(uint64_t));
	histogram->powers[power][step_of(value, power)] += times;
}

/* Of a histogram without steps: how many of its values are the least one. */
static uint64_t times_of_min(const struct histogram *histogram)
{
	return histogram->min == histogram->max ? histogram->count : 1;
}

static void count_in_steps(struct arena *arena, struct histogram *histogram)
{
	if (histogram->powers)
		return;
	histogram->powers = arena_array(arena, HISTOGRAM_POWERS, sizeof(*histogram->powers));
	if (!histogram->count)
		return;
	count_value(arena, histogram, histogram->min, times_of_min(histogram));
	if (histogram->min != histogram->max)
		count_value(arena, histogram, histogram->max, 1);
}

static void widen(struct histogram *histogram, uint64_t min, uint64_t max)
{
	if (!histogram->count || min < histogram->min)
		histogram->min = min;
	if (!histogram->count || max > histogram->max)
		histogram->max = max;
}

/* True if the value, so many times, can be told by count, min and max alone. */
static bool is_plain(const struct histogram *histogram, uint64_t value, uint64_t times)
{
	if (histogram->powers || !histogram->count)
		return !histogram->powers;
	return histogram->min == histogram->max &&
	       (value == histogram->min || (histogram->count == 1 && times == 1));
}

static void add_times(struct arena *arena, struct histogram *histogram, uint64_t value,
		      uint64_t times)
{
	if (!is_plain(histogram, value, times)) {
		count_in_steps(arena, histogram);
		count_value(arena, histogram, value, times);
	}
	widen(histogram, value, value);
	histogram->count += times;
}

void histogram_add(struct arena *arena, struct histogram *histogram, uint64_t value)
{
	add_times(arena, histogram, value, 1);
}

static void merge_power(struct arena *arena, struct histogram *histogram,
			const struct histogram *other, unsigned power)
{
	for (unsigned step = 0; other->powers[power] && step < HISTOGRAM_STEPS; step++)
		if (other->powers[power][step])
			count_value(arena, histogram, step_value(power, step),
				    other->powers[power][step]);
}

void histogram_merge(struct arena *arena, struct histogram *histogram,
		     const struct histogram *other)
{
	if (!other->count)
		return;
	if (!other->powers) {
		add_times(arena, histogram, other->min, times_of_min(other));
		if (other->min != other->max)
			add_times(arena, histogram, other->max, 1);
		return;
	}
	count_in_steps(arena, histogram);
	for (unsigned power = 0; power < HISTOGRAM_POWERS; power++)
		merge_power(arena, histogram, other, power);
	widen(histogram, other->min, other->max);
	histogram->count += other->count;
}

static uint64_t within(const struct histogram *histogram, uint64_t value)
{
	if (value < histogram->min)
		return histogram->min;
	return value > histogram->max ? histogram->max : value;
}

/* The value of that rank, from 1 on, as its step tells it. */
static uint64_t value_of_rank(const struct histogram *histogram, uint64_t rank)
{
	uint64_t seen = 0, value;

	if (!histogram->powers) {
		value = rank <= times_of_min(histogram) ? histogram->min : histogram->max;
		return step_value(power_of(value), step_of(value, power_of(value)));
	}
	for (unsigned power = 0; power < HISTOGRAM_POWERS; power++)
		for (unsigned step = 0; histogram->powers[power] && step < HISTOGRAM_STEPS;
		     step++) {
			seen += histogram->powers[power][step];
			if (seen && seen >= rank)
				return step_value(power, step);
		}
	return 0;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent)
{
	/* count × percent / 100, rounded up, without overflow */
	uint64_t rank = histogram->count / 100 * percent +
			(histogram->count % 100 * percent + 99) / 100;

	return histogram->count ? within(histogram, value_of_rank(histogram, rank)) : 0;
}

uint64_t histogram_in_power(const struct histogram *histogram, unsigned power)
{
	uint64_t sum = 0;

	if (!histogram->powers && histogram->count)
		return (power_of(histogram->min) == power) * times_of_min(histogram) +
		       (histogram->min != histogram->max && power_of(histogram->max) == power);
	for (unsigned step = 0;
	     histogram->powers && histogram->powers[power] && step < HISTOGRAM_STEPS; step++)
		sum += histogram->powers[power][step];
	return sum;
}
