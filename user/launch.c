// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_OWN_FAILURE 125

static void child_run(int gate, int report, char **command, const struct identity *identity,
		      bool stdout_to_stderr)
{
	char go;
	int error;

	if (read(gate, &go, 1) != 1)
		_exit(STATUS_OWN_FAILURE); /* the tracer gave up */
	if (stdout_to_stderr)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	error = identity_become(identity);
	if (!error) {
		execvp(command[0], command);
		error = -errno;
	}
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(STATUS_OWN_FAILURE);
	_exit(error == -ENOENT ? 127 : 126);
}

int launch_prepare(struct launch *launch, char **command, const struct identity *identity,
		   bool stdout_to_stderr)
{
	int gate[2], report[2], error = 0;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	if (pipe2(report, O_CLOEXEC)) {
		error = -errno;
		close(gate[0]);
		close(gate[1]);
		return error;
	}
	launch->pid = fork();
	if (launch->pid < 0)
		error = -errno;
	if (launch->pid == 0) {
		close(gate[1]);
		close(report[0]);
		child_run(gate[0], report[1], command, identity, stdout_to_stderr);
	}
	close(gate[0]);
	close(report[1]);
	launch->gate = gate[1];
	launch->report = report[0];
	return error;
}

int launch_go(struct launch *launch)
{
	int error = 0;
	ssize_t len;

	if (write(launch->gate, "g", 1) != 1)
		error = -errno;
	close(launch->gate);
	launch->gate = -1;
	if (error)
		return error;
	do
		len = read(launch->report, &error, sizeof(error));
	while (len < 0 && errno == EINTR);
	close(launch->report);
	launch->report = -1;
	return len == (ssize_t)sizeof(error) ? error : 0;
}

void launch_abandon(struct launch *launch)
{
	if (launch->gate >= 0)
		close(launch->gate);
	if (launch->report >= 0)
		close(launch->report);
	launch->gate = launch->report = -1;
	while (waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
