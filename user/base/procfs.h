/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads /proc: values, files and parent of one process, and the list of all processes. */
#ifndef USER_BASE_PROCFS_H
#define USER_BASE_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_VALUE_LEN 64

/*
 * Copies the first word of the line `key:` of /proc/PID/status, cut to 63 bytes; an empty string if
 * the process or the line does not exist.
 */
void proc_status_value(pid_t pid, const char *key, char value[PROC_VALUE_LEN]);

pid_t proc_parent(pid_t pid); /* 0 if the process does not exist */

/* Of proc_pid_stat(5); the times are in clock ticks since the machine was started. */
struct proc_stat {
	char state;
	uint32_t parent, session;
	uint32_t flags;
	uint64_t start;
	int status; /* as wait(2) gives it, of one that has ended */
};

#define PROC_FORK_NO_EXEC 0x40 /* of flags: forked, not executed; PF_FORKNOEXEC, linux/sched.h */

bool proc_stat(pid_t pid, struct proc_stat *stat); /* false: there is no such process */

uint64_t proc_started_ms(const struct proc_stat *stat); /* since the machine was */
uint64_t proc_now_ms(void);				/* the same, now */

bool proc_is_kernel_thread(pid_t pid);

bool proc_is_own(void); /* /proc has the numbers of our own pid namespace */

/*
 * Reads up to `len_max` bytes of the file /proc/PID/`name`. The text is terminated by a NUL that
 * `*len` does not count; the caller releases it with free(). NULL if the file cannot be opened or
 * memory is short.
 */
char *proc_file(pid_t pid, const char *name, size_t len_max, size_t *len);

/* Copies `len` bytes of the process's memory from that address on; false if not all can be read. */
bool proc_memory(pid_t pid, uint64_t from, void *to, size_t len);

/*
 * Calls `each` for every process that /proc lists, ipclens included; for none if /proc cannot be
 * read.
 */
void proc_each(void (*each)(void *context, pid_t pid), void *context);

#endif
