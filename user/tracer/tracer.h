/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loads and attaches the BPF programs, drains their records and counts losses. Independent of the
 * trace's format. All functions that return int return 0 or -errno.
 */
#ifndef USER_TRACER_TRACER_H
#define USER_TRACER_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire/wire.h"

struct ring;
struct tracer;

struct tracer_options {
	uint32_t payload_len;		 /* bytes of payload kept, at most WIRE_PAYLOAD_MAX */
	bool payload_chosen;		 /* it was asked for */
	uint64_t ring_len;		 /* bytes, a power of two of at least a page */
	bool lossless;			 /* slow traced calls down while the ring is crowded */
	bool futexes;			 /* record futex(2) on shared memory */
	bool buffers;			 /* follow buffers from the first call on */
	bool glance;			 /* attach nothing: iterate over the machine's state only */
	struct wire_selection selection; /* `self` is filled in by tracer_open() */
};

/*
 * True if the kernel's buffers are followed from the first call on; only then each message is
 * identified, whichever process joins as sender or receiver later. If all the machine is traced,
 * they are followed on demand only (tracer_follow_buffers()), unless the user asks for it
 * (--buffers).
 */
static inline bool tracer_follows_at_once(const struct tracer_options *options)
{
	return options->buffers || !options->selection.all;
}

/*
 * A tracepoint, and whether a program is attached to it. If a `needed` one cannot be attached, none
 * is.
 */
struct tracer_hook {
	const char *tracepoint;
	const char *gives; /* its purpose, in words for the user */
	bool needed;
	bool attached;
};

/*
 * Loads and attaches the programs for all tracepoints that this kernel has. On failure `why` holds
 * one line for the user, with advice if there is any. tracer_close() accepts NULL.
 */
int tracer_open(struct tracer **tracer, const struct tracer_options *options, char *why,
		size_t why_len);
void tracer_close(struct tracer *tracer);

/* The hooks, ended by one whose tracepoint is NULL; valid until tracer_close(). */
const struct tracer_hook *tracer_hooks(const struct tracer *tracer);

/* The number of processors that number calls: an operation's id modulo this is its processor. */
unsigned tracer_processors(const struct tracer *tracer);

/*
 * Arms `pid`, which has not yet executed the command: it and its descendants are traced from its
 * next execve(2) on.
 */
int tracer_arm(struct tracer *tracer, pid_t pid);

/*
 * True, with the details in `how`, if the signal `by` has been sent to the armed command or to
 * ipclens.
 */
bool tracer_reached(struct tracer *tracer, const struct wire_reach *by, struct wire_reached *how);

/* Marks all threads of a process, to be joined by the next tracer_snapshot(). */
int tracer_want(struct tracer *tracer, pid_t pid);

/*
 * Iterates over all threads. TRACER_BEGIN joins the wanted ones that are not yet traced, and
 * records what they hold and wait for; TRACER_JOINED, once all have joined, records queued messages
 * and the memory that they share; TRACER_END, which works once, records again what all traced ones
 * hold.
 */
enum tracer_moment { TRACER_BEGIN, TRACER_JOINED, TRACER_END };
int tracer_snapshot(struct tracer *tracer, enum tracer_moment moment);

/*
 * Records the threads and descriptors of processes that joined by --follow-peers since the last
 * call.
 */
void tracer_meet_peers(struct tracer *tracer);

/*
 * True while the process of this pidfd is traced, unless it is a guest (--follow-peers), which is
 * not the command's: a database's server must not end with its client.
 */
bool tracer_has(struct tracer *tracer, int pidfd);

/*
 * Starts following the kernel's buffers, from the send that allocates one to the receive that takes
 * or frees it. Every allocation of the machine pays for it. If the kernel lacks a hook for it,
 * receives are recorded without.
 */
void tracer_follow_buffers(struct tracer *tracer);

/*
 * In a glance: counts the calls of the processes given to tracer_want(), from one call to the
 * other; `each` is called for each kind of them.
 */
typedef void tracer_watched_fn(void *context, const struct wire_watched *call, uint64_t count);

int tracer_watch_begin(struct tracer *tracer);
void tracer_watch_end(struct tracer *tracer, tracer_watched_fn *each, void *context);

/* The number of traced threads that are alive. */
uint64_t tracer_live_tasks(const struct tracer *tracer);

/*
 * Called for each record; `data` is valid during the call only. Returns false to get no more for
 * now.
 */
typedef bool tracer_record_fn(void *context, const void *data, size_t len);

/* The ring that carries the records, see ring.h; valid until tracer_close(). */
struct ring *tracer_ring(const struct tracer *tracer);

/*
 * Calls `record` once for each sleep in a transfer that began at or before `since_ns` and has no
 * begin record, with the record that it would be, in the ring's layout. If `record` returns false,
 * that sleep and the rest are handed over another time.
 */
void tracer_each_sleeper(struct tracer *tracer, uint64_t since_ns, tracer_record_fn *record,
			 void *context);

/*
 * Called for each counter that grew since the last call of tracer_losses(). `cpu` is -1 if it is
 * not known.
 */
typedef void tracer_loss_fn(void *context, enum wire_loss reason, int cpu, uint64_t count);

void tracer_losses(struct tracer *tracer, tracer_loss_fn *loss, void *context);

/*
 * Returns how many runs of our programs the kernel skipped because they were re-entered: as many
 * records may be missing. Hooks of kind LOOK (hooks.def) are not counted: their skipped runs
 * concern an interrupt's lock or buffer, or leave a call without one detail.
 */
uint64_t tracer_skipped(struct tracer *tracer);

#endif
