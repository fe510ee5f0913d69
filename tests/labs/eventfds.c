// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Descriptors that bring news: a signalfd and the signals of another process, a timerfd, an inotify
 * instance and the file that another process makes, a pidfd and the end of its process. Each is
 * waited for where it sleeps: in read, and in poll for the pidfd, of which nothing can be read.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "tests/labs/lab.h"

static void made(const char *mechanism, int fd)
{
	lab_check(fd, mechanism);
	truth(.action = "made", .mechanism = mechanism, .fd = fd);
}

static ssize_t get(const char *mechanism, int fd, void *buf, size_t size)
{
	ssize_t n = read(fd, buf, size);

	truth(.action = "got", .mechanism = mechanism, .result = n, .fd = fd);
	return lab_check(n, mechanism);
}

static void send(pid_t to, int number)
{
	truth(.action = "signal-sent", .mechanism = "signal", .to = to, .signal = number);
	lab_check(kill(to, number), "kill");
}

/* The first comes while it sleeps in read; then two are taken at once. */
static void take_signals(int fd)
{
	struct signalfd_siginfo infos[4];
	sigset_t set;

	get("signalfd", fd, infos, sizeof(infos));
	truth(.action = "signal-taken", .signal = (int)infos[0].ssi_signo,
	      .to = (pid_t)infos[0].ssi_pid);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwaitinfo(&set, NULL); /* the last: the others are pending by now */
	lab_expect(get("signalfd", fd, infos, sizeof(infos)) == 2 * sizeof(infos[0]), "two came");
	for (int i = 0; i < 2; i++)
		truth(.action = "signal-taken", .signal = (int)infos[i].ssi_signo,
		      .to = (pid_t)infos[i].ssi_pid);
	exit(EXIT_SUCCESS);
}

static void news_of_signals(void)
{
	sigset_t set;
	pid_t child;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGTERM);
	made("signalfd", fd = signalfd(-1, &set, SFD_CLOEXEC));
	child = lab_fork();
	if (!child)
		take_signals(fd);
	lab_wait_blocked(child, SYS_read);
	send(child, SIGUSR1);
	lab_wait_blocked(child, SYS_rt_sigtimedwait);
	send(child, SIGUSR2);
	send(child, SIGUSR1);
	send(child, SIGTERM);
	lab_reap_well(child);
}

static void news_of_time(void)
{
	const struct itimerspec soon = {.it_value.tv_nsec = 1000000};
	uint64_t times;
	int fd;

	made("timerfd", fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	lab_check(timerfd_settime(fd, 0, &soon, NULL), "timerfd_settime");
	get("timerfd", fd, &times, sizeof(times));
	lab_expect(times == 1, "it ran out once");
}

static void news_of_files(const char *folder)
{
	char event[sizeof(struct inotify_event) + NAME_MAX + 1], path[4096];
	pid_t child;
	int fd;

	made("inotify", fd = inotify_init1(IN_CLOEXEC));
	lab_check(inotify_add_watch(fd, folder, IN_CREATE), folder);
	child = lab_fork();
	if (!child) {
		get("inotify", fd, event, sizeof(event));
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_read);
	snprintf(path, sizeof(path), "%s/news-of-files", folder);
	close((int)lab_check(open(path, O_CREAT | O_WRONLY, 0600), path));
	lab_reap_well(child);
}

static void news_of_a_process(void)
{
	struct pollfd poll_fd = {.events = POLLIN};
	pid_t child = lab_fork();

	if (!child) {
		lab_wait_blocked(getppid(), LAB_POLL);
		exit(EXIT_SUCCESS);
	}
	made("pidfd", poll_fd.fd = (int)syscall(SYS_pidfd_open, child, 0));
	lab_check(poll(&poll_fd, 1, -1), "poll");
	truth(.action = "got", .mechanism = "pidfd", .fd = poll_fd.fd, .to = child);
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	lab_help(argc, argv, "FOLDER: signalfd, timerfd, inotify on FOLDER, pidfd");
	news_of_signals();
	news_of_time();
	news_of_files(lab_word(argc, argv, 1, "/tmp"));
	news_of_a_process();
	return EXIT_SUCCESS;
}
