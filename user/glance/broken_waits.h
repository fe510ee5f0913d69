/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In a glance: calls that a timer of the process breaks off again and again, and that it makes anew
 * each time; and opens that wait for a lease, which the kernel wakes at each tick. One moment shows
 * each as a wait that has just begun.
 */
#ifndef USER_GLANCE_BROKEN_WAITS_H
#define USER_GLANCE_BROKEN_WAITS_H

#include <sys/types.h>

#include "user/encode/encode.h"
#include "user/tracer/tracer.h"

/*
 * Marks the calls that these processes were found asleep in (call.asks_again) where the thread did
 * nothing else while it was watched, but for what it printed, and was broken off at least once, or
 * waits for a lease. Takes a second where a process that handles a timer's signal, or waits for a
 * lease, fell asleep lately, else none.
 */
void broken_waits_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids,
			size_t count);

#endif
