// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The attributes that a process keeps across execve(2) and loses by fork(2) (fork(2), "The child
 * process differs"). The child restores them, so the command has what it would have if it were
 * executed in place of ipclens.
 */
struct heritage {
	struct itimerval timers[3]; /* setitimer(2), alarm(2) */
	int death_signal;
	bool scheduled; /* the policy is one that fork(2) resets (SCHED_FLAG_RESET_ON_FORK) */
	struct sched_attr scheduling;
};

static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};

static void heritage_take(struct heritage *heritage)
{
	struct sched_attr *scheduling = &heritage->scheduling;

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		getitimer(timers[i], &heritage->timers[i]);
	prctl(PR_GET_PDEATHSIG, &heritage->death_signal);
	heritage->scheduled = syscall(SYS_sched_getattr, 0, scheduling, sizeof(*scheduling), 0) ==
				      0 &&
			      scheduling->sched_flags & SCHED_FLAG_RESET_ON_FORK;
}

/* The child has restored the timers, so they must not expire in ipclens as well. */
static void timers_clear(void)
{
	const struct itimerval none = {0};

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		setitimer(timers[i], &none, NULL);
}

static void heritage_accept(struct heritage *heritage)
{
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		setitimer(timers[i], &heritage->timers[i], NULL);
	if (heritage->scheduled)
		syscall(SYS_sched_setattr, 0, &heritage->scheduling, 0);
}

static void child_run(int gate, int report, char **command, const struct identity *identity,
		      bool stdout_to_stderr, int death_signal)
{
	char go;
	int error;

	if (read(gate, &go, 1) != 1)
		_exit(STATUS_OWN_FAILURE); /* the tracer gave up */
	if (stdout_to_stderr)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	error = identity_become(identity);
	prctl(PR_SET_PDEATHSIG, death_signal); /* set last, since changing ids clears it */
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
	struct heritage heritage = {0};
	int gate[2], report[2], error = 0;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	if (pipe2(report, O_CLOEXEC)) {
		error = -errno;
		close(gate[0]);
		close(gate[1]);
		return error;
	}
	heritage_take(&heritage);
	launch->pid = fork();
	if (launch->pid < 0)
		error = -errno;
	else if (launch->pid > 0)
		timers_clear();
	if (launch->pid == 0) {
		close(gate[1]);
		close(report[0]);
		heritage_accept(&heritage);
		child_run(gate[0], report[1], command, identity, stdout_to_stderr,
			  heritage.death_signal);
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

	/* EPIPE: the child has ended at the gate; its exit status tells why. */
	if (write(launch->gate, "g", 1) != 1 && errno != EPIPE)
		error = -errno;
	close(launch->gate);
	launch->gate = -1;
	return error;
}

int launch_result(struct launch *launch)
{
	int error = 0;
	ssize_t len;

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
	kill(launch->pid, SIGKILL); /* SIGKILL, since Ctrl-Z may have stopped it */
	while (waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
