/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that get nothing and do not wait: one by one no fault, many in a row a busy loop. */
#ifndef VIZ_DIAGNOSE_FIND_VAIN_CALLS_H
#define VIZ_DIAGNOSE_FIND_VAIN_CALLS_H

#include "viz/diagnose/core/finder.h"

/* A way to call in vain: a row of vain_calls.c. */
struct vain_kind;

/* What must be so besides, for a run of such calls to be a fault. */
enum vain_proof {
	PROOF_NONE,
	PROOF_UNTAKEN, /* nobody took anything meanwhile from what they are told of */
	PROOF_STALE,   /* the descriptor that they are told of is closed: stale_events.h */
};

/* Returns the kind of the call, NULL if it is none of them. */
const struct vain_kind *vain_kind_of(const struct viz_operation *op);

/* Signal 0 is never sent: kill() only tells whether the process is there (kill(2)). */
bool vain_asks_for_process(const struct viz_operation *op);

/*
 * True if a loop that calls so may make this call between two of them: a shell redirects the output
 * of its own kill command each time.
 */
bool vain_is_between(const struct vain_kind *kind, const struct viz_operation *op);

/* What to do instead; NULL: as the row of the finding busy-wait says. */
const char *vain_remedy(const struct diagnosis *d, const struct vain_kind *kind);

enum vain_proof vain_proof_of(const struct vain_kind *kind);

/* How long such calls go on, at least, where they are a fault. */
uint64_t vain_least_ns(const struct vain_kind *kind);

/* find_sleep_loops.c: adds busy-wait for shells that only start sleep(1) until the time limit. */
void report_sleep_loops(struct diagnosis *d);

#endif
