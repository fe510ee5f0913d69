/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of a trace is ordinary, so that thinned.c leaves it out. Private to this folder. */
#ifndef VIZ_PAIR_ORDINARY_H
#define VIZ_PAIR_ORDINARY_H

#include "viz/message/message.h"
#include "viz/pair/idle_runs.h"
#include "viz/pair/ordinary_signals.h"

/* The calls of a thread, in the order of their return. */
struct thread_calls {
	size_t count, capacity;
	uint64_t *ordinary;		  /* a bit for each of them */
	size_t words;			  /* of `ordinary` */
	const struct viz_operation *wait; /* its latest call, if that waited for data; or NULL */
	size_t wait_number;
	struct idle_run run; /* its latest */
	struct open_wait open;
	/* While the list of the model is made: of the latest call there. */
	size_t next_number;
	uint32_t last_run;
};

struct short_channel;
struct short_life;

/*
 * A message and its calls, or (message NULL) a call that waited for data or got nothing, or two
 * that took a lock and gave it back; or all that is left of what went through a short channel, or
 * all of a short life.
 */
struct exchange {
	struct viz_message *message;
	/* The second may be NULL of a wait and of a signal, of one from a timer the first, too. */
	const struct viz_operation *calls[2];
	struct short_channel *whole;	 /* then the calls are the first ones of it and its peer */
	struct short_life *life;	 /* then the first call is the one that collected it */
	struct short_channel *of;	 /* that it lies in the middle of; NULL: of none */
	const struct viz_operation *hub; /* of a piece (viz/pair/pieces.h); NULL: it is none */
};

/* True if send and receive are a whole message each, and nothing else is to be said of them. */
bool ordinary_message(const struct viz_message *message);

/*
 * The hub of a message that is an ordinary piece of a pipe (viz/pair/pieces.h), its leaf being
 * whole and ordinary; NULL: it is none.
 */
const struct viz_operation *ordinary_piece(const struct viz_message *message);

/* True if nothing is to be said of a hub beside its pieces. */
bool ordinary_hub(const struct viz_operation *hub);

/* True if the call waited for data, shortly, and was told of some. */
bool ordinary_wait(const struct viz_operation *op);

/* True if the call changed what an epoll instance waits for, in one descriptor. */
bool ordinary_change(const struct viz_operation *op);

/*
 * True if the call set the caller's own signal mask or handlers, or found, without waiting, that no
 * child is left. Nothing is asked of those but for the last ones.
 */
bool ordinary_control(const struct viz_operation *op);

/* The same number for the same request. */
uint64_t control_request(const struct viz_operation *op);

/* Notes a call of the thread, and gives its number. */
size_t thread_calls_add(struct thread_calls *calls);
void thread_calls_mark(struct thread_calls *calls, size_t number);

/* True if the calls just before and after this one are known to be ordinary. */
bool thread_calls_around(const struct thread_calls *calls, size_t number);
void thread_calls_free(struct thread_calls *calls);

#endif
