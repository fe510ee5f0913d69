// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity.h"
#include "viz/live.h"

/* A key of the terminal is the command's: what it sent until its end is to be told all the same. */
static void child_main(int trace, int ends, const struct viz_filter *filter)
{
	struct identity identity;
	FILE *file;

	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (identity_find(&identity) || identity_drop(&identity))
		_exit(EXIT_FAILURE);
	identity_free(&identity);
	file = fdopen(trace, "r");
	if (!file)
		_exit(EXIT_FAILURE);
	_exit(live_print(stderr, file, ends, filter) ? EXIT_FAILURE : EXIT_SUCCESS);
}

int live_child_start(struct live_child *child, int trace, const struct viz_filter *filter)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		close(ends[1]);
		child_main(trace, ends[0], filter);
	}
	close(ends[0]);
	child->end = ends[1];
	if (child->pid > 0)
		return 0;
	child->pid = 0;
	close(child->end);
	return -EAGAIN;
}

void live_child_end(struct live_child *child)
{
	if (!child->pid)
		return;
	close(child->end);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}
