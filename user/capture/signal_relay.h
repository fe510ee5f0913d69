/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Decides what to do with the signals that ipclens gets while a command runs. Their senders take
 * ipclens for the command, so a signal that is sent to ipclens alone is passed on to the command,
 * once. Not passed on are signals that reach the command anyway (keys of the terminal, signals to
 * its process group or control group) and those that the command's own processes send to a group
 * that contains ipclens.
 */
#ifndef USER_CAPTURE_SIGNAL_RELAY_H
#define USER_CAPTURE_SIGNAL_RELAY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "user/tracer/tracer.h"

#define SIGNALS_HELD 32

struct held_signal {
	struct signalfd_siginfo info;
	uint64_t at_ns; /* when it was read */
};

struct signals {
	int fd;		       /* signalfd(2) */
	sigset_t mask;	       /* the previous mask, restored by signals_close() */
	bool hangup_ignored;   /* SIGHUP was ignored at the start, as by nohup(1) */
	struct tracer *tracer; /* NULL once nothing is traced any more */
	pid_t command;	       /* 0: no command was started */
	bool ended;	       /* the command has ended; set by the caller that reaps it */
	pid_t waker;	       /* helper that sends SIGCONT, see job_control.h; 0: none */
	size_t held_count;
	struct held_signal held[SIGNALS_HELD]; /* held back for now, oldest first */
};

/*
 * Blocks all signals, to be read by signalfd(2), and ignores SIGPIPE: from now on only SIGKILL and
 * SIGSTOP have their default effect on ipclens. Called after the command was forked, which keeps
 * its own mask. Returns 0 or -errno.
 */
int signals_open(struct signals *signals);

/*
 * Discards the signals that are still pending, which were meant for a command that has ended, and
 * restores the previous mask. Does nothing if `fd` is negative.
 */
void signals_close(struct signals *signals);

enum signal_meaning {
	SIGNAL_NONE,  /* no signal is left that the caller must handle */
	SIGNAL_CHILD, /* a child ended or stopped */
	SIGNAL_STOP,  /* the user wants the trace to end */
};

/*
 * Takes the signals that have arrived, and passes on those meant for the command. Stops at the
 * first one that the caller must handle and returns its meaning, SIGNAL_NONE after the last.
 */
enum signal_meaning signals_take(struct signals *signals);

/*
 * Milliseconds until a held signal is due, so that signals_take() has work without a new signal;
 * `most` if none is due earlier.
 */
int signals_pause(const struct signals *signals, int most);

#endif
