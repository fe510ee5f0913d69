// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "terminate.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 1000
#define LOOK_MS 10

static void signal_one(struct tracer *tracer, pid_t pid, pid_t command, int signal)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return;
	/* The command is our own unreaped child: its number cannot be anybody else's. */
	if (pid == command || tracer_has(tracer, pidfd))
		syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
	close(pidfd);
}

static void signal_all(struct tracer *tracer, pid_t command, int signal)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return;
	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);
		if (pid > 0 && pid != getpid())
			signal_one(tracer, pid, command, signal);
	}
	closedir(proc);
}

void terminate_traced(struct tracer *tracer, pid_t command)
{
	signal_all(tracer, command, SIGTERM);
	for (int waited = 0; waited < GRACE_MS && tracer_live_tasks(tracer); waited += LOOK_MS)
		poll(NULL, 0, LOOK_MS);
	if (tracer_live_tasks(tracer))
		signal_all(tracer, command, SIGKILL);
}
