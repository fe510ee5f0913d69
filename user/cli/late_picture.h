/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process that draws the picture of `run` when the trace is complete. It is forked before the
 * tracer gives up executing programs for good (user/capture/confinement.h), so that it can start
 * tshark; it has given up root's rights itself by then.
 */
#ifndef USER_CLI_LATE_PICTURE_H
#define USER_CLI_LATE_PICTURE_H

#include <stdbool.h>
#include <sys/types.h>

/* Zeroed: there is none. */
struct late_picture {
	pid_t pid;
	int go; /* a byte written here makes it draw, closing this makes it end */
};

/* Draws, and gives the exit status of the process. */
typedef int (*late_picture_draw_fn)(void *context);

/* Starts the process. Returns 0 or -errno. */
int late_picture_prepare(struct late_picture *picture, late_picture_draw_fn draw, void *context);

/* Draws now, waits for it, and gives that status; -1: the process ended otherwise. */
int late_picture_draw(struct late_picture *picture);

/* Ends the process if it still waits. */
void late_picture_end(struct late_picture *picture);

#endif
