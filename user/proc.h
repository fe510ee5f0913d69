/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading /proc: what it says of one process, and who is there. */
#ifndef USER_PROC_H
#define USER_PROC_H

#include <stddef.h>
#include <sys/types.h>

#define PROC_VALUE_LEN 64

/* The first word of a line `key:` in /proc/PID/status; an empty string where there is none. */
void proc_status_value(pid_t pid, const char *key, char value[PROC_VALUE_LEN]);

pid_t proc_parent(pid_t pid); /* 0 where there is no such process */

/* A whole file of /proc/PID, ended by a NUL that `*len` does not count. NULL, or for free(). */
char *proc_file(pid_t pid, const char *name, size_t len_max, size_t *len);

/* Calls `each` for every process of the machine. */
void proc_each(void (*each)(void *context, pid_t pid), void *context);

#endif
