/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How connect(2) ended where it did not wait: a later call tells, by SO_ERROR, by its own error, or
 * by moving data. See connect(2), EINPROGRESS.
 */
#ifndef VIZ_DIAGNOSE_CONNECT_RESULTS_H
#define VIZ_DIAGNOSE_CONNECT_RESULTS_H

#include "viz/diagnose/core/finder.h"

struct connect_result {
	bool known;
	bool given_up; /* closed before anything was known; `error` is 0 */
	int error;     /* errno; 0: it succeeded */
	const struct viz_operation *told_by;
};

/* Returns the results by operation index; those of calls that are no connect are not known. */
const struct connect_result *connect_results(struct diagnosis *d);

#endif
