/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Threads that an exception has ended, as their language prints it to standard error: Python's
 * threading.excepthook, Java's uncaught exceptions, perl's threads, Rust's panics, Ruby's
 * report_on_exception. Their process goes on, and whoever waits for their work waits for good.
 */
#ifndef VIZ_DIAGNOSE_PROCESS_DIED_THREADS_H
#define VIZ_DIAGNOSE_PROCESS_DIED_THREADS_H

#include "viz/diagnose/diagnose.h"

/*
 * Adds to each finding that a process sleeps until a thread of its own wakes it that one of these
 * has died, what that said last, and the remedy. The findings must be complete, with their texts.
 */
void tell_died_threads(struct diagnosis *d);

#endif
