/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes could write to a channel over time, and which gave up the last writing end, so
 * that readers found the end of the stream. Private to viz/pair.
 */
#ifndef VIZ_PAIR_PEER_WRITERS_H
#define VIZ_PAIR_PEER_WRITERS_H

#include "viz/model/builder.h"
#include "viz/pair/core/context.h"

/* The holdings with write access to a channel. */
struct writers {
	size_t changes;		    /* the channel's holding_changes when this was listed */
	bool certain;		    /* no process outside the trace can have held an end */
	uint64_t *starts;	    /* since_ns of all of them, ascending */
	struct viz_holding **ended; /* those that have ended, by until_ns */
	size_t start_count;
	size_t end_count;
	struct arena *arena; /* holds all this */
};

/*
 * The writers of a channel up to now; they are listed again only if its holdings have changed.
 * Valid until the next call for this channel.
 */
const struct writers *writers_list(struct pair_context *context, struct channel_traffic *traffic);
void writers_free(struct channel_traffic *traffic);

/* The holding that was the last writing end by at_ns by the kernel's own count; NULL: not told. */
const struct viz_holding *writers_proven(const struct writers *writers, uint64_t at_ns);

/*
 * The holding whose end, or whose exec under way, left no writing end at at_ns; NULL if no end was
 * closed, or one is still held.
 */
const struct viz_holding *writers_last(const struct writers *writers, uint64_t at_ns);

/*
 * True if `last` was certainly the last writing end when the receive found the end of the stream:
 * no other holding that ended at about that time can have been it.
 */
bool writers_sure(const struct writers *writers, const struct viz_holding *last,
		  const struct viz_operation *receive);

#endif
