/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The state that the encoder keeps of each thread from one record to the next: the call that it
 * sleeps in, the call that a signal broke off, running handlers, and the parts of its current call
 * that come as records of their own.
 */
#ifndef USER_ENCODE_THREAD_CALLS_H
#define USER_ENCODE_THREAD_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/wire.h"

struct calls;

#define CALL_HANDLERS 16 /* nested handlers that are followed */

struct call_handler {
	int signal;
	uint64_t interrupted; /* number of the call that the handler interrupted, or 0 */
};

struct call {
	uint32_t tid;
	uint64_t ended_ns; /* when there was no such thread any more; 0: not found out yet */
	void *waiting;	   /* its begin record while it sleeps, else NULL */
	size_t waiting_len;
	uint64_t waiting_id; /* the id of its operation */
	bool asks_again; /* a glance: signals break it off, and it is made anew: broken_waits.h */
	struct wire_fd *rights; /* descriptors that its message carries */
	size_t rights_count, rights_room;
	bool rights_cut;	       /* there were more */
	struct wire_message *messages; /* of sendmmsg or recvmmsg, in order */
	size_t message_count, message_room;
	struct wire_chunk *chunks; /* of the current receive, in the order taken */
	size_t chunk_count, chunk_room;
	struct wire_lock_segment *lock_segments; /* of the current large write */
	size_t lock_segment_count, lock_segment_room;
	uint64_t interrupted;	       /* the last call, if a signal broke it off, else 0 */
	unsigned depth;		       /* handlers running */
	struct call_handler *handlers; /* CALL_HANDLERS of them; NULL: none ran yet */
};

struct calls *calls_new(void); /* returns NULL without memory */
void calls_free(struct calls *calls);

/*
 * The state of a thread, made on demand; NULL without memory. Where it is made, the states of other
 * threads may be freed: those of which nothing is kept, and of threads that have ended unseen.
 */
struct call *calls_of_thread(struct calls *calls, uint32_t tid);
void calls_forget_thread(struct calls *calls, uint32_t tid);

/* Tells the time of the latest record. Records of one processor come in order. */
void calls_note_time(struct calls *calls, uint64_t at_ns);

/*
 * Keeps a copy of a begin record, for calls still asleep when tracing ends. Returns 0 or -ENOMEM.
 */
int call_wait(struct call *call, uint64_t id, const void *begin, size_t len);
/*
 * Keep, for the line of the thread's current call: a chunk that a receive took, a lock segment of a
 * write, a message that it moved, descriptors that it passed or received. Return 0 or -ENOMEM.
 */
int call_chunk(struct call *call, const struct wire_chunk *chunk);
int call_add_lock_segment(struct call *call, const struct wire_lock_segment *segment);
int call_message(struct call *call, const struct wire_message *message);
int call_rights(struct call *call, const struct wire_descriptors *record);

/* A handler begins; it ends, and what it was is returned: NULL if that is not known. */
void call_enter_handler(struct call *call, int signal);
const struct call_handler *call_leave_handler(struct call *call);

void call_end(struct call *call); /* the call is complete: discards what was kept for it */

/* Calls `each` for every call that is asleep, in the order of thread ids. */
void calls_each_waiting(struct calls *calls, void (*each)(void *context, struct call *call),
			void *context);

#endif
