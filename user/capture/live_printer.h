/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Forks a process without root's privileges that prints messages while the trace is being written.
 */
#ifndef USER_CAPTURE_LIVE_PRINTER_H
#define USER_CAPTURE_LIVE_PRINTER_H

#include <sys/types.h>

#include "viz/format/language.h"
#include "viz/message/filter.h"

struct live_child {
	pid_t pid; /* 0: not running */
	int end;   /* write end of a pipe; closing it says that the trace is complete */
};

/*
 * Starts the process, which reads its copy of the descriptor `trace` from the beginning and prints
 * to stderr. Returns 0 or -errno.
 */
int live_child_start(struct live_child *child, int trace, const struct viz_filter *filter,
		     enum language language);

/*
 * Called when the trace is complete: returns after the process has printed all of it and has ended.
 * Does nothing if it was not started.
 */
void live_child_end(struct live_child *child);

#endif
