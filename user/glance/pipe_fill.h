/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* In a glance: how many bytes lie in a pipe that a call waits to write to. */
#ifndef USER_GLANCE_PIPE_FILL_H
#define USER_GLANCE_PIPE_FILL_H

#include "user/encode/own_pids.h"
#include "user/encode/thread_calls.h"

/*
 * Fills in the bytes that lie in the pipe of the call that waits. It asks by a copy of the
 * process's own descriptor: a pipe that is opened anew counts one reader more, and may wake others.
 */
void pipe_fill_complete(const struct own_pids *pids, struct call *call);

/* Returns the operation of the begin record that waits, in place; NULL if there is none. */
struct wire_operation *call_operation(struct call *call);

#endif
