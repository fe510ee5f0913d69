// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/clock_bounds.h"

#include <math.h>
#include <stddef.h>

/* The most that clocks are taken to differ: adjtimex(2) lets none go wrong by more. */
#define SLOPE_MOST 5e-4
#define SLOPE_STEPS 100

/* Of math.h, but without its library. */
static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

static size_t window_of(const struct clock_bounds *bounds, uint64_t at_ns)
{
	uint64_t width = (bounds->to_ns - bounds->from_ns) / CLOCK_WINDOWS + 1;

	if (at_ns <= bounds->from_ns)
		return 0;
	if (at_ns >= bounds->to_ns)
		return CLOCK_WINDOWS - 1;
	return (size_t)((at_ns - bounds->from_ns) / width);
}

static void raise_least(struct clock_bound *bound, struct clock_bound by)
{
	if (!bound->known || by.offset_ns > bound->offset_ns)
		*bound = by;
}

static void lower_most(struct clock_bound *bound, struct clock_bound by)
{
	if (!bound->known || by.offset_ns < bound->offset_ns)
		*bound = by;
}

void clock_bounds_least(struct clock_bounds *bounds, uint64_t sent_base_ns,
			uint64_t received_clock_ns)
{
	raise_least(&bounds->least[window_of(bounds, received_clock_ns)],
		    (struct clock_bound){true, received_clock_ns,
					 (int64_t)(sent_base_ns - received_clock_ns)});
}

void clock_bounds_most(struct clock_bounds *bounds, uint64_t sent_clock_ns,
		       uint64_t received_base_ns)
{
	lower_most(&bounds->most[window_of(bounds, sent_clock_ns)],
		   (struct clock_bound){true, sent_clock_ns,
					(int64_t)(received_base_ns - sent_clock_ns)});
}

static bool any(const struct clock_bound *bounds)
{
	for (size_t i = 0; i < CLOCK_WINDOWS; i++)
		if (bounds[i].known)
			return true;
	return false;
}

bool clock_bounds_any_least(const struct clock_bounds *bounds)
{
	return any(bounds->least);
}

bool clock_bounds_any_most(const struct clock_bounds *bounds)
{
	return any(bounds->most);
}

/* Where the line would have to be at its at_ns to meet the bound, beyond its own offset. */
static double rest_of(const struct clock_line *line, double slope, const struct clock_bound *bound)
{
	double since = (double)(int64_t)(bound->at_ns - line->at_ns);
	int64_t beyond = (int64_t)((uint64_t)bound->offset_ns - (uint64_t)line->offset_ns);

	return (double)beyond - slope * since;
}

/* Gives half the room between the bounds for a line of that slope, and the middle of that room. */
static double room_of(const struct clock_bounds *bounds, const struct clock_line *line,
		      double slope, double *middle)
{
	double least = -HUGE_VAL, most = HUGE_VAL;

	for (size_t i = 0; i < CLOCK_WINDOWS; i++) {
		if (bounds->least[i].known)
			least = larger(least, rest_of(line, slope, &bounds->least[i]));
		if (bounds->most[i].known)
			most = smaller(most, rest_of(line, slope, &bounds->most[i]));
	}
	*middle = (most + least) / 2;
	return (most - least) / 2;
}

/* The room is a concave function of the slope, so its maximum is found by ternary search. */
static double best_slope(const struct clock_bounds *bounds, const struct clock_line *line)
{
	double low = -SLOPE_MOST, high = SLOPE_MOST, middle, flat, tilted;

	for (int i = 0; i < SLOPE_STEPS; i++) {
		double third = (high - low) / 3;

		if (room_of(bounds, line, low + third, &middle) <
		    room_of(bounds, line, high - third, &middle))
			low += third;
		else
			high -= third;
	}
	flat = room_of(bounds, line, 0, &middle);
	tilted = room_of(bounds, line, (low + high) / 2, &middle);
	return flat > 0 && flat > tilted / 2 ? 0 : (low + high) / 2;
}

/* The largest distance of the line from a bound. */
static double distance_of(const struct clock_bounds *bounds, const struct clock_line *line)
{
	double most = 0;

	for (size_t i = 0; i < CLOCK_WINDOWS; i++) {
		if (bounds->least[i].known)
			most = larger(most, fabs(rest_of(line, line->slope, &bounds->least[i])));
		if (bounds->most[i].known)
			most = larger(most, fabs(rest_of(line, line->slope, &bounds->most[i])));
	}
	return most;
}

/* The times of the first and of the last bound, since the line's at_ns. */
static void talk_of(const struct clock_bounds *bounds, const struct clock_line *line,
		    double since[2])
{
	since[0] = HUGE_VAL;
	since[1] = 0;
	for (size_t i = 0; i < 2 * CLOCK_WINDOWS; i++) {
		const struct clock_bound *bound = i < CLOCK_WINDOWS
							  ? &bounds->least[i]
							  : &bounds->most[i - CLOCK_WINDOWS];
		double at = (double)(int64_t)(bound->at_ns - line->at_ns);

		since[0] = bound->known ? smaller(since[0], at) : since[0];
		since[1] = bound->known ? larger(since[1], at) : since[1];
	}
}

/*
 * How far any line that keeps all bounds is from this one, at an end of the talk. Where no line
 * keeps them, the distance from the worst of them.
 */
static double uncertainty_of(const struct clock_bounds *bounds, const struct clock_line *line)
{
	double worst = -1, since[2];

	talk_of(bounds, line, since);
	for (int i = -SLOPE_STEPS; i <= SLOPE_STEPS; i++) {
		double slope = line->slope + SLOPE_MOST * i / SLOPE_STEPS, middle;
		double room = room_of(bounds, line, slope, &middle);

		if (room < 0 || fabs(slope) > SLOPE_MOST)
			continue;
		for (int end = 0; end < 2; end++)
			worst = larger(worst,
				       room + fabs(middle + (slope - line->slope) * since[end]));
	}
	return worst < 0 ? distance_of(bounds, line) : worst;
}

struct clock_line clock_bounds_fit(const struct clock_bounds *bounds, uint64_t *uncertainty_ns)
{
	struct clock_line line = {.at_ns = bounds->from_ns};
	double middle;

	for (size_t i = 0; i < CLOCK_WINDOWS && !line.offset_ns; i++)
		line.offset_ns = bounds->least[i].known ? bounds->least[i].offset_ns : 0;
	line.slope = best_slope(bounds, &line);
	room_of(bounds, &line, line.slope, &middle);
	line.offset_ns = (int64_t)((uint64_t)line.offset_ns + (uint64_t)(int64_t)middle);
	*uncertainty_ns = (uint64_t)uncertainty_of(bounds, &line) + 1;
	return line;
}

int64_t clock_bounds_clamp(const struct clock_bounds *bounds, int64_t guess_ns)
{
	for (size_t i = 0; i < CLOCK_WINDOWS; i++) {
		if (bounds->least[i].known && guess_ns < bounds->least[i].offset_ns)
			guess_ns = bounds->least[i].offset_ns;
		if (bounds->most[i].known && guess_ns > bounds->most[i].offset_ns)
			guess_ns = bounds->most[i].offset_ns;
	}
	return guess_ns;
}

int64_t clock_line_shift(const struct clock_line *line, int64_t t)
{
	int64_t since = (int64_t)((uint64_t)t - line->at_ns);
	int64_t drift = (int64_t)(line->slope * (double)since);

	return (int64_t)((uint64_t)t + (uint64_t)line->offset_ns + (uint64_t)drift);
}
