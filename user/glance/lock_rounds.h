/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In a glance: processes that ask for a file lock in rounds, without waiting for it in the kernel,
 * and sleep in between, as SQLite until its busy_timeout is over.
 */
#ifndef USER_GLANCE_LOCK_ROUNDS_H
#define USER_GLANCE_LOCK_ROUNDS_H

#include <sys/types.h>

#include "user/encode/encode.h"
#include "user/tracer/tracer.h"

/*
 * Writes a process line for each of these processes that did nothing else while it was watched, and
 * was refused each time, as another process had the file locked all the while. Takes 2.5 s where
 * one sleeps for up to a second and has such a file open, else none.
 */
void lock_rounds_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids,
		       size_t count);

#endif
