// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/job_control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/procfs.h"

#define LOOK_MS 20

static bool in_foreground(void)
{
	int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	bool is = terminal >= 0 && tcgetpgrp(terminal) == getpgrp();

	if (terminal >= 0)
		close(terminal);
	return is;
}

static bool is_stopped(pid_t pid)
{
	char state[PROC_VALUE_LEN];

	proc_status_value(pid, "State", state);
	return state[0] == 'T' || state[0] == 't';
}

/*
 * A process other than the shell may continue the command, which would leave ipclens stopped and
 * its trace unread. Only SIGCONT wakes a stopped process, so this helper process polls the
 * command's state and sends it. Its own process group protects it from signals that the shell sends
 * to the group of ipclens.
 */
static void waker_main(pid_t command)
{
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	while (getppid() == parent) {
		poll(NULL, 0, LOOK_MS);
		if (!is_stopped(command))
			kill(parent, SIGCONT);
	}
	_exit(EXIT_SUCCESS);
}

static void waker_end(pid_t waker)
{
	if (waker <= 0)
		return;
	kill(waker, SIGKILL);
	while (waitpid(waker, NULL, 0) < 0 && errno == EINTR)
		;
}

/*
 * SIGTSTP, SIGTTIN and SIGTTOU come from job control. SIGSTOP may come from any process: it is
 * followed only in the foreground, where a shell waits for ipclens.
 */
void job_stop(struct signals *signals, int number)
{
	sigset_t this, before;
	pid_t waker;

	if (number == SIGSTOP && !in_foreground())
		return;
	waker = fork();
	if (waker == 0)
		waker_main(signals->command);
	signals->waker = waker > 0 ? waker : 0;
	sigemptyset(&this);
	sigaddset(&this, number);
	kill(getpid(), number);
	sigprocmask(SIG_UNBLOCK, &this, &before); /* ipclens stops here */
	sigprocmask(SIG_SETMASK, &before, NULL);
	waker_end(waker);
}
