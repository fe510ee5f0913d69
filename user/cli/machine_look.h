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
 * A process that keeps the privilege to look at the machine, for a command with a time limit: the
 * tracer gives its own up before the command starts. Zeroed: there is none.
 */
struct late_look {
	pid_t pid;
	int go;	   /* the pids written here are those that it looks at */
	int lines; /* what it saw, as lines of a trace (viz/cli/look_lines.h); -1: nothing */
	bool due;  /* the limit fired: a look was to be taken */
	bool taken;
};

/*
 * If the capture is of a command with a time limit, starts the process, which keeps out of its
 * lines what the capture keeps out, and makes late_look_take() its before_end. Call it before
 * anything is opened that the process should not hold.
 */
void late_look_prepare(struct late_look *look, struct capture_options *capture);

/*
 * Takes the look now, and waits 5 s for it, or up to 30 s while it uses processor time, but no
 * longer than until a pending signal is to end all. Returns the descriptor of the lines, or -1
 * where there is no process, since the machine refused, or it failed.
 */
int late_look_take(void *look, const uint32_t *pids, size_t count);

/* Ends the process if it still waits. Says so if a look was due and not taken. */
void late_look_end(struct late_look *look);

#endif
