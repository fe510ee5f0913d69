/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Places of bytes that splice(2), tee(2), sendfile(2) and vmsplice(2) put into a pipe. They arrive
 * in buffers that begin and end where they did at their source (fs/splice.c). Private to viz/pair.
 */
#ifndef VIZ_PAIR_POSITION_SPLICED_H
#define VIZ_PAIR_POSITION_SPLICED_H

#include "viz/pair/position/interleave.h"

#define SPLICED_OPTIONS 24
#define SPLICED_UNKNOWN (SLOT_LEN - 1) /* end of a last buffer whose end no call has seen */

/*
 * What the other calls of a search tell: `places` where they saw the pipe's last byte, ascending
 * and distinct; `parts`, the partial pages that writes may have merged into the last buffer.
 */
struct spliced_marks {
	uint64_t *places;
	size_t count;
	uint64_t *parts;
	size_t part_count;
};

/* True for an item that came with buffers of its own, not copied into the pipe. */
bool spliced_is(const struct flow_item *item);

/*
 * True if in addition nothing of it is in the pipe before its last sleep. A transfer from a file is
 * excluded: it may sleep when a part is done.
 */
bool spliced_at_once(const struct flow_item *item);

/*
 * True if the buffers came from a pipe and may exceed a page, because a socket filled that pipe.
 * Their number is unknown then, so no place behind them is exact.
 */
bool spliced_is_large(const struct flow_item *item);

/* Collects the marks of one search; allocated for the round. */
struct spliced_marks spliced_marks_of(const struct placing *p, struct flow_item **items,
				      size_t count);

/*
 * Fills `options` with the ways to lay the item's bytes behind the place `at`, and returns their
 * number; SPLICED_OPTIONS + 1 if there are too many.
 */
size_t spliced_options(const struct spliced_marks *marks, uint64_t at, const struct flow_item *item,
		       struct place_option options[SPLICED_OPTIONS]);

/* The way to lay them so that they fill exactly the buffers behind `at` up to the place `to`. */
struct place_option spliced_between(uint64_t at, uint64_t to, const struct flow_item *item);

/* The lowest place that can follow the item if it is laid behind `at`. */
uint64_t spliced_least(uint64_t at, const struct flow_item *item);

/*
 * For a ragged item: how many of its bytes lie before a place, as an upper (`most`) or lower bound.
 */
uint64_t spliced_before(const struct flow_item *item, uint64_t place, bool most);

#endif
