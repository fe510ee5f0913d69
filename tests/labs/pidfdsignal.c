// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A signal sent through a pidfd, which names one process for good, however pids are reused. */
#include <signal.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

__attribute__((noreturn)) static void child(const sigset_t *wanted)
{
	siginfo_t info;

	lab_check(sigwaitinfo(wanted, &info), "sigwaitinfo");
	truth(.action = "signal-handled", .mechanism = "signal", .signal = info.si_signo);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	sigset_t wanted;
	pid_t pid;
	int fd, result;

	lab_help(argc, argv, ": SIGUSR1 to a child through a pidfd, then to it when it is gone");
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	lab_check(sigprocmask(SIG_BLOCK, &wanted, NULL), "sigprocmask");
	pid = lab_fork();
	if (!pid)
		child(&wanted);
	fd = (int)lab_check(syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
	result = (int)syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0);
	truth(.action = "signal-sent", .mechanism = "signal", .result = result, .to = pid,
	      .signal = SIGUSR1);
	lab_check(result, "pidfd_send_signal");
	lab_reap_well(pid);
	result = (int)syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0);
	truth(.action = "signal-sent", .mechanism = "signal", .result = result, .to = pid,
	      .signal = SIGUSR1);
	lab_expect(result == -1 && errno == ESRCH, "gone gives ESRCH");
	return EXIT_SUCCESS;
}
