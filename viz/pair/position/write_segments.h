/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lock segments of a large write: what it wrote between two sleeps on a full pipe. The trace
 * reports them as ranges of buffers. Private to viz/pair.
 */
#ifndef VIZ_PAIR_POSITION_WRITE_SEGMENTS_H
#define VIZ_PAIR_POSITION_WRITE_SEGMENTS_H

#include "viz/pair/position/placing.h"

/* Buffers [from, to), numbered as by the pipe's head. */
struct segment {
	uint32_t from, to;
};

/* The buffers that a send may have written; it wrote to no other ones. */
struct segments {
	size_t index; /* of the send in flow->sends */
	struct segment *list;
	size_t count;
	/* Upper bound of the end of the last buffer found; 0: others may have added to it. */
	uint64_t end;
	bool reported; /* the trace reports segments; else one range, from entry to exit */
	/*
	 * If another write began a buffer after the entry, the bytes beyond whole pages may have
	 * been merged into that one, which is then counted here, but is not this write's.
	 */
	bool perhaps_merged;
	bool merged_nothing; /* what lay last at its exit is as long as those bytes alone */
	bool tentative;	     /* some of its buffers may be another send's */
	/*
	 * The same without the buffers that the trace calls unsure, if the rest are as many as it
	 * filled; NULL: no others, or not so.
	 */
	const struct segments *turns;
};

/* A send that is left with more buffers than it can have written. */
struct segments_share {
	struct segments *segments;
	uint64_t excess, most; /* buffers: too many at least, and what it can have filled at most */
	uint64_t end;	       /* where its bytes end in its last buffer */
	uint64_t begin_ns;     /* when it began, or ran again after its last sleep */
	size_t segments_left;  /* that segments_share() has not visited yet */
};

/* The number of buffers of one segment. */
static inline uint32_t segment_buffers(const struct segment *segment)
{
	return segment->to - segment->from;
}

/* The number of buffers of all segments. */
static inline uint64_t segments_buffers(const struct segments *segments)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < segments->count; i++)
		sum += segment_buffers(&segments->list[i]);
	return sum;
}

/* The place behind the last of all buffers. */
static inline uint64_t segments_end(const struct segments *segments)
{
	return (segments->list[segments->count - 1].to + UINT64_C(1)) * SLOT_LEN;
}

/* The fewest buffers that the send can have filled. */
uint64_t segments_fewest(const struct flow_item *item, const struct segments *segments);

/* Removes buffers from the segments that other sends certainly wrote: split_write_claims.c. */
void segments_claim(struct placing *p, struct segments *all, size_t count);

/*
 * Divides buffers that two sends' segments have in common, so that neither has more than it wrote,
 * where that is possible. Sets `tentative` of both.
 */
void segments_share(struct arena *arena, struct segments_share *shares, size_t count);

/* Sets `tentative` of each send some of whose buffers another one of these may have filled. */
void segments_doubt(struct arena *arena, struct segments *const *writes, size_t count);

/*
 * Replaces each completed send whose segments are reported by one item for each of them, which has
 * a window. A send whose segments do not add up to what it wrote stays whole.
 */
void segments_split(struct placing *p);

/*
 * Joins adjacent segments of one write again, once the sends have their places: nothing was written
 * between them.
 */
void segments_join(struct placing *p);

#endif
