// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/futex_look.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/procfs.h"

/* True if its threads have the numbers that they have for us (pid_namespaces(7)). */
static bool counts_as_we_do(uint32_t pid)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", (unsigned)pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/pid", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/*
 * /proc/TID is there for every thread, though it lists processes only; also of one that has ended,
 * until somebody has waited for it.
 */
static bool thread_lives(uint32_t tid)
{
	char state[PROC_VALUE_LEN];

	proc_status_value((pid_t)tid, "State", state);
	return state[0] && state[0] != 'Z' && state[0] != 'X';
}

void futex_look(uint32_t pid, struct wire_details *details)
{
	struct wire_futex_words words, again;
	uint32_t owner = 0, valid;

	if (!proc_memory((pid_t)pid, details->args[0], &words, sizeof(words)))
		return;
	valid = wire_futex_look(&words, details->args[0], &owner);
	if (valid & WIRE_VALID_OWNER && !counts_as_we_do(pid))
		valid &= ~(uint32_t)WIRE_VALID_OWNER;
	/* Who ended after giving it up left other words. */
	if (valid & WIRE_VALID_OWNER && !thread_lives(owner) &&
	    proc_memory((pid_t)pid, details->args[0], &again, sizeof(again)) &&
	    memcmp(&words, &again, sizeof(words)) == 0)
		valid |= WIRE_VALID_ENDED;
	details->owner = owner;
	details->valid |= valid;
}
