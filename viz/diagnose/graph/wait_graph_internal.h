/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared by the files of the wait graph. */
#ifndef VIZ_DIAGNOSE_GRAPH_WAIT_GRAPH_INTERNAL_H
#define VIZ_DIAGNOSE_GRAPH_WAIT_GRAPH_INTERNAL_H

#include "viz/diagnose/graph/wait_graph.h"
#include "viz/model/operation_facts.h"

/* The calls that locked or unlocked a file, in the order of their begin. */
struct wait_locks {
	const struct viz_operation **calls;
	size_t count;
};

/* wait_stuck.c: marks the waits that will never end. */
void wait_find_stuck(struct wait_graph *graph);

/*
 * wait_fifo_opens.c: before wait_find_stuck(), supposes of waits to open FIFOs crosswise that only
 * their own program could end them; after it, keeps that where it is stuck.
 */
void wait_suppose_crossed(struct wait_graph *graph);
void wait_settle_crossed(struct wait_graph *graph);

/*
 * wait_fifo_served.c: marks the waits that serve a FIFO for whoever opens it, and has them be ended
 * from outside. Called before wait_find_stuck().
 */
void wait_open_served(struct wait_graph *graph);

/*
 * wait_vfork.c: the vfork(2) in which the thread sleeps, as if the call had been recorded; NULL: it
 * does not.
 */
const struct viz_operation *wait_vfork_call(struct wait_graph *graph, struct viz_thread *thread);

/* wait_enders.c: fills in the processes that could end a wait. */
void wait_find_enders(struct wait_graph *graph, struct wait *wait);

/*
 * wait_named_objects.c: notes if this call creates a named object. Called for all operations before
 * the first wait.
 */
void wait_note_made(struct wait_graph *graph, const struct viz_operation *op);

/* wait_told.c: notes what a call tells the kernel of its channel. */
void wait_note_told(struct wait_graph *graph, const struct viz_operation *op);

/* wait_removed.c: notes a call that removes a name. Called for all operations, as the above. */
void wait_note_removal(struct wait_graph *graph, const struct viz_operation *op);

/* wait_pipe_fill.c: notes where the pipes of this call stood after it, or before it if it waits. */
void wait_note_pipe(struct wait_graph *graph, const struct viz_operation *op);

/*
 * wait_fds_in_flight.c: note the descriptors that were sent (if any call waits) or that a glance
 * found in flight, and the message that carries them.
 */
void wait_note_flights(struct wait_graph *graph, bool pending);
void wait_note_carrier(struct wait_graph *graph, const struct viz_message *m);

/*
 * wait_lock_holders.c: notes a call that locks or unlocks a file; adds as enders those that hold
 * the lock which the wait is for. False if none is known: then somebody outside the trace does.
 */
void wait_note_lock(struct wait_graph *graph, const struct viz_operation *op);
bool wait_add_lockers(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel);

/* Key of graph->held. */
static inline uint64_t wait_fd_key(const struct viz_process *process, int32_t fd)
{
	return (uint64_t)process->index << 32 | (uint32_t)fd;
}

/*
 * wait_sets.c: the processes that could end waits of one kind, which wait_set_add() collects for
 * one that is only there for that. wait_share() adds those of a set to the wait.
 */
struct wait_set *wait_set_new(struct wait_graph *graph, const struct wait *collected);
struct wait wait_set_begin(const struct wait_graph *graph);
void wait_share(struct wait_graph *graph, struct wait *wait, struct wait_set *set);
void wait_set_join(struct wait_graph *graph, struct wait *wait); /* once its enders are known */
/* Gives it those that were collected instead of those that it has. */
void wait_set_replace(struct wait_graph *graph, struct wait *wait, const struct wait *collected);

/* Adds a process that could end the wait, unless it is there already or has ended. */
void wait_add_ender(struct wait_graph *graph, struct wait *wait, const struct viz_process *process);

/*
 * Adds as enders all processes that hold this end, or could receive it. If none is known, the wait
 * is open.
 */
void wait_add_holders(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel, enum access access);

/*
 * wait_accept.c: adds the holders of the listener if the connection has not been accepted yet.
 * False if it was, or the listener is unknown.
 */
bool wait_at_backlog(struct wait_graph *graph, struct wait *wait, const struct viz_channel *client,
		     const struct viz_channel *peer);

/* wait_listener_queue.c: notes who sleeps until something comes, before the first wait. */
void wait_note_acceptors(struct wait_graph *graph);

/* wait_accept.c: a connect(2), which sleeps while the backlog is full. */
void wait_to_connect(struct wait_graph *graph, struct wait *wait);

/*
 * wait_named_objects.c: adds the enders of a wait at a queue, semaphore, lock or futex; `end` as
 * for wait_add_holders().
 */
void wait_at_named(struct wait_graph *graph, struct wait *wait, const struct viz_channel *channel,
		   enum access end);

/*
 * wait_terminals.c: adds the enders of a wait at a pseudo-terminal; `end` as for
 * wait_add_holders().
 */
void wait_at_terminal(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel, enum access end);

/*
 * wait_terminals.c: after wait_find_stuck(), has reads of a terminal that are not stuck be ended by
 * a key in a glance, where whoever has the master may be the terminal emulator of a user.
 */
void wait_settle_terminals(struct wait_graph *graph);

/*
 * wait_loops.c: of processes with a child that waits for them, has no wait be ended by the kernel
 * as it counts in an eventfd. Called before wait_find_stuck().
 */
void wait_close_counters(struct wait_graph *graph);

/*
 * wait_turns.c: marks those as ready that sleep at a pipe beside one at its other end. Called
 * before wait_find_stuck().
 */
void wait_take_turns(struct wait_graph *graph);

/* wait_loops.c: sets `room` and `itself`, once the enders are known. */
void wait_look_at_loop(struct wait_graph *graph, struct wait *wait);

/* wait_enders.c: notes the children of each process, before the first wait. */
void wait_note_children(struct wait_graph *graph);

/* wait_holders.c: notes the other ends of sockets, before the first wait. */
void wait_note_ends(struct wait_graph *graph);

/* True if a process of the trace that has not ended holds the channel. */
bool wait_is_held(const struct viz_channel *channel);

/* True if a process outside the trace holds this end of the channel. */
bool wait_held_outside(const struct viz_channel *channel, enum access access);

#endif
