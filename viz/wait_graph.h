/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who waits for what when the trace ends, and who could end it. Only what the tracer itself found
 * asleep at the end is a wait (state pending): a wake-up that is not in the trace makes none.
 */
#ifndef VIZ_WAIT_GRAPH_H
#define VIZ_WAIT_GRAPH_H

#include "arena.h"
#include "pair.h"

struct wait {
	size_t index;
	const struct viz_operation *operation;
	const struct viz_process *process;
	const struct viz_channel *channel;  /* the first that it waits at; NULL: none */
	const struct viz_channel *listener; /* nobody has accepted it yet who listens there */
	uint64_t since_ns;
	const struct viz_process **enders; /* who could end it, itself perhaps; each once */
	size_t ender_count;
	bool open;     /* so could somebody outside the trace, a clock, or something not known */
	bool clock;    /* time ends it */
	bool ready;    /* what it waits for is there: it only has not run yet */
	bool stuck;    /* not open, and all its enders are stuck: it never ends */
	size_t circle; /* number of its circle from 1; 0: it is in none */
	struct wait *next_of_process;
};

/* A descriptor that was sent to somebody (SCM_RIGHTS): as long as it lies there, it is open. */
struct wait_flight {
	const struct viz_channel *channel; /* what it stands for */
	enum access access;
	const struct viz_operation *sent;
	const struct viz_message *message; /* that it lies in or came with; NULL: not known */
	const struct viz_channel *socket;  /* of this trace, in which it lies unread; or NULL */
	struct wait_flight *next;	   /* of the channel */
	struct wait_flight *next_sent;	   /* with the same message */
};

/* A message that lies in a channel. */
struct wait_unread {
	const struct viz_message *message;
	const struct wait_unread *next;
};

struct wait_graph {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	struct arena *arena;
	bool whole; /* the trace is a glance at the whole machine: nobody else holds anything */
	struct wait **waits; /* in order of the operations */
	size_t count;
	size_t circle_count;
	struct viz_process ***users; /* of each channel that is no descriptor: by its index */
	size_t *user_counts;
	struct wait_flight **flights; /* of each channel, the last one first */
	struct wait_unread **unread;  /* of each channel, where something waits: the oldest first */
	size_t *added; /* of each process: the last wait that it is an ender of, plus 1 */
	bool *made;    /* of each channel: nobody before this trace can know it */
	struct wait_knowers *knowers; /* of each channel, as far as somebody asked: wait_named.c */
	struct map of_thread;	      /* the wait of each thread, and a process's first */
	struct map of_process;
	struct map sent;  /* the flights of each send */
	struct map wrote; /* not empty where a process has ever written to a channel */
	struct map took;  /* or read from it */
	struct map held;  /* a glance: what each process has as each descriptor */
};

struct wait_graph *wait_graph_new(struct arena *arena, const struct viz_model *model,
				  const struct viz_pairing *pairing);

/* The descriptor by which that process could write (or read) there at the end; NULL: none. */
const struct viz_holding *wait_holding(const struct viz_channel *channel,
				       const struct viz_process *process, enum access access);

/* Whether a connection of this socket to that address comes to this listener. */
bool wait_listens_for(const struct viz_channel *listener, const struct viz_channel *client,
		      struct viz_bytes address);

bool wait_has_written(const struct wait_graph *graph, const struct viz_process *process,
		      const struct viz_channel *channel);

bool wait_has_read(const struct wait_graph *graph, const struct viz_process *process,
		   const struct viz_channel *channel);

/* Where a message lies unread that brings that process this end of the channel; NULL: nowhere. */
const struct viz_channel *wait_in_flight(const struct wait_graph *graph,
					 const struct viz_channel *channel,
					 const struct viz_process *to, enum access access);

/* The other end of a socket: what is written there is read here. NULL: not known. */
const struct viz_channel *wait_peer(const struct wait_graph *graph,
				    const struct viz_channel *channel);

/* Whether the process can still do something by itself: some thread runs, or a clock wakes it. */
bool wait_process_acts(const struct wait_graph *graph, const struct viz_process *process);

/* Of its first thread that waits; NULL: none does. */
const struct wait *wait_of_process(const struct wait_graph *graph,
				   const struct viz_process *process);

/* Whether all its threads are stuck. */
bool wait_process_stuck(const struct wait_graph *graph, const struct viz_process *process);

#endif
