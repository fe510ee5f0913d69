/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sorts lists that mostly are in order already, as what a trace tells about one channel is. */
#ifndef VIZ_BASE_SORT_H
#define VIZ_BASE_SORT_H

#include <stddef.h>

/*
 * As qsort(3), but it takes linear time if few items are far from their place. `items` may be NULL
 * if count is 0.
 */
void sort_nearly(void *items, size_t count, size_t size,
		 int (*compare)(const void *a, const void *b));

#endif
