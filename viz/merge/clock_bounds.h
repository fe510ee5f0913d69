/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How far apart two clocks are, by messages between them: none is received before it was sent. A
 * message one way bounds the offset from below, one the other way from above.
 */
#ifndef VIZ_MERGE_CLOCK_BOUNDS_H
#define VIZ_MERGE_CLOCK_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_WINDOWS 64 /* parts of the run; of each, the tightest bounds are kept */

/* The offset of a clock at a time of that clock, which it is at least (or at most). */
struct clock_bound {
	bool known;
	uint64_t at_ns;
	int64_t offset_ns;
};

/* Bounds of what is to be added to `clock` times to get `base` times. */
struct clock_bounds {
	uint64_t from_ns, to_ns; /* of the run, by the clock */
	struct clock_bound least[CLOCK_WINDOWS], most[CLOCK_WINDOWS];
};

/* offset_ns + slope * (t - at_ns) is to be added to the time t of the clock. */
struct clock_line {
	uint64_t at_ns;
	int64_t offset_ns;
	double slope;
};

/* Enters a message from base to clock (least), or from clock to base (most), by its times there. */
void clock_bounds_least(struct clock_bounds *bounds, uint64_t sent_base_ns,
			uint64_t received_clock_ns);
void clock_bounds_most(struct clock_bounds *bounds, uint64_t sent_clock_ns,
		       uint64_t received_base_ns);

bool clock_bounds_any_least(const struct clock_bounds *bounds);
bool clock_bounds_any_most(const struct clock_bounds *bounds);

/*
 * With bounds of both kinds: the line that keeps away from all of them as far as it can, and in
 * *uncertainty_ns how far from it any line can be that keeps them, from the first bound to
 * the last. A line without
 * slope is preferred where it does nearly as well. Where bounds contradict each other, the
 * uncertainty is how far the line is from the worst of them.
 */
struct clock_line clock_bounds_fit(const struct clock_bounds *bounds, uint64_t *uncertainty_ns);

/* With bounds of one kind: the offset that is nearest to `guess_ns` and keeps them. */
int64_t clock_bounds_clamp(const struct clock_bounds *bounds, int64_t guess_ns);

/* The time t by the base; below 0 and beyond 2^63 - 1 it is not one. */
int64_t clock_line_shift(const struct clock_line *line, int64_t t);

#endif
