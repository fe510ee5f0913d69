// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/survivors.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "viz/base/memory.h"

struct search {
	struct tracer *tracer;
	pid_t command;
	void (*each)(void *context, pid_t pid, int pidfd);
	void *context;
};

static void look_at(void *context, pid_t pid)
{
	const struct search *search = context;
	int pidfd = pid == getpid() ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return;
	/* The command is our own unreaped child, so no other process can have its number. */
	if (pid == search->command || tracer_has(search->tracer, pidfd))
		search->each(search->context, pid, pidfd);
	close(pidfd);
}

void survivors_each(struct tracer *tracer, pid_t command,
		    void (*each)(void *context, pid_t pid, int pidfd), void *context)
{
	struct search search = {tracer, command, each, context};

	proc_each(look_at, &search);
}

static void take(void *context, pid_t pid, int pidfd)
{
	struct survivors *survivors = context;

	(void)pidfd;
	survivors->pids = memory_resize(survivors->pids, survivors->count + 1,
					sizeof(*survivors->pids));
	survivors->pids[survivors->count++] = (uint32_t)pid;
}

void survivors_find(struct survivors *survivors, struct tracer *tracer, pid_t command)
{
	*survivors = (struct survivors){0};
	survivors_each(tracer, command, take, survivors);
}

void survivors_free(struct survivors *survivors)
{
	free(survivors->pids);
}
