/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Takes what the kernel has counted, as the ends of channels that viz/top/ joins: of each, what
 * happened since the time before.
 */
#ifndef USER_TOP_SNAPSHOT_H
#define USER_TOP_SNAPSHOT_H

#include "user/top/counter.h"

struct snapshots; /* what was taken last */

struct snapshots *snapshots_new(void);
void snapshots_free(struct snapshots *snapshots);

struct snapshot {
	struct top_end *ends; /* valid until the next one is taken */
	size_t count;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	struct top_gaps gaps;
};

/*
 * Returns 0 or -errno. Where the kernel's tables are three quarters full, it also forgets the ends
 * at which nothing has happened for half a minute; where that is not enough, all at which nothing
 * has happened since the time before.
 */
int snapshot_take(struct snapshots *snapshots, struct counter *counter, struct snapshot *out);

#endif
