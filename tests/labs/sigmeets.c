// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a signal meets: a thread that sleeps in a call, one that is stopped, a process whose second
 * thread alone can take it, a program at a terminal. And who ends a sleep by writing.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include "tests/labs/lab.h"

static void handle(int number)
{
	(void)number;
}

static void handle_all(int number)
{
	struct sigaction action = {.sa_handler = handle};

	sigemptyset(&action.sa_mask);
	lab_check(sigaction(number, &action, NULL), "sigaction");
}

static void send(pid_t to, int number, const char *state)
{
	truth(.action = "meets", .channel = state, .to = to, .signal = number);
	lab_check(kill(to, number), "kill");
}

/* Sleeps in read until a signal comes, then until a byte does. */
static void sleeper(int fd)
{
	char byte;

	handle_all(SIGUSR1);
	lab_expect(read(fd, &byte, 1) < 0 && errno == EINTR, "the signal ends the read");
	lab_read(fd, "pipe", "wake", &byte, 1);
	exit(EXIT_SUCCESS);
}

static void meet_sleeper(void)
{
	int fds[2], status;
	pid_t child;
	siginfo_t info;

	lab_check(pipe(fds), "pipe");
	child = lab_fork();
	if (!child)
		sleeper(fds[0]);
	lab_wait_blocked(child, SYS_read);
	send(child, SIGUSR1, "blocked");
	send(child, SIGSTOP, "");
	lab_check(waitpid(child, &status, WUNTRACED), "waitpid");
	truth(.action = "stopped", .to = child, .signal = WSTOPSIG(status));
	send(child, SIGCONT, "stopped");
	lab_check(waitid(P_PID, (id_t)child, &info, WCONTINUED), "waitid");
	truth(.action = "continued", .to = child);
	lab_wait_blocked(child, SYS_read);
	truth(.action = "wakes", .to = child);
	lab_write_text(fds[1], "pipe", "wake", "!");
	lab_reap_well(child);
}

static void *second(void *argument)
{
	sigset_t set;

	(void)argument;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	truth(.action = "second", .value = gettid());
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	pause();
	return NULL;
}

/* The first thread blocks the signal, so the kernel must choose the second. */
static void threads(int ready)
{
	pthread_t thread;
	sigset_t set;

	handle_all(SIGUSR2);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&thread, NULL, second, NULL);
	lab_write_text(ready, "pipe", "ready", "r");
	pthread_join(thread, NULL);
	exit(EXIT_SUCCESS);
}

/* Any thread of it but the first. */
static pid_t other_thread(pid_t pid)
{
	for (pid_t tid = pid + 1; tid < pid + 4096; tid++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
		if (access(path, F_OK) == 0)
			return tid;
	}
	lab_expect(false, "the second thread is there");
	return 0;
}

static void meet_threads(void)
{
	int fds[2];
	pid_t child;
	char byte;

	lab_check(pipe(fds), "pipe");
	child = lab_fork();
	if (!child)
		threads(fds[1]);
	lab_read(fds[0], "pipe", "ready", &byte, 1);
	lab_wait_blocked(other_thread(child), LAB_PAUSE);
	send(child, SIGUSR2, "blocked");
	lab_reap_well(child);
}

/* The key and the size come to whoever has this terminal. */
static void at_terminal(const char *name)
{
	lab_check(setsid(), "setsid");
	handle_all(SIGINT);
	lab_check(open(name, O_RDWR), name); /* becomes the controlling terminal */
	pause();
	exit(EXIT_SUCCESS);
}

static void meet_terminal(void)
{
	int terminal = (int)lab_check(posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt");
	struct winsize size = {.ws_row = 3, .ws_col = 5};
	pid_t child;

	lab_check(grantpt(terminal), "grantpt");
	lab_check(unlockpt(terminal), "unlockpt");
	child = lab_fork();
	if (!child)
		at_terminal(ptsname(terminal));
	lab_wait_blocked(child, LAB_PAUSE);
	truth(.action = "size", .to = child, .signal = SIGWINCH);
	lab_check(ioctl(terminal, TIOCSWINSZ, &size), "TIOCSWINSZ"); /* ignored by default */
	truth(.action = "key", .to = child, .signal = SIGINT);
	lab_check(write(terminal, "\003", 1), "write");
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	lab_help(argc, argv, ": signals meet threads in every state");
	meet_sleeper();
	meet_threads();
	meet_terminal();
	return EXIT_SUCCESS;
}
