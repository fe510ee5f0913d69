/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which signals may be left out: those that a call sent on purpose or a timer raised, and that a
 * handler took without interrupting anything but a wait for signals (one of a timer: or a sleep),
 * or a call that was made anew (viz/pair/interrupted_calls.h); and those that one call accepted.
 * Private to this folder.
 */
#ifndef VIZ_PAIR_ORDINARY_SIGNALS_H
#define VIZ_PAIR_ORDINARY_SIGNALS_H

#include "viz/base/arena.h"
#include "viz/message/message.h"

/* The processes whose threads wait for signals or children, as far as is read. */
struct signal_waits {
	struct arena *arena;
	struct map processes; /* struct process_waits, by index */
};

/* The call in which a thread waits for signals or children. */
struct open_wait {
	const struct viz_operation *op; /* NULL: it is in none, or in another kind of call */
	bool child;
};

/* True of a message if nothing is to be said of its signal, and of the calls that are its own. */
bool ordinary_signal(const struct viz_message *message);

/* The same of a signal that a timer of the process raised: it has no sender, and no call of one. */
bool ordinary_timer_signal(const struct viz_message *message);

/* True if one call took the signal, or a handler that ran soon and returned. */
bool signal_is_taken(const struct viz_signal *signal);

/* The call that took the signal, or (NULL: none) that its handler interrupted. */
const struct viz_operation *signal_taker(const struct viz_signal *signal);

/* What sort of a signal it is, apart from its ends: the same number for the same. */
uint64_t signal_sort(const struct viz_signal *signal);

/* To be called for each call that has begun, and for each that has returned, of its thread. */
void signal_waits_begin(struct signal_waits *waits, struct open_wait *wait,
			const struct viz_operation *op);
void signal_waits_end(struct signal_waits *waits, struct open_wait *wait,
		      const struct viz_operation *op);

/*
 * True if it makes no difference for what its process waits for now that the signal came before
 * that, as later ones of its sort did.
 */
bool signal_may_be_forgotten(const struct signal_waits *waits, const struct viz_signal *signal);

/* The same of the SIGCHLD for a child's end. */
bool child_end_may_be_forgotten(const struct signal_waits *waits, const struct viz_process *parent);

#endif
