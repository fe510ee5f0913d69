/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The BPF programs: loading, attaching, draining, counting what was lost. Knows nothing of the
 * trace's format. All functions that return int give 0 or -errno.
 */
#ifndef USER_TRACER_H
#define USER_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"

struct tracer;

struct tracer_options {
	uint32_t payload_len; /* bytes of payload kept, at most WIRE_PAYLOAD_MAX */
	uint64_t ring_len;    /* bytes, a power of two of at least a page */
	bool futexes;	      /* record futex(2) on shared memory */
	bool buffers;	      /* tracer_follow_buffers() from the beginning */
	bool glance;	      /* no hook at all: the state of the machine, by walks alone */
	struct wire_selection selection; /* `self` is filled in by tracer_open() */
};

/* A hook of the kernel, and whether it is attached. `needed` ones are attached or nothing is. */
struct tracer_hook {
	const char *tracepoint;
	const char *gives; /* what it is there for, in the user's words */
	bool needed;
	bool attached;
};

/*
 * Loads and attaches all programs that this kernel has tracepoints for. On failure `why` holds one
 * line for the user, with the way out where we know one.
 */
int tracer_open(struct tracer **tracer, const struct tracer_options *options, char *why,
		size_t why_len);
void tracer_close(struct tracer *tracer);

/* The hooks, ended by one whose tracepoint is NULL. */
const struct tracer_hook *tracer_hooks(const struct tracer *tracer);

/* How many number the calls, an id modulo this being the one that gave it. */
unsigned tracer_processors(const struct tracer *tracer);

/* Traces `pid`, which waits to be let go, from its next execve on; its descendants inherit it. */
int tracer_arm(struct tracer *tracer, pid_t pid);

/* Marks a process, all its threads, for the next tracer_snapshot(). 0 or -errno. */
int tracer_want(struct tracer *tracer, pid_t pid);

/*
 * Walks over all threads. At the beginning it follows those that are wanted and not yet traced and
 * records what they hold and wait for; once all have joined, what memory they share; at the end
 * (once) it records again what all traced ones hold.
 */
enum tracer_moment { TRACER_BEGIN, TRACER_JOINED, TRACER_END };
int tracer_snapshot(struct tracer *tracer, enum tracer_moment moment);

/* Strangers that joined by --follow-peers since the last time: their threads and descriptors. */
void tracer_meet_peers(struct tracer *tracer);

/* True while the process behind this pidfd is traced. */
bool tracer_has(struct tracer *tracer, int pidfd);

/*
 * From now on follow the kernel's buffers from the send that allocates one to the receive that
 * takes it. `frees`: those of UDP sockets until they are freed too, which proves who has taken
 * them. Every allocation of the machine pays for it, so only when it decides something. Where it
 * cannot be had, receives go without.
 */
void tracer_follow_buffers(struct tracer *tracer, bool frees);

uint64_t tracer_live_tasks(const struct tracer *tracer);

/* Called for each record; `data` is valid during the call only. */
typedef bool tracer_record_fn(void *context, const void *data, size_t len);

/* Hands over what the ring holds. Gives the number of records, or -errno. */
int tracer_drain(struct tracer *tracer, tracer_record_fn *record, void *context);

/*
 * Called for each thread that sleeps in a transfer since before `since_ns` and has written no begin
 * record: the record that it would be, in the ring's layout.
 */
void tracer_each_sleeper(struct tracer *tracer, uint64_t since_ns, tracer_record_fn *record,
			 void *context);

/* Becomes readable when the ring fills up faster than it is drained. */
int tracer_ring_fd(const struct tracer *tracer);

/* Called for each counter that grew since the last time. `cpu` is -1 where it is not known. */
typedef void tracer_loss_fn(void *context, enum wire_loss reason, int cpu, uint64_t count);

void tracer_losses(struct tracer *tracer, tracer_loss_fn *loss, void *context);

/*
 * Runs of our programs that the kernel skipped because they were re-entered: records that may be
 * missing. A skipped look is none of them (hooks.def): it is an interrupt's lock or buffer, or else
 * the call goes without what was to be seen there.
 */
uint64_t tracer_skipped(struct tracer *tracer);

#endif
