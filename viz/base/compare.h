/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For comparison functions, as qsort(3) wants them: by `a` and, where it is equal, by `b`:
 *
 *	return COMPARE(x->a, y->a) ?: COMPARE(x->b, y->b);
 *
 * COMPARE() is less than, equal to or greater than 0 as its first argument is to its second, which
 * both are numbers or pointers into one array. To sort the largest first, swap them.
 */
#ifndef VIZ_BASE_COMPARE_H
#define VIZ_BASE_COMPARE_H

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

#endif
