/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looking a number up in a list that is sorted by it: a time in ns, a place. */
#ifndef VIZ_SEARCH_H
#define VIZ_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* By what the list is sorted: that of item `index`. */
typedef uint64_t search_key_fn(const void *list, size_t index);

/* The first item of [low, high) whose key is beyond `key`; high: none is. */
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

/* How many of a list's items have a key up to this one. */
static inline size_t search_until(const void *list, size_t count, search_key_fn *key_of,
				  uint64_t key)
{
	return search_beyond(list, 0, count, key_of, key);
}

/* How many have one that is less. */
static inline size_t search_before(const void *list, size_t count, search_key_fn *key_of,
				   uint64_t key)
{
	return key ? search_until(list, count, key_of, key - 1) : 0;
}

#endif
