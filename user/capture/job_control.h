/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Job control on behalf of the command, for the shell knows only ipclens. Ctrl-Z does not stop
 * ipclens itself, since the command may handle that key differently; ipclens stops when the command
 * stops, and continues with it.
 */
#ifndef USER_CAPTURE_JOB_CONTROL_H
#define USER_CAPTURE_JOB_CONTROL_H

#include "user/capture/signal_relay.h"

/*
 * Called after the signal `number` stopped the command: stops ipclens with the same signal, and
 * returns when ipclens has been continued. Does nothing for a SIGSTOP in the background.
 */
void job_stop(struct signals *signals, int number);

#endif
