/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files of the wait graph among themselves. */
#ifndef VIZ_WAIT_GRAPH_INTERNAL_H
#define VIZ_WAIT_GRAPH_INTERNAL_H

#include "wait_graph.h"

/* wait_stuck.c: which waits nobody will ever end. */
void wait_find_stuck(struct wait_graph *graph);

/* wait_enders.c: fills in who could end it. */
void wait_find_enders(struct wait_graph *graph, struct wait *wait);

/* wait_named.c: notes what this call makes that has a name; before any wait. */
void wait_note_made(struct wait_graph *graph, const struct viz_operation *op);

/*
 * wait_flight.c: notes descriptors that were sent, where some call waits, and those that a glance
 * found; and the message that they came with.
 */
void wait_note_flights(struct wait_graph *graph, bool pending);
void wait_note_carrier(struct wait_graph *graph, const struct viz_message *m);

/* Key of graph->wrote. */
static inline uint64_t wait_pair_key(const struct viz_process *process,
				     const struct viz_channel *channel)
{
	return (uint64_t)process->index << 32 | channel->index;
}

/* Key of graph->held. */
static inline uint64_t wait_fd_key(const struct viz_process *process, int32_t fd)
{
	return (uint64_t)process->index << 32 | (uint32_t)fd;
}

void wait_add_ender(struct wait_graph *graph, struct wait *wait, const struct viz_process *process);

/* All who hold such an end still. Nobody known: then somebody whom the trace does not know. */
void wait_add_holders(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel, enum access access);

/* wait_accept.c: where it was not accepted yet. False: it was, or nobody knows who listens. */
bool wait_at_backlog(struct wait_graph *graph, struct wait *wait, const struct viz_channel *client,
		     const struct viz_channel *peer);

/* wait_accept.c: connect(2) sleeps where the backlog is full. */
void wait_to_connect(struct wait_graph *graph, struct wait *wait);

/* wait_named.c: queues, semaphores, locks, futexes; `end` as of wait_add_holders(). */
void wait_at_named(struct wait_graph *graph, struct wait *wait, const struct viz_channel *channel,
		   enum access end);

#endif
