// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One pipe under many descriptors: dup, dup2, F_DUPFD_CLOEXEC, inherited by fork, kept or closed by
 * exec. Whoever writes, and by whichever number, it is the same pipe.
 */
#include "tests/labs/lab.h"

enum { DUP2_FD = 9, DUPFD_FD = 20 };

#define SEND(fd, text) lab_write_text(fd, "pipe", "pipe", text)

/* After exec: the one without close-on-exec is still there, the others are gone. */
__attribute__((noreturn)) static void after_exec(void)
{
	lab_expect(fcntl(DUPFD_FD, F_GETFD) == -1 && errno == EBADF, "close-on-exec closed it");
	SEND(DUP2_FD, "after exec;");
	exit(EXIT_SUCCESS);
}

__attribute__((noreturn)) static void child(void)
{
	SEND(DUP2_FD, "inherited;");
	truth_flush();
	execl("/proc/self/exe", "dupfork", "--after-exec", (char *)NULL);
	lab_die("exec");
}

int main(int argc, char **argv)
{
	int ends[2], copy;
	pid_t pid;

	lab_help(argc, argv, ": writes to one pipe through six descriptors in two processes");
	if (argc > 1 && lab_is(argv[1], "--after-exec"))
		after_exec();
	lab_check(pipe2(ends, O_CLOEXEC), "pipe2");
	copy = (int)lab_check(dup(ends[1]), "dup");
	lab_check(dup2(ends[1], DUP2_FD), "dup2");
	lab_check(fcntl(ends[1], F_DUPFD_CLOEXEC, DUPFD_FD), "F_DUPFD_CLOEXEC");
	SEND(ends[1], "original;");
	SEND(copy, "dup;");
	SEND(DUP2_FD, "dup2;");
	SEND(DUPFD_FD, "dupfd;");
	close(copy);
	pid = lab_fork();
	if (!pid)
		child();
	lab_reap_well(pid);
	close(ends[1]);
	close(DUP2_FD);
	close(DUPFD_FD);
	lab_expect(lab_read_all(ends[0], "pipe", "pipe") == 45, "all bytes came, and then the end");
	return EXIT_SUCCESS;
}
