// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waiting for one of several: poll, ppoll, select, pselect, epoll. The parent waits for two pipes
 * until the child, which sees it asleep, writes into the second one. `hang` waits for ever.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

struct waiter {
	const char *name;
	long call; /* in which it sleeps */
	int (*wait)(int quiet, int busy, int spare);
};

/* What a waiter asked for, and got. */
static void told(const char *name, const char *action, int fd, int events)
{
	truth(.action = action, .channel = name, .fd = fd, .value = events);
}

static void fill(struct pollfd fds[4], const char *name, int quiet, int busy, int spare)
{
	fds[0] = (struct pollfd){.fd = quiet, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = -1, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = busy, .events = POLLIN | POLLPRI};
	fds[3] = (struct pollfd){.fd = spare, .events = POLLIN};
	for (int i = 0; i < 4; i++)
		if (fds[i].fd >= 0)
			told(name, "asks", fds[i].fd, fds[i].events);
}

static int tell_polled(const struct pollfd fds[4], const char *name, int result)
{
	for (int i = 0; i < 4; i++)
		if (fds[i].revents)
			told(name, "ready", fds[i].fd, fds[i].revents);
	return result;
}

static int by_poll(int quiet, int busy, int spare)
{
	struct pollfd fds[4];

	fill(fds, "poll", quiet, busy, spare);
	return tell_polled(fds, "poll", poll(fds, 4, -1));
}

static int by_ppoll(int quiet, int busy, int spare)
{
	struct pollfd fds[4];

	fill(fds, "ppoll", quiet, busy, spare);
	return tell_polled(fds, "ppoll", ppoll(fds, 4, NULL, NULL));
}

static void set_add(fd_set *set, const char *name, int fd)
{
	FD_SET(fd, set);
	told(name, "asks", fd, POLLIN);
}

static int tell_selected(fd_set *in, const char *name, int end, int result)
{
	for (int fd = 0; fd < end; fd++)
		if (FD_ISSET(fd, in))
			told(name, "ready", fd, POLLIN);
	return result;
}

static int by_select(int quiet, int busy, int spare)
{
	fd_set in;

	FD_ZERO(&in);
	set_add(&in, "select", quiet);
	set_add(&in, "select", busy);
	set_add(&in, "select", spare);
	return tell_selected(&in, "select", busy + 1,
			     (int)syscall(LAB_SELECT, busy + 1, &in, NULL, NULL, NULL, NULL));
}

static int by_pselect(int quiet, int busy, int spare)
{
	fd_set in;

	FD_ZERO(&in);
	set_add(&in, "pselect6", quiet);
	set_add(&in, "pselect6", busy);
	set_add(&in, "pselect6", spare);
	return tell_selected(&in, "pselect6", busy + 1,
			     pselect(busy + 1, &in, NULL, NULL, NULL, NULL));
}

static int watch(int epoll, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};

	told("epoll_wait", "asks", fd, (int)events);
	return (int)lab_check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/* The data of an entry are the program's own: here they are no descriptors. */
static int by_epoll(int quiet, int busy, int spare)
{
	int epoll = (int)lab_check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"), result;
	int fds[] = {quiet, busy, spare};
	struct epoll_event events[3];

	for (unsigned int i = 0; i < 3; i++)
		watch(epoll, fds[i], EPOLLIN, 0x7000000000000000 + i);
	result = epoll_wait(epoll, events, 3, -1);
	for (int i = 0; i < result; i++)
		told("epoll_wait", "ready", fds[events[i].data.u64 & 3], (int)events[i].events);
	close(epoll);
	return result;
}

static const struct waiter waiters[] = {
	{"poll", LAB_POLL, by_poll},
	{"ppoll", SYS_ppoll, by_ppoll},
	{"select", LAB_SELECT, by_select},
	{"pselect6", SYS_pselect6, by_pselect},
	{"epoll_wait", LAB_EPOLL_WAIT, by_epoll},
};

/* Blocked in its call, and not on a lock or for a page before it has looked. */
static void wait_asleep(pid_t parent, long call)
{
	char path[64], line[256], *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", parent);
	do {
		lab_wait_blocked(parent, call);
		fd = (int)lab_check(open(path, O_RDONLY | O_CLOEXEC), path);
		n = lab_check(read(fd, line, sizeof(line) - 1), path);
		close(fd);
		line[n] = '\0';
		state = strrchr(line, ')');
	} while (!state || strncmp(state, ") S", 3) != 0);
}

static void wait_once(const struct waiter *waiter, const int quiet[2], const int spare[2])
{
	pid_t parent = getpid(), child;
	int busy[2];
	char byte;

	lab_check(pipe(busy), "pipe");
	child = lab_fork();
	if (!child) {
		wait_asleep(parent, waiter->call);
		lab_write_text(busy[1], "pipe", waiter->name, "!");
		exit(EXIT_SUCCESS);
	}
	lab_expect(waiter->wait(quiet[0], busy[0], spare[0]) == 1, "one of them was ready");
	lab_read(busy[0], "pipe", waiter->name, &byte, 1);
	lab_reap_well(child);
	close(busy[0]);
	close(busy[1]);
}

int main(int argc, char **argv)
{
	int quiet[2], spare[2];

	lab_help(argc, argv,
		 "[hang]: waits for several pipes in every way; hang: for ever, in poll");
	lab_check(pipe(quiet), "pipe");
	lab_check(pipe(spare), "pipe");
	if (lab_is(lab_word(argc, argv, 1, ""), "hang"))
		return poll((struct pollfd[]){{quiet[0], POLLIN, 0}, {spare[0], POLLIN, 0}}, 2, -1);
	for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++)
		wait_once(&waiters[i], quiet, spare);
	return EXIT_SUCCESS;
}
