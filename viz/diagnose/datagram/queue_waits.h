/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Waits at a System V queue that nobody can end by sending to it, or by receiving from it. */
#ifndef VIZ_DIAGNOSE_DATAGRAM_QUEUE_WAITS_H
#define VIZ_DIAGNOSE_DATAGRAM_QUEUE_WAITS_H

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph.h"

/*
 * Adds the finding type-never-sent if it is an msgrcv(2) whose queue holds messages, but none of
 * the wanted type; returns whether it did.
 */
bool report_type(struct diagnosis *d, const struct wait *wait);

/*
 * Adds the finding never-fits if it is an msgsnd(2) of a message that is larger than all that the
 * queue may hold; returns whether it did.
 */
bool report_never_fits(struct diagnosis *d, const struct wait *wait);

#endif
