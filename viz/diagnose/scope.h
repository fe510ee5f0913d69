/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A trace may hold a look at the machine, taken when a time limit fired: a trace of one instant, of
 * all who could end a wait of those who outlived the limit. It is diagnosed by itself, and what is
 * known from it alone is joined. Private to this folder.
 */
#ifndef VIZ_DIAGNOSE_SCOPE_H
#define VIZ_DIAGNOSE_SCOPE_H

#include "viz/diagnose/diagnose.h"

struct diagnosis_look {
	struct viz_model *model;
	struct viz_pairing *pairing;
	struct diagnosis *found;
};

/* What to diagnose, and of whom. */
struct diagnosis_scope {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	enum language language;
	const uint32_t *pids;
	size_t count;
	/*
	 * As diagnose_only(), of a look, for those who outlived a trace. Who merely waits for them,
	 * as the readers of the command's output do, is not reported.
	 */
	bool survivors;
	const struct diagnosis *trace; /* with `survivors`: the one that the look is of; or NULL */
	const struct viz_model *look;  /* of a trace: the look that it has; or NULL */
};

/* run.c: diagnoses the model alone, without a look that it has. */
struct diagnosis *diagnose_scope(const struct diagnosis_scope *scope);

/*
 * join.c: adds to `d` what is known only from `look`, which must outlive it: a finding about a
 * process of which `d` says nothing as severe, in place of what `d` says of its wait. A finding
 * that says the same as one of `d` and names more processes takes its place, and its severity if
 * that is higher. What is added names the processes and the channel of the trace where they are in
 * it.
 */
void diagnosis_join(struct diagnosis *d, const struct diagnosis *look);

#endif
