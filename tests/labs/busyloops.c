// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loops that call again and again, as they do not do what they are told. Each logs who runs it
 * ("party"), and how often it calls ("calls").
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "tests/labs/mistake.h"

enum { CALLS = 600, OTHER_WORK_NS = 180000 };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What else the loop does. */
static void work(void)
{
	const uint64_t until_ns = now_ns() + OTHER_WORK_NS;

	while (now_ns() < until_ns)
		;
}

static void begin(void)
{
	party(getpid());
	truth(.action = "calls", .value = CALLS);
	truth_flush();
}

/* Returns a connected socket; its other end is `*other`. */
static int connected(int *other)
{
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	*other = ends[1];
	begin();
	return ends[0];
}

static int closed_descriptor(void)
{
	int other, fd = connected(&other);

	close(other);
	close(fd);
	return fd;
}

static void polls_closed(void)
{
	struct pollfd ask = {.fd = closed_descriptor(), .events = POLLIN};

	for (int i = 0; i < CALLS; i++, work())
		lab_expect(poll(&ask, 1, -1) == 1 && ask.revents == POLLNVAL, "POLLNVAL");
}

static void selects_closed(void)
{
	int fd = closed_descriptor();

	for (int i = 0; i < CALLS; i++, work()) {
		fd_set set;

		FD_ZERO(&set);
		FD_SET(fd, &set);
		lab_expect(select(fd + 1, &set, NULL, NULL, NULL) < 0, "EBADF");
	}
}

static void reads_past_end(void)
{
	int other, fd = connected(&other);
	char byte;

	close(other);
	for (int i = 0; i < CALLS; i++, work())
		lab_expect(read(fd, &byte, 1) == 0, "the end");
}

static int watch(int fd, uint32_t events)
{
	struct epoll_event event = {.events = events};
	int epoll = (int)lab_check(epoll_create1(0), "epoll_create1");

	lab_check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	return epoll;
}

static void wait_often(int epoll)
{
	struct epoll_event event;

	for (int i = 0; i < CALLS; i++, work())
		lab_expect(epoll_wait(epoll, &event, 1, -1) == 1, "told at once");
}

static void ignores_hangup(void)
{
	int other, fd = connected(&other);

	close(other);
	wait_often(watch(fd, EPOLLIN));
}

static void asks_for_room(void)
{
	int other, fd = connected(&other);

	wait_often(watch(fd, EPOLLOUT));
}

static void ignores_input(void)
{
	int other, fd = connected(&other);

	lab_check(write(other, "x", 1), "write");
	wait_often(watch(fd, EPOLLIN));
}

/* It reads the end each time that it is told of, and asks again. */
static void by_turns(void)
{
	int other, fd = connected(&other), epoll;
	struct epoll_event event;
	char byte;

	close(other);
	epoll = watch(fd, EPOLLIN);
	for (int i = 0; i < CALLS; i++, work()) {
		lab_expect(epoll_wait(epoll, &event, 1, -1) == 1, "told at once");
		lab_expect(read(fd, &byte, 1) == 0, "the end");
	}
}

/* No mistake: each time that it is told of something it takes it. */
static void sound(void)
{
	int other, fd = connected(&other), epoll = watch(fd, EPOLLIN | EPOLLOUT);
	struct epoll_event event;
	char byte;

	for (int i = 0; i < CALLS; i++, work()) {
		lab_check(write(other, "x", 1), "write");
		lab_expect(epoll_wait(epoll, &event, 1, -1) == 1, "told at once");
		lab_expect(read(fd, &byte, 1) == 1, "a byte");
	}
}

int main(int argc, char **argv)
{
	static const struct mistake rows[] = {
		{"polls-closed", polls_closed},
		{"selects-closed", selects_closed},
		{"reads-past-end", reads_past_end},
		{"ignores-hangup", ignores_hangup},
		{"asks-for-room", asks_for_room},
		{"ignores-input", ignores_input},
		{"by-turns", by_turns},
		{"sound", sound},
	};

	return mistake_main(argc, argv, "MISTAKE: calls in a loop", rows, MISTAKES(rows));
}
