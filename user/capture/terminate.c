// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/terminate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/base/procfs.h"

#define GRACE_MS 1000
#define LOOK_MS 10

struct round {
	struct tracer *tracer;
	pid_t command;
	int signal;
	unsigned refused; /* processes that this one may not signal */
};

static void signal_one(void *context, pid_t pid)
{
	struct round *round = context;
	int pidfd = pid == getpid() ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return;
	/* The command is our own unreaped child, so no other process can have its number. */
	if (pid == round->command || tracer_has(round->tracer, pidfd))
		round->refused += syscall(SYS_pidfd_send_signal, pidfd, round->signal, NULL, 0) <
					  0 &&
				  errno == EPERM;
	close(pidfd);
}

/* Returns how many may not be signalled: they have become another user. */
static unsigned signal_all(struct tracer *tracer, pid_t command, int signal)
{
	struct round round = {.tracer = tracer, .command = command, .signal = signal};

	proc_each(signal_one, &round);
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
