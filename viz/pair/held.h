/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a thinned trace (viz/pair/thinned.h) holds so far: calls, messages, ends of streams and
 * connections, each of which can be taken out again. Private to this folder.
 */
#ifndef VIZ_PAIR_HELD_H
#define VIZ_PAIR_HELD_H

#include "viz/message/message.h"
#include "viz/pair/core/traffic.h"
#include "viz/pair/pair.h"

struct thread_calls;

/* A call that is held; its `index` is its place in the list. */
struct held_call {
	struct viz_operation *op; /* NULL: it was taken out */
	struct thread_calls *of;
	size_t number; /* of the thread's calls */
	uint32_t run;  /* of the thread's idle runs; 0: it is of none */
	bool listed;   /* it is, without a message, in an exchange */
};

struct held_calls LIST_OF(struct held_call);
struct held_messages LIST_OF(struct viz_message *);
struct held_signals LIST_OF(struct viz_signal *);
struct held_eofs LIST_OF(struct viz_eof *);
struct held_connections LIST_OF(struct viz_connection *);

/* In each list NULL stands where something was taken out; `gone` tells how often that is so. */
struct held {
	struct viz_model *model;
	struct arena *arena; /* of the pairing */
	struct held_calls calls;
	struct held_messages messages, spare_messages; /* the spare ones are used again */
	struct held_signals spare_signals;
	struct held_eofs eofs, spare_eofs;
	struct held_connections connections, spare_connections;
	size_t calls_gone, messages_gone, eofs_gone, connections_gone;
};

/* The place of the call; NULL: it is not held. `op` may be NULL. */
struct held_call *held_call(const struct held *held, const struct viz_operation *op);

/* Each takes references to all calls that it names, and what it takes out drops them again. */
void held_add_call(struct held *held, struct held_call call);
struct viz_message *held_add_message(struct held *held, const struct viz_message *message);
struct viz_eof *held_add_eof(struct held *held, const struct viz_eof *eof);
struct viz_connection *held_add_connection(struct held *held,
					   const struct viz_connection *connection);
void held_drop_call(struct held *held, const struct viz_operation *op);
void held_drop_message(struct held *held, struct viz_message *message);
void held_drop_eof(struct held *held, struct viz_eof *eof);
void held_drop_connection(struct held *held, struct viz_connection *connection);

/* Closes up the lists that have become sparse. */
void held_close_up(struct held *held);

/* Puts all but the calls into the pairing. */
void held_finish(struct held *held, struct viz_pairing *pairing);
void held_free(struct held *held);

#endif
