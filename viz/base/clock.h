/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clock of traces and time limits: CLOCK_MONOTONIC, which nobody can set. */
#ifndef VIZ_BASE_CLOCK_H
#define VIZ_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define MILLISECOND UINT64_C(1000000) /* in ns */

/* 0: there is no such clock (any more). */
static inline uint64_t clock_read_ns(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		return 0;
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static inline uint64_t clock_now_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* Sleeps for so long, or until a signal is handled. */
static inline void clock_pause(uint64_t pause_ns)
{
	const struct timespec pause = {.tv_sec = (time_t)(pause_ns / 1000000000),
				       .tv_nsec = (long)(pause_ns % 1000000000)};

	nanosleep(&pause, NULL);
}

#endif
