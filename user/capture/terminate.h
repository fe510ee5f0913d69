/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ends a traced command and its descendants after a timeout. */
#ifndef USER_CAPTURE_TERMINATE_H
#define USER_CAPTURE_TERMINATE_H

#include <sys/types.h>

#include "user/tracer/tracer.h"

/*
 * Sends SIGTERM to every traced process (survivors.h), and SIGKILL to those that remain a second
 * later.
 */
void terminate_traced(struct tracer *tracer, pid_t command);

#endif
