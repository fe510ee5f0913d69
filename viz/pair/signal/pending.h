/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The signals that are pending for each thread and process, and what becomes of them. Shared by the
 * files of viz/pair/signal, and private to them.
 */
#ifndef VIZ_PAIR_SIGNAL_PENDING_H
#define VIZ_PAIR_SIGNAL_PENDING_H

#include "viz/pair/core/context.h"

/* What is kept of a process until its end is handled. */
struct target {
	struct viz_signal *last_default;	   /* the last one that took its default action */
	const struct viz_signal_event *group_exit; /* see is_group_exit(); NULL: none */
	bool ended;				   /* signal_name_killer() has handled its end */
	bool doubtful; /* it took a signal of unknown number: which are left is unknown */
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

/* Signals of one number for one thread or process, oldest first. */
struct pending {
	struct viz_signal **items;
	size_t count, capacity;
	size_t taken;		 /* how many of the items, from the first on, were taken */
	struct event_list found; /* pending by the kernel when the target was found */
	bool ambiguous;		 /* one signal may be in it twice, until all are taken */
	bool waited_for;	 /* a wait for signals takes this number, and no handler does */
};

struct pending_list {
	struct pending **items;
	size_t count, capacity;
};

struct signal_context {
	struct pair_context *pair;
	struct event_list events;   /* not yet handled */
	struct signal_list signals; /* not yet passed to the sink */
	struct map names;	    /* names of signals that have no line, only a call */
	struct map queues;	    /* struct pending: by target and number */
	struct map handlers;	    /* by thread: struct pending, as a stack of running handlers */
	struct pending_list all;    /* all of both maps */
	struct id_map raised;	    /* operations that raised a signal of the trace */
	struct target_list targets;
	size_t count;	     /* signals so far */
	size_t event_at;     /* how many events this round has handled */
	size_t first_living; /* index of a process: all before it have ended */
};

/* Handles the next event in order of time. Keeps the event or frees it. */
void signal_event_add(struct signal_context *context, struct viz_signal_event *event);

/* What is kept of a process. Valid until the next call. */
struct target *signal_target(struct signal_context *context, const struct viz_process *process);

/* Makes a signal with the number and name of the event, which is pending so far. */
struct viz_signal *signal_new(struct signal_context *context, const struct viz_signal_event *event);

/*
 * The signals of the event's number that are pending for its process (tid 0), or for one thread of
 * it alone. Includes those that were pending when the target was found.
 */
struct pending *signal_queue(struct signal_context *context, const struct viz_signal_event *event,
			     uint32_t tid);

/* Takes the oldest one of a queue; NULL if it is empty. */
struct viz_signal *signal_queue_take(struct pending *pending);

/*
 * Takes the next pending signal of the event's number, the thread's own first; NULL: there is none.
 */
struct viz_signal *signal_take_pending(struct signal_context *context,
				       const struct viz_signal_event *event);

/*
 * As signal_take_pending(), but takes the first signal that agrees with what the taker was told.
 * Those before it are dropped from the queue: calls that are not in the trace have taken them.
 */
struct viz_signal *signal_take_named(struct signal_context *context,
				     const struct viz_signal_event *event,
				     const struct viz_siginfo *taken);

/*
 * As signal_take_pending(). If the target is older than the trace, the signal must agree with what
 * the taker was told; NULL then also means that the signal was sent before tracing.
 */
struct viz_signal *signal_take_reported(struct signal_context *context,
					const struct viz_signal_event *event,
					const struct viz_siginfo *taken);

/*
 * For traces with missing records. A wait that slept found no signal of its number pending; and a
 * wait that took a signal found none of a lower number that waits take as well. Such signals, sent
 * before before_ns, were taken by calls that are not in the trace, and are dropped from the queue.
 * signal_forget_same() is called before the wait's own signal is taken, the other one after that.
 */
void signal_forget_same(struct signal_context *context, const struct viz_signal_event *event,
			uint64_t before_ns);
void signal_forget_lower(struct signal_context *context, const struct viz_signal_event *event,
			 uint64_t before_ns);

/* Finds the signal that ended a process, if one did, and sets its fate. Once for each process. */
void signal_name_killer(struct signal_context *context, struct viz_process *process);

/* False if the taken signal cannot be the sent one: another sender, code or value. */
bool signal_may_be(const struct viz_signal_event *sent, const struct viz_siginfo *taken);

/*
 * What `map` keeps for the event's target: `queues` by number, where tid 0 stands for the whole
 * process; `handlers` by thread alone. Never NULL.
 */
struct pending *signal_pending_of(struct signal_context *context, struct map *map,
				  const struct viz_signal_event *event, uint32_t tid);

/*
 * Puts the signals that were pending when the target was found before those that were sent since.
 */
void signal_found_settle(struct signal_context *context, struct pending *pending);

#endif
