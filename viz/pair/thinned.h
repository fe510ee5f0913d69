/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads and pairs a trace for those who look for what is unusual in it. The model and the pairing
 * are those of viz_model_read() and viz_pair(), less what goes on and on without a fault: of each
 * conversation (a thread that sends, one that receives, and their channel) the first and the last
 * exchanges are there, and of those between them what is ordinary is left out, calls and messages.
 * In a queue each type and priority is a conversation of its own.
 *
 * An exchange is ordinary if one call sent a message (or added a number to an eventfd) and one
 * received it, both whole, the pairing is exact, the sender did not sleep, the receiver not for
 * long, and the calls that both threads made just before and after were ordinary, too. Of each
 * length several are there. A call that waited for data (poll, epoll_wait) which its thread then
 * received or sent is ordinary as well, and so is one that got nothing (EAGAIN, an empty poll)
 * between calls that did. Of many such in a row the first and the last stay: viz/pair/idle_runs.h.
 * Of a send through a pipe that is received in pieces, and of a receive that takes many sends, the
 * middle is left out as well (viz/pair/pieces.h).
 * Calls on a semaphore or futex are ordinary if it is no lock, and they woke, or were woken by, one
 * call, or none (viz/pair/semaphores.h); two calls that take a lock and give it back are, if nobody
 * else had it meanwhile (viz/pair/lock_rounds.h). A signal is ordinary, with its
 * events and calls, if a call sent it, or a timer raised it, and a handler or one call took it soon
 * (viz/pair/ordinary_signals.h); so is the call that the handler interrupted, if one like it comes
 * later (viz/pair/interrupted_calls.h). Of pipes and connections that live shortly, the first and
 * the last of those between two threads stay (a tenth as many), and of the others in which all is
 * ordinary all calls and messages are left out (viz/pair/short_channels.h); the channels stay. So
 * it is with processes that live shortly (viz/pair/short_lives.h), and with calls that set the
 * caller's own signal mask or handlers.
 *
 * model->ordinary tells how much was left out, by process and channel, and the `repeats` of the
 * first call of a row how many were like it; model->ordinary_signal_events counts events of
 * signals. A call with `after_gap` is not the next one that its thread made after the call before
 * it in the model.
 */
#ifndef VIZ_PAIR_THINNED_H
#define VIZ_PAIR_THINNED_H

#include "viz/base/progress.h"
#include "viz/pair/pair.h"

/* So many exchanges stay at either end of a conversation: if the others are lost, or packed. */
#define VIZ_THINNED_ENDS 100
#define VIZ_PACKED_ENDS 1000

struct viz_thinned {
	struct viz_model *model;
	struct viz_pairing *pairing;
};

/*
 * Reads the trace from an open stream, which stays open; `name` is for errors. `ends` is
 * VIZ_THINNED_ENDS, or fewer in tests. Returns 0, and the caller calls viz_thinned_free(); or
 * -errno as viz_model_read() does, with a sentence for the user in `error` and nothing to free.
 */
int viz_thinned_read_stream(FILE *stream, const char *name, size_t ends, struct progress *progress,
			    struct viz_thinned *thinned, struct viz_error *error);

/*
 * The same, but nothing is lost: messages of the middle are packed with their calls
 * (pairing->packed), and what cannot be packed stays. `hear` is told of each call when it returns,
 * and may set what it has heard in it.
 */
struct viz_packing {
	size_t ends; /* VIZ_PACKED_ENDS, or fewer in tests */
	void (*hear)(void *data, const struct viz_operation *op);
	void *data;
};

int viz_packed_read_stream(FILE *stream, const char *name, const struct viz_packing *packing,
			   struct progress *progress, struct viz_thinned *thinned,
			   struct viz_error *error);
void viz_thinned_free(struct viz_thinned *thinned);

#endif
