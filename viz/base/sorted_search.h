/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Binary search in a list that is sorted by a number, as a time in ns or an offset. */
#ifndef VIZ_BASE_SORTED_SEARCH_H
#define VIZ_BASE_SORTED_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* The number that the list is sorted by, of the item `index`. */
typedef uint64_t search_key_fn(const void *list, size_t index);

/*
 * The index of the first item in [low, high) whose number is greater than `key`; high if none is.
 */
static inline size_t search_beyond(const void *list, size_t low, size_t high, search_key_fn *key_of,
				   uint64_t key)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (key_of(list, middle) <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many items have a number less than or equal to `key`. */
static inline size_t search_until(const void *list, size_t count, search_key_fn *key_of,
				  uint64_t key)
{
	return search_beyond(list, 0, count, key_of, key);
}

/* How many items have a number less than `key`. */
static inline size_t search_before(const void *list, size_t count, search_key_fn *key_of,
				   uint64_t key)
{
	return key ? search_until(list, count, key_of, key - 1) : 0;
}

#endif
