// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/live_printer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/capture/caller_identity.h"
#include "user/capture/confinement.h"
#include "viz/report/live_lines.h"

/*
 * Signals from the terminal and from the command to its process group are meant for the command.
 * The printer blocks them, so as to print messages until the command's end; the closed pipe tells
 * it when that is.
 */
static void signals_block(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void child_main(int trace, int ends, const struct viz_filter *filter, enum language language)
{
	struct identity identity;
	FILE *file;

	signals_block();
	if (identity_find(&identity) || identity_drop(&identity, false))
		_exit(EXIT_FAILURE);
	identity_free(&identity);
	confinement_enter(true);
	file = fdopen(trace, "r");
	if (!file)
		_exit(EXIT_FAILURE);
	_exit(live_print(stderr, file, ends, filter, language) ? EXIT_FAILURE : EXIT_SUCCESS);
}

int live_child_start(struct live_child *child, int trace, const struct viz_filter *filter,
		     enum language language)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		close(ends[1]);
		child_main(trace, ends[0], filter, language);
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
