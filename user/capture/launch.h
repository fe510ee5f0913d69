/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Starts the traced command: a child waits at a gate until the hooks are attached, then takes on
 * the user's identity and executes. It is forked before ipclens opens or changes anything, so it
 * has the caller's descriptors, signal dispositions, mask, terminal and directory.
 */
#ifndef USER_CAPTURE_LAUNCH_H
#define USER_CAPTURE_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "user/capture/caller_identity.h"

#define STATUS_TIMEOUT 124     /* the time limit ended the command */
#define STATUS_OWN_FAILURE 125 /* ipclens itself failed */

struct launch {
	pid_t pid;
	int gate;   /* one byte lets the child go; closed without one, the child exits */
	int report; /* carries the -errno of a failed execve; end of file if it succeeded */
};

/*
 * Forks the child, which waits at the gate. `stdout_to_stderr`: the child's stdout becomes stderr,
 * for stdout carries the trace. Returns 0 or -errno.
 */
int launch_prepare(struct launch *launch, char **command, const struct identity *identity,
		   bool stdout_to_stderr);

/*
 * Lets the child execute the command. Returns 0 or -errno; 0 also if the child has already ended.
 */
int launch_go(struct launch *launch);

/*
 * Called once `report` is readable. Returns 0 if the child executes the command, else the -errno of
 * its failure.
 */
int launch_result(struct launch *launch);

/* Kills a child that was never let go, and reaps it. */
void launch_abandon(struct launch *launch);

#endif
