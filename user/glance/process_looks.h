/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* In a glance: what keeps a process from running, and signals that it does not take. */
#ifndef USER_GLANCE_PROCESS_LOOKS_H
#define USER_GLANCE_PROCESS_LOOKS_H

#include <sys/types.h>

#include "user/encode/encode.h"

/*
 * Writes a process line if the process is frozen (cgroup.freeze), is traced (ptrace), has pending
 * signals that all its threads block, has never written, or sleeps while its output is in a buffer.
 */
void process_looks_report(struct encoder *encoder, pid_t pid);

/* Begins the line of a process as it is now; the caller adds what it saw, and line_end(). */
struct json *process_line_begin(struct encoder *encoder, pid_t pid, const char *name);

#endif
