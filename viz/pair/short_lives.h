/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes that live shortly, as a shell starts one for each command. Of many that a thread
 * collects those in the middle can be left out, each with all that it did, with the pipes that only
 * it and its parent used, with its end's SIGCHLD, with the call that this broke off or that took it
 * (viz/pair/ordinary_signals.h), and with the call that collected it. Private to this folder.
 *
 * A short life is ordinary if the process was forked within the trace and forked none itself, had
 * one thread, made only calls that are ordinary without a message (viz/pair/ordinary.h), that close
 * a listener, or that are on ordinary short channels (viz/pair/short_channels.h), ended by itself,
 * with no other child within the same SIGCHLD, and was collected. If it failed, it had called exec:
 * what a copy of its parent fails at may matter to the parent.
 */
#ifndef VIZ_PAIR_SHORT_LIVES_H
#define VIZ_PAIR_SHORT_LIVES_H

#include "viz/base/id_map.h"
#include "viz/pair/ordinary.h"
#include "viz/pair/short_channels.h"

struct short_channel_list LIST_OF(struct short_channel *);

/* One process, and what of the trace is its own. */
struct short_life {
	struct viz_process *process;
	size_t called;			       /* how many calls it made */
	struct short_calls calls;	       /* those on no channel */
	struct short_channel_list channels;    /* each stands for its peer, too */
	const struct viz_operation *collector; /* its parent's; NULL: none yet */
	struct viz_message *end;	       /* its SIGCHLD; NULL: none yet */
	/* The parent's call that took the SIGCHLD, or that its handler broke off; NULL: none. */
	const struct viz_operation *taker;
	bool odd;	 /* it is not ordinary */
	unsigned rounds; /* since it was collected */
};

struct life_list LIST_OF(struct short_life *);
struct merged_times LIST_OF(uint64_t); /* ascending */

/* A zeroed one has none. */
struct short_lives {
	struct id_map by_process; /* by the process's index */
	struct id_map merged; /* struct merged_times, by a parent's: of SIGCHLD into another one */
	struct life_list ended; /* collected, but perhaps something is still to be read of it */
	size_t looked, kept;	/* of `ended`, in this round */
};

/* Notes a call that has returned. Returns the life of its process; NULL: that is none. */
struct short_life *short_lives_call(struct short_lives *lives, const struct viz_operation *op);

/* The child that the call collected; NULL: it did not, or it is not known. */
struct viz_process *short_lives_collected(const struct viz_operation *op);

/* Notes the call as the one that collected it. */
void short_lives_collect(struct short_lives *lives, const struct viz_operation *op);

/*
 * Notes a signal: of a child's end, or to a process that has a short life perhaps. Returns the call
 * that took it, or that it broke off, if nothing is to be said of that; else NULL.
 */
const struct viz_operation *short_lives_signal(struct short_lives *lives,
					       struct viz_message *message);

/* Keeps an ordinary short channel that is over; false: it is of no life, or of several. */
bool short_lives_channel(struct short_lives *lives, struct short_channel *s);

/* Takes the life out, if its process has made too many calls to have a short one; else NULL. */
struct short_life *short_lives_leave(struct short_lives *lives, struct short_life *life);

/*
 * To be called once in each round, until it returns NULL: takes out a life that is over. If
 * *ordinary it may be left out; else it is to be given up.
 */
struct short_life *short_lives_over(struct short_lives *lives, bool *ordinary);

/* What it sent and received, and how many calls there were; and what sort of a life it was. */
uint64_t short_life_bytes(const struct short_life *life);
size_t short_life_calls(const struct short_life *life);
uint64_t short_life_sort(const struct short_life *life);

void short_life_free(struct short_life *life); /* life may be NULL */
void short_lives_free(struct short_lives *lives);

#endif
