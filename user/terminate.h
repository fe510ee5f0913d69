/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ending a traced command and its descendants when its time is up. */
#ifndef USER_TERMINATE_H
#define USER_TERMINATE_H

#include <sys/types.h>

#include "tracer.h"

/*
 * SIGTERM to every traced process, and SIGKILL to those that are left a second later. Each is
 * asked of the kernel by pidfd whether it is one of ours, so that a number used again hits nobody
 * else. `command` may be ended even if it was never seen in a trace.
 */
void terminate_traced(struct tracer *tracer, pid_t command);

#endif
