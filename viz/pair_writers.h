/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who could write to a channel, and who gave up the last writing end. Private to pair_*.c. */
#ifndef VIZ_PAIR_WRITERS_H
#define VIZ_PAIR_WRITERS_H

#include "model_build.h"
#include "pair_internal.h"

/* Who could write to a channel, over time. */
struct writers {
	size_t changes;		    /* the channel's holdings then */
	bool certain;		    /* no stranger can have held an end */
	uint64_t *starts;	    /* sorted */
	struct viz_holding **ended; /* by until_ns */
	size_t start_count;
	size_t end_count;
	struct arena *arena; /* of all this */
};

/* As they are now: listed again only where something has changed since the last time. */
const struct writers *writers_list(struct pair_context *context, struct channel_traffic *traffic);
void writers_free(struct channel_traffic *traffic);

/* The one that gave up the last writing end by then; NULL: none did, or there still is one. */
const struct viz_holding *writers_last(const struct writers *writers, uint64_t at_ns);

/* Whether it was the last for certain, and no other one who gave an end up at about that time. */
bool writers_sure(const struct writers *writers, const struct viz_holding *last,
		  const struct viz_operation *receive);

#endif
