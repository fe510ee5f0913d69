/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Starting the traced command: a child that waits at a gate until the hooks are attached, then
 * becomes the user and executes. It is forked before anything of ours is opened or changed, so it
 * has the caller's descriptors, signal dispositions, mask, terminal and directory.
 */
#ifndef USER_LAUNCH_H
#define USER_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "identity.h"

struct launch {
	pid_t pid;
	int gate;   /* closing it after a byte lets the child go; without one it ends */
	int report; /* errno of an execve that failed; end of file when it worked */
};

/* 0 or -errno. `stdout_to_stderr`: the trace itself goes to our stdout. */
int launch_prepare(struct launch *launch, char **command, const struct identity *identity,
		   bool stdout_to_stderr);

/* Lets the child go. 0 once it executes the command, or the -errno why it cannot. */
int launch_go(struct launch *launch);

/* Ends a child that was never let go, and waits for it. */
void launch_abandon(struct launch *launch);

#endif
