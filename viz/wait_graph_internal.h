/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files of the wait graph among themselves. */
#ifndef VIZ_WAIT_GRAPH_INTERNAL_H
#define VIZ_WAIT_GRAPH_INTERNAL_H

#include "wait_graph.h"

/* wait_enders.c: fills in who could end it. */
void wait_find_enders(struct wait_graph *graph, struct wait *wait);

void wait_add_ender(struct wait_graph *graph, struct wait *wait, const struct viz_process *process);

/* All who hold such an end still. Nobody known: then somebody whom the trace does not know. */
void wait_add_holders(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel, enum access access);

/* wait_named.c: queues, semaphores, locks, futexes; `end` as of wait_add_holders(). */
void wait_at_named(struct wait_graph *graph, struct wait *wait, const struct viz_channel *channel,
		   enum access end);

#endif
