/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the pair_signal*.c files share. Private to them. */
#ifndef VIZ_PAIR_SIGNAL_H
#define VIZ_PAIR_SIGNAL_H

#include "pair_internal.h"

/* Signals of one target and number, oldest first. */
struct pending {
	struct viz_signal **items;
	size_t count, capacity;
	size_t taken;
	bool waited_for; /* a call has taken one, no handler */
};

/* What is remembered of a process until its end. */
struct target {
	struct viz_signal *last_default;	   /* the last that took its default action */
	const struct viz_signal_event *group_exit; /* see is_group_exit() */
	bool ended;				   /* its end was looked at */
};

struct target_list {
	struct target *items; /* by process index */
	size_t count, capacity;
};

struct event_list {
	struct viz_signal_event **items;
	size_t count, capacity;
};

struct signal_list {
	struct viz_signal **items;
	size_t count, capacity;
};

struct pending_list {
	struct pending **items;
	size_t count, capacity;
};

struct signal_context {
	struct pair_context *pair;
	struct event_list events;   /* to come */
	struct signal_list signals; /* not yet told */
	struct map names;	    /* of signals that calls tell by number */
	struct map queues;	    /* struct pending */
	struct map handlers;	    /* of a thread: struct pending as a stack, the running ones */
	struct pending_list all;
	struct id_map raised; /* operations that raised one */
	struct target_list targets;
	size_t count;	     /* of signals so far */
	size_t event_at;     /* as far as the round has gone */
	size_t first_living; /* of the processes: all before it have ended */
};

void signal_event_add(struct signal_context *context, struct viz_signal_event *event);

struct target *signal_target(struct signal_context *context, const struct viz_process *process);
struct viz_signal *signal_new(struct signal_context *context, const struct viz_signal_event *event);

/* The next one pending of that number, for a thread or its process; NULL: there is none. */
struct viz_signal *signal_take_pending(struct signal_context *context,
				       const struct viz_signal_event *event);
/*
 * The same, of those that are what the taker was told: those before it have been taken by calls
 * that are not in the trace.
 */
struct viz_signal *signal_take_named(struct signal_context *context,
				     const struct viz_signal_event *event,
				     const struct viz_siginfo *taken);

/*
 * Where records are missing, what a wait for signals says of those that were pending: one that
 * slept has found none, and one that took a number has found no lower one that is waited for, too.
 * They have been taken by calls that are not here. Before, and after, its own signal is taken.
 */
void signal_forget_same(struct signal_context *context, const struct viz_signal_event *event,
			uint64_t before_ns);
void signal_forget_lower(struct signal_context *context, const struct viz_signal_event *event,
			 uint64_t before_ns);
void signal_name_killer(struct signal_context *context, struct viz_process *process);

#endif
