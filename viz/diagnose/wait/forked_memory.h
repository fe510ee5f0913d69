/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes that look again and again at memory of their own, where nobody else can write: after
 * fork(2) a variable is another one in the child.
 */
#ifndef VIZ_DIAGNOSE_WAIT_FORKED_MEMORY_H
#define VIZ_DIAGNOSE_WAIT_FORKED_MEMORY_H

#include "viz/diagnose/core/finder.h"

/* Children by fork(2), and theirs, that have executed no other program. */
struct forked_copies {
	const struct viz_process *first; /* that has not failed; NULL: there is none */
	size_t count;			 /* of such */
	bool any_lives;
};

/*
 * True if nothing but its one thread can change what the process sees in its memory: it has no
 * handler of a signal and no mapping that it could share, and *copies are those that may have been
 * meant to. False where the trace lacks records.
 */
bool changes_alone(const struct diagnosis *d, const struct viz_process *process,
		   struct forked_copies *copies);

/*
 * Adds to the evidence that it sees nothing of what these set, and sets the advice. The two may be
 * of the trace that `d`, a look, is of.
 */
void tell_unshared(struct diagnosis *d, struct finding *f, const struct viz_process *process,
		   const struct forked_copies *copies);

/* Adds busy-wait for those that do nothing but sleep, a moment each, until the time limit. */
void report_nap_loops(struct diagnosis *d);

#endif
