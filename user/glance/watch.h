/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In a glance: threads that run, or sleep for a moment, are watched for a fifth of a second:
 * whether they ever sleep, and which calls they make again and again.
 */
#ifndef USER_GLANCE_WATCH_H
#define USER_GLANCE_WATCH_H

#include <sys/types.h>

#include "user/encode/encode.h"
#include "user/tracer/tracer.h"

/*
 * Writes a state line for each thread of these processes that ran all the time, or that goes on
 * to sleep for a moment each by nanosleep(2). Takes a fifth of a second if one of them does so now,
 * else none.
 */
void glance_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids, size_t count);

#endif
