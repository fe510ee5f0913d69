/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --lossless: the command is held, in a cgroup of its own, while the ring is crowded. A warden
 * process stops it, and the tracer lets it go on once the ring is nearly empty.
 */
#ifndef USER_CAPTURE_HOLD_H
#define USER_CAPTURE_HOLD_H

#include "user/capture/warden.h"
#include "user/tracer/tracer.h"

struct hold {
	bool open;
	struct cgroup cgroup;
	struct warden warden;
	struct tracer *tracer;
	uint64_t checked_ns; /* when processes that have left the cgroup were last looked for */
	uint64_t pauses;     /* told by hold_release() */
	bool asked;	     /* the warden was asked to let the command go on */
	bool told;	     /* that there are such, or that the warden is gone */
};

/* Times of CLOCK_MONOTONIC, in ns. */
struct hold_pause {
	uint64_t at_ns;
	uint64_t stood_ns;
};

/*
 * Puts the process, which waits at its gate, into the cgroup and starts the warden. Returns 0, or
 * -errno with a sentence in `error`. `*hold` is zeroed before.
 */
int hold_open(struct hold *hold, struct tracer *tracer, pid_t command, char *error, size_t size);

/*
 * If the command is held and the ring is nearly empty (or `now` is set), lets it go on. Returns
 * true for each pause that is over, once, perhaps at a later call. Says on stderr once if a traced
 * process has left the cgroup.
 */
bool hold_release(struct hold *hold, bool now, struct hold_pause *pause);

/* To be called on SIGCHLD: if the warden was killed, lets the command go on and says so. */
void hold_check(struct hold *hold);

/*
 * Lets the command go on for good. What is left of it moves to the cgroup that it came from; ours
 * is removed. May be called again.
 */
void hold_close(struct hold *hold);

#endif
