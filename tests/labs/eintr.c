// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A signal meets a process that is blocked in read(2). Without SA_RESTART the call fails with
 * EINTR; with it the kernel begins the call again and the program never knows.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled = 1;
}

__attribute__((noreturn)) static void reader(int fd, bool restart)
{
	char buf[64];
	ssize_t n;

	if (!restart) {
		n = read(fd, buf, sizeof(buf));
		truth(.action = "receive", .mechanism = "pipe", .channel = "pipe", .result = n);
		lab_expect(n < 0 && errno == EINTR, "the call was interrupted");
		truth(.action = "signal-handled", .mechanism = "signal", .signal = SIGUSR1);
	}
	n = (ssize_t)lab_read(fd, "pipe", "pipe", buf, sizeof(buf));
	lab_expect(n == 5 && handled, "the data came after the signal");
	if (restart)
		truth(.action = "signal-handled", .mechanism = "signal", .signal = SIGUSR1);
	lab_expect(lab_read(fd, "pipe", "pipe", buf, sizeof(buf)) == 0, "the end came");
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handler};
	const char *how;
	pid_t child;
	int ends[2], result;

	lab_help(argc, argv,
		 "[fail|restart]: interrupts a blocked read, without or with SA_RESTART");
	how = lab_word(argc, argv, 1, "fail");
	if (!lab_is(how, "fail") && !lab_is(how, "restart"))
		lab_usage(how);
	action.sa_flags = lab_is(how, "restart") ? SA_RESTART : 0;
	lab_check(sigaction(SIGUSR1, &action, NULL), "sigaction");
	lab_check(pipe(ends), "pipe");
	child = lab_fork();
	close(ends[!child]);
	if (!child)
		reader(ends[0], lab_is(how, "restart"));
	lab_wait_blocked(child, SYS_read);
	result = kill(child, SIGUSR1);
	truth(.action = "signal-sent", .mechanism = "signal", .result = result, .to = child,
	      .signal = SIGUSR1);
	lab_check(result, "kill");
	lab_wait_blocked(child, SYS_read);
	lab_write_text(ends[1], "pipe", "pipe", "hello");
	close(ends[1]);
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
