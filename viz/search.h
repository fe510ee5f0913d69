/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looking a moment up in a list that is sorted by time. */
#ifndef VIZ_SEARCH_H
#define VIZ_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* When item `index` of the list is, in ns. */
typedef uint64_t search_time_fn(const void *list, size_t index);

/* How many of a list's items are not later than at_ns. */
static inline size_t search_until(const void *list, size_t count, search_time_fn *time_of,
				  uint64_t at_ns)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (time_of(list, middle) <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#endif
