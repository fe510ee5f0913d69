/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The process that holds the command while the ring is crowded. It is one of its own because it
 * must be quick, however busy the tracer is, and because it outlives a tracer that is killed: then,
 * as at the end, it lets the command go on and removes the cgroup. It keeps the rights for that.
 */
#ifndef USER_CAPTURE_WARDEN_H
#define USER_CAPTURE_WARDEN_H

#include <stdint.h>
#include <sys/types.h>

#include "user/capture/cgroup.h"
#include "user/tracer/ring.h"

/*
 * The memory that the warden writes and the tracer reads. The warden alone holds the command and
 * lets it go on: a tracer that lost its processor right after it let the command go on could not
 * say that it may be held again.
 */
struct warden_board {
	uint64_t held_ns; /* since when the command is held; 0: it is not */
	uint64_t pauses;  /* how many are over; of the last one: */
	uint64_t at_ns, stood_ns;
};

struct warden {
	pid_t pid; /* 0: none */
	int leash; /* a byte asks; closed by the tracer, or by its end: the warden ends, too */
	struct warden_board *board;
};

/* Starts the warden, with all signals blocked that can be. Returns 0 or -errno. */
int warden_start(struct warden *warden, const struct cgroup *cgroup, const struct ring *ring);

/* Asks the warden to let the command go on. */
void warden_ask(const struct warden *warden);

/* True if the warden has ended before its time. Said once. */
bool warden_ended(struct warden *warden);

/* Ends the warden. Returns false if the cgroup could not be removed. */
bool warden_end(struct warden *warden);

#endif
