/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What tells whether two processes that share memory agree on who may write: the objects and
 * messages that both use, how long each has its memory, and whether both compute at the same time.
 * Found once for a trace, then asked of many pairs.
 */
#ifndef VIZ_DIAGNOSE_SHARING_ORDER_H
#define VIZ_DIAGNOSE_SHARING_ORDER_H

#include "viz/diagnose/diagnose.h"

struct sharing_order;

/* Lives as long as the diagnosis. Never NULL. */
struct sharing_order *sharing_order_new(struct diagnosis *d);

/* Returns when the process executes another program or ends, after `since_ns`. */
uint64_t sharing_lives_until(const struct sharing_order *order, const struct viz_process *process,
			     uint64_t since_ns);

/*
 * Returns the children of a process that work in the memory that they inherit: born in the trace,
 * and not to execute another program at once. By their birth; `*count` is their number.
 */
const struct viz_process *const *sharing_children(const struct sharing_order *order,
						  const struct viz_process *process, size_t *count);

/* True if both used one object that orders accesses, or one sent the other a message or signal. */
bool sharing_agreed(struct sharing_order *order, const struct viz_process *a,
		    const struct viz_process *b);

/*
 * True if each of the two processes, which have one thread, computed for a tenth of a second or
 * more between these times: in no call that the trace tells of, so that they need not have waited.
 */
bool sharing_both_compute(struct sharing_order *order, const struct viz_process *a,
			  const struct viz_process *b, uint64_t from_ns, uint64_t until_ns);

#endif
