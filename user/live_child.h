/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process without root's rights that tells of messages while the trace is being written. */
#ifndef USER_LIVE_CHILD_H
#define USER_LIVE_CHILD_H

#include <sys/types.h>

#include "viz/filter.h"

struct live_child {
	pid_t pid; /* 0: none */
	int end;   /* closed, it says that all is written */
};

/* `trace` is its to read, from the beginning; it prints to stderr. 0 or -errno. */
int live_child_start(struct live_child *child, int trace, const struct viz_filter *filter);

/* The trace is whole: waits until all of it is told. */
void live_child_end(struct live_child *child);

#endif
