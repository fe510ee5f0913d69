/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The traced processes that run now. Whether a process is traced is asked of the kernel by pidfd,
 * so that a reused number names no other process.
 */
#ifndef USER_CAPTURE_SURVIVORS_H
#define USER_CAPTURE_SURVIVORS_H

#include <stdint.h>
#include <sys/types.h>

#include "user/tracer/tracer.h"

struct survivors {
	uint32_t *pids;
	size_t count;
};

/*
 * Calls `each` for every one, with a descriptor of the process that is valid until it returns.
 * `command`, a child that is not reaped, counts even if the trace never saw it.
 */
void survivors_each(struct tracer *tracer, pid_t command,
		    void (*each)(void *context, pid_t pid, int pidfd), void *context);

void survivors_find(struct survivors *survivors, struct tracer *tracer, pid_t command);
void survivors_free(struct survivors *survivors);

#endif
