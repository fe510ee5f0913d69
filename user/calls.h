/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What has to be remembered of a thread from one record to the next: the call that it sleeps in,
 * the one that a signal broke off, the handlers that run, descriptors of the message in hand.
 */
#ifndef USER_CALLS_H
#define USER_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct calls;

#define CALL_HANDLERS 16 /* handlers within handlers that are followed */

struct call {
	uint32_t tid;
	void *waiting; /* its begin record while it sleeps, else NULL */
	size_t waiting_len;
	uint64_t waiting_id;	/* the operation's */
	struct wire_fd *rights; /* descriptors that its message carries */
	size_t rights_count, rights_room;
	bool rights_cut;	       /* there were more */
	struct wire_message *messages; /* of sendmmsg or recvmmsg, in their order */
	size_t message_count, message_room;
	struct wire_chunk *chunks; /* of the receive in hand, in the order taken */
	size_t chunk_count, chunk_room;
	struct wire_turn *turns; /* of the large write in hand */
	size_t turn_count, turn_room;
	uint64_t interrupted; /* the last call, where a signal broke it off; else 0 */
	unsigned depth;	      /* handlers running */
	struct {
		int signal;
		uint64_t interrupted; /* number of the call that the handler interrupted, or 0 */
	} handlers[CALL_HANDLERS];
};

struct calls *calls_new(void); /* NULL: out of memory */
void calls_free(struct calls *calls);

struct call *calls_of_thread(struct calls *calls,
			     uint32_t tid); /* made on demand; NULL: no memory */
void calls_forget_thread(struct calls *calls, uint32_t tid);

/* Keeps a copy of a begin record, for those still asleep when tracing ends. 0 or -ENOMEM. */
int call_wait(struct call *call, uint64_t id, const void *begin, size_t len);
/*
 * Keep for the call's line what a receive took, the turns of a write, a message that it moved,
 * descriptors that it passed on or got. 0 or -ENOMEM.
 */
int call_chunk(struct call *call, const struct wire_chunk *chunk);
int call_turn(struct call *call, const struct wire_turn *turn);
int call_message(struct call *call, const struct wire_message *message);
int call_rights(struct call *call, const struct wire_descriptors *record);

void call_end(struct call *call); /* it is complete: nothing of the above is kept */

/* Calls `each` for every call that is asleep, in the order of their numbers of threads. */
void calls_each_waiting(struct calls *calls, void (*each)(void *context, struct call *call),
			void *context);

#endif
