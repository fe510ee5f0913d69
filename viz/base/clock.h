/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clock of traces and time limits: CLOCK_MONOTONIC, which nobody can set. */
#ifndef VIZ_BASE_CLOCK_H
#define VIZ_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
