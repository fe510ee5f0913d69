// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/late_picture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viz/cli/command.h"

#define GROUP_SIGNALS 4

/* What a terminal or a supervisor sends to the whole group is for the command and the tracer. */
static const int not_for_it[GROUP_SIGNALS] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

static void wait_unmoved(int told)
{
	char go;
	struct sigaction before[GROUP_SIGNALS];

	for (size_t i = 0; i < GROUP_SIGNALS; i++) {
		const struct sigaction ignore = {.sa_handler = SIG_IGN};

		sigaction(not_for_it[i], &ignore, &before[i]);
	}
	if (read(told, &go, 1) != 1) /* the tracer has ended, or has nothing to draw */
		_exit(EXIT_FAILURE);
	for (size_t i = 0; i < GROUP_SIGNALS; i++)
		sigaction(not_for_it[i], &before[i], NULL);
}

int late_picture_prepare(struct late_picture *picture, late_picture_draw_fn draw, void *context)
{
	int go[2];

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	picture->pid = fork();
	if (picture->pid == 0) {
		close(go[1]);
		if (!command_drop_rights("ipclens run"))
			_exit(EXIT_FAILURE);
		wait_unmoved(go[0]);
		exit(draw(context));
	}
	close(go[0]);
	picture->go = go[1];
	return picture->pid < 0 ? -errno : 0;
}

/* Returns its status as wait(2) gives it, or -1. */
static int reap(struct late_picture *picture)
{
	int status = -1;

	while (waitpid(picture->pid, &status, 0) < 0 && errno == EINTR)
		;
	picture->pid = 0;
	return status;
}

int late_picture_draw(struct late_picture *picture)
{
	int status;

	if (write(picture->go, "g", 1) != 1)
		return -1;
	status = reap(picture);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void late_picture_end(struct late_picture *picture)
{
	if (picture->pid <= 0)
		return;
	close(picture->go);
	reap(picture);
}
