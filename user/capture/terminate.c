// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/terminate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/capture/survivors.h"

#define GRACE_MS 1000
#define LOOK_MS 10

struct round {
	int signal;
	unsigned refused; /* processes that this one may not signal */
};

static void signal_one(void *context, pid_t pid, int pidfd)
{
	struct round *round = context;

	(void)pid;
	round->refused += syscall(SYS_pidfd_send_signal, pidfd, round->signal, NULL, 0) < 0 &&
			  errno == EPERM;
}

/* Returns how many may not be signalled: they have become another user. */
static unsigned signal_all(struct tracer *tracer, pid_t command, int signal)
{
	struct round round = {.signal = signal};

	survivors_each(tracer, command, signal_one, &round);
	return round.refused;
}

void terminate_traced(struct tracer *tracer, pid_t command)
{
	signal_all(tracer, command, SIGTERM);
	for (int waited = 0; waited < GRACE_MS && tracer_live_tasks(tracer); waited += LOOK_MS)
		poll(NULL, 0, LOOK_MS);
	if (tracer_live_tasks(tracer) && signal_all(tracer, command, SIGKILL))
		fputs("ipclens: --timeout cannot end all of the command: a part of it runs as "
		      "another user, which needs CAP_KILL\n",
		      stderr);
}
