/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How connect(2) ended where it did not wait: a later call tells, by SO_ERROR, by its own error, or
 * by moving data. See connect(2), EINPROGRESS.
 */
#ifndef VIZ_DIAGNOSE_GRAPH_CONNECT_RESULTS_H
#define VIZ_DIAGNOSE_GRAPH_CONNECT_RESULTS_H

#include "viz/base/arena.h"
#include "viz/message/message.h"

struct connect_result {
	bool given_up; /* closed before anything was known; `error` is 0 */
	int error;     /* errno; 0: it succeeded */
	const struct viz_operation *told_by;
};

/* Returns the results of all connects that went on when they returned, in `arena`. */
struct map connect_results(struct arena *arena, const struct viz_model *model);

/* NULL: it did not go on, or nothing told yet. */
const struct connect_result *connect_result_of(const struct map *results,
					       const struct viz_operation *connect);

/* True if the connect(2) did not wait, and no later call has told how it ended. */
bool connect_goes_on(const struct map *results, const struct viz_operation *connect);

/* True if the connect(2) succeeded, at once or as a later call told. */
bool connect_succeeded(const struct map *results, const struct viz_operation *connect);

#endif
