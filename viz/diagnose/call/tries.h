/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls of one process that fail alike, again and again. */
#ifndef VIZ_DIAGNOSE_CALL_TRIES_H
#define VIZ_DIAGNOSE_CALL_TRIES_H

#include "viz/diagnose/core/finder.h"

enum { PATH_MOST = 255 }; /* bytes of a path; longer ones are cut to that in a trace */

/* What a process asks for in vain: `from_ns` and `until_ns` are of the first and the last time. */
struct tries {
	const struct viz_process *process;
	uint64_t from_ns, until_ns, count;
};

/* True if that was often enough, and for long enough, to be told. */
bool tries_are_many(const struct tries *tries);

/*
 * True if it asked until it gave up with an error, or still asks when the trace ends; and it has no
 * other thread that may do something beside.
 */
bool tries_to_the_end(const struct diagnosis *d, const struct tries *tries);
bool tries_alone(const struct diagnosis *d, const struct tries *tries);

/* By process index: whether busy-wait tells of it already. */
bool *tries_told_as_busy(struct diagnosis *d);

/* Sets {tries} and {time}. */
void tries_set(struct diagnosis *d, struct finding *f, const struct tries *tries);

/* Adds lock-file, if they are many. `last` may be NULL. */
void report_lock_file(struct diagnosis *d, const struct tries *tries,
		      const struct viz_operation *last, struct viz_bytes path);

/*
 * True if the call moved something, be it to a file: a program that does more meanwhile than print
 * that it waits is not kept from its work.
 */
bool call_moves(const struct viz_operation *op);

/* True if it opens what is no IPC, which is recorded of who was refused to create a file. */
bool opens_plain_file(const struct viz_operation *op);

#endif
