// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "terminate.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"

#define GRACE_MS 1000
#define LOOK_MS 10

struct round {
	struct tracer *tracer;
	pid_t command;
	int signal;
};

static void signal_one(void *context, pid_t pid)
{
	const struct round *round = context;
	int pidfd = pid == getpid() ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return;
	/* The command is our own unreaped child: its number cannot be anybody else's. */
	if (pid == round->command || tracer_has(round->tracer, pidfd))
		syscall(SYS_pidfd_send_signal, pidfd, round->signal, NULL, 0);
	close(pidfd);
}

static void signal_all(struct tracer *tracer, pid_t command, int signal)
{
	struct round round = {tracer, command, signal};

	proc_each(signal_one, &round);
}

void terminate_traced(struct tracer *tracer, pid_t command)
{
	signal_all(tracer, command, SIGTERM);
	for (int waited = 0; waited < GRACE_MS && tracer_live_tasks(tracer); waited += LOOK_MS)
		poll(NULL, 0, LOOK_MS);
	if (tracer_live_tasks(tracer))
		signal_all(tracer, command, SIGKILL);
}
