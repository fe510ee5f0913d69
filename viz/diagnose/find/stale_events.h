/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events of a descriptor that is closed, while a copy of it keeps the file open: epoll(7). */
#ifndef VIZ_DIAGNOSE_FIND_STALE_EVENTS_H
#define VIZ_DIAGNOSE_FIND_STALE_EVENTS_H

#include "viz/diagnose/core/finder.h"

/* Returns what the descriptor was of which the call was told first; NULL: it is not stale. */
const struct viz_channel *stale_channel(const struct diagnosis *d,
					const struct viz_operation *told);

/* Adds to the evidence which descriptor it is, and who keeps its file open. */
void tell_stale(struct diagnosis *d, struct finding *f, const struct viz_operation *told,
		const struct viz_channel *channel);

#endif
