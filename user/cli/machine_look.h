/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A trace of one instant: all threads of the machine, what each sleeps in, and what each process
 * holds. No hook is attached, so no process is slowed down; but see machine_look().
 */
#ifndef USER_CLI_MACHINE_LOOK_H
#define USER_CLI_MACHINE_LOOK_H

#include "user/capture/capture.h"

/*
 * Writes it to `output`. Those processes of `asked` (or NULL) that run are watched for a moment: a
 * hook then counts their calls. Returns 0, or -errno with a text in result->error.
 */
int machine_look(int output, const struct selection *asked, struct capture_options *options,
		 struct capture_result *result);

/*
 * A process that keeps the privilege to look at the machine, for `run --timeout`: the tracer gives
 * its own up before the command starts. Zeroed: there is none.
 */
struct late_look {
	pid_t pid;
	int go;	     /* a byte written here makes it look */
	int trace;   /* what it saw, to be read from the beginning; -1: nothing */
	bool failed; /* no look was taken, or not all of it */
};

/* Starts the process. Without one, since the machine refuses, late_look_take() takes no look. */
void late_look_prepare(struct late_look *look);

/* Takes the look now, and waits 5 s for it at most. For capture_options.before_end. */
void late_look_take(void *look);

/* Ends the process if it still waits. The trace remains open. */
void late_look_end(struct late_look *look);

#endif
