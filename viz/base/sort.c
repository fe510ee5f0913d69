// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/sort.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MAX 512 /* larger items are left to qsort(3) */

/*
 * Moves item `at`, which belongs before the last of the sorted ones before it, to its place among
 * them; gives how far it went.
 */
static size_t sink(char *items, size_t at, size_t size,
		   int (*compare)(const void *a, const void *b))
{
	char item[ITEM_MAX];
	size_t to = at;

	while (--to > 0 && compare(items + (to - 1) * size, items + at * size) > 0)
		;
	memcpy(item, items + at * size, size);
	memmove(items + (to + 1) * size, items + to * size, (at - to) * size);
	memcpy(items + to * size, item, size);
	return at - to;
}

/* False if the items are so far from in order that this would take long; some have been moved. */
static bool sort_by_insertion(char *items, size_t count, size_t size,
			      int (*compare)(const void *a, const void *b))
{
	size_t moved = 0;

	for (size_t i = 1; i < count; i++) {
		if (compare(items + (i - 1) * size, items + i * size) <= 0)
			continue;
		moved += sink(items, i, size, compare);
		if (moved > 4 * count)
			return false;
	}
	return true;
}

void sort_nearly(void *items, size_t count, size_t size,
		 int (*compare)(const void *a, const void *b))
{
	if (count < 2)
		return;
	if (size > ITEM_MAX || !sort_by_insertion(items, count, size, compare))
		qsort(items, count, size, compare);
}
