/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In a glance: shells whose loop goes on until a command succeeds, as `until mkdir LOCK; do sleep
 * 0.1; done`. The command lives for milliseconds, so that the look at one moment has none of it.
 */
#ifndef USER_GLANCE_SHELL_LOOPS_H
#define USER_GLANCE_SHELL_LOOPS_H

#include <sys/types.h>

#include "user/encode/encode.h"
#include "user/tracer/tracer.h"

/*
 * Writes a process line for each of these shells whose command failed at least three times, and did
 * not succeed, while it was watched. Takes up to two seconds in all where the text of one has such
 * a loop and it has a child younger than a second, else none. The text is that of the script that
 * the shell has open, or else, if `args`, what is in its arguments.
 */
void shell_loops_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids,
		       size_t count, bool args);

#endif
