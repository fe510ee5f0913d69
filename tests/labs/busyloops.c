// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loops that call again and again, as they do not do what they are told. Each logs who runs it
 * ("party"), and how often it calls ("calls").
 */
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
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

/* A timeout of 0, which select(2) gives the kernel as an address. */
static void selects_in_vain(void)
{
	int other, fd = connected(&other);

	for (int i = 0; i < CALLS; i++, work()) {
		struct timeval none = {0};
		fd_set set;

		FD_ZERO(&set);
		FD_SET(fd, &set);
		lab_expect(select(fd + 1, &set, NULL, NULL, &none) == 0, "nothing");
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

/* Of a timer that expires once, and at once. */
static int timer_make(void)
{
	const struct itimerspec at = {.it_value.tv_nsec = 1};
	int fd = (int)lab_check(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");

	lab_check(timerfd_settime(fd, 0, &at, NULL), "timerfd_settime");
	return fd;
}

static void ignores_timer(void)
{
	begin();
	wait_often(watch(timer_make(), EPOLLIN));
}

static void ignores_counter(void)
{
	begin();
	wait_often(watch((int)lab_check(eventfd(1, 0), "eventfd"), EPOLLIN));
}

/* A child that has ended, and not been waited for: with a call that no loop here makes. */
static pid_t ended_child(void)
{
	pid_t child = lab_fork();
	struct pollfd ended = {.events = POLLIN};

	if (!child)
		exit(EXIT_SUCCESS);
	ended.fd = (int)lab_check(syscall(SYS_pidfd_open, child, 0), "pidfd_open");
	lab_check(poll(&ended, 1, -1), "poll");
	close(ended.fd);
	return child;
}

static void ignores_process(void)
{
	pid_t child = ended_child();
	int fd = (int)lab_check(syscall(SYS_pidfd_open, child, 0), "pidfd_open");

	begin();
	lab_reap_well(child);
	wait_often(watch(fd, EPOLLIN));
}

static void leaves_status(void)
{
	pid_t child = ended_child();
	siginfo_t told;

	begin();
	for (int i = 0; i < CALLS; i++, work())
		lab_check(waitid(P_ALL, 0, &told, WEXITED | WNOWAIT), "waitid");
	lab_reap_well(child);
}

/* The set has a descriptor that is closed, and a copy keeps its file open. */
static void closed_copy(void)
{
	int other, fd = connected(&other), epoll = watch(fd, EPOLLIN);

	lab_check(dup(fd), "dup");
	close(fd);
	lab_check(write(other, "x", 1), "write");
	wait_often(epoll);
}

static void take_copies(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
	exit(EXIT_SUCCESS);
}

/* So that the next copy finds room at once, however slow the reader is: ioctl() is no operation. */
static void await_empty(int fd)
{
	int count = 1;

	while (count)
		lab_check(ioctl(fd, FIONREAD, &count), "ioctl");
}

/* Copies what lies in one pipe into another one, and takes it away only if it is sound. */
static void copies(bool takes)
{
	int from[2], to[2];
	char buf[8];
	pid_t child;

	pipe_make(from);
	pipe_make(to);
	child = lab_fork();
	if (!child) {
		close(to[1]);
		take_copies(to[0]);
	}
	close(to[0]);
	begin();
	lab_check(write(from[1], "hello", 5), "write");
	for (int i = 0; i < CALLS; i++, work()) {
		await_empty(to[1]);
		lab_expect(tee(from[0], to[1], sizeof(buf), 0) == 5, "tee");
		if (!takes)
			continue;
		lab_expect(read(from[0], buf, sizeof(buf)) == 5, "read");
		lab_check(write(from[1], "again", 5), "write");
	}
	close(to[1]);
	lab_reap_well(child);
}

static void copies_again(void)
{
	copies(false);
}

struct turns {
	atomic_int asked, taken;
};

static struct turns *shared_turns(void)
{
	struct turns *turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	lab_expect(turns != MAP_FAILED, "mmap");
	return turns;
}

/* In memory, and sched_yield(2) is no operation: whoever waits here makes no call that counts. */
static void await(const atomic_int *count, int least)
{
	while (atomic_load(count) < least)
		sched_yield();
}

/* One of the eventfd's for every two times that its parent is told of it. */
static void take_each(int fd, struct turns *turns)
{
	uint64_t one;

	for (int i = 1; i <= CALLS / 2; i++) {
		await(&turns->asked, 2 * i);
		lab_check(read(fd, &one, sizeof(one)), "read");
		atomic_store(&turns->taken, i);
	}
	exit(EXIT_SUCCESS);
}

/* No mistake: another process takes what this one is told of, one by one. */
static void read_elsewhere(void)
{
	int fd = (int)lab_check(eventfd(CALLS, EFD_SEMAPHORE), "eventfd"), epoll;
	struct turns *turns = shared_turns();
	struct epoll_event event;
	pid_t child = lab_fork();

	if (!child)
		take_each(fd, turns);
	begin();
	epoll = watch(fd, EPOLLIN);
	for (int i = 1; i <= CALLS; i++, work()) {
		lab_expect(epoll_wait(epoll, &event, 1, -1) == 1, "told at once");
		atomic_store(&turns->asked, i);
		await(&turns->taken, i / 2);
	}
	lab_reap_well(child);
}

/* No mistake: it takes each event, each child, and what it has copied. */
static void sound_events(void)
{
	int fd = (int)lab_check(eventfd(0, 0), "eventfd"), epoll = watch(fd, EPOLLIN);
	struct epoll_event event;
	uint64_t count = 1;

	for (int i = 0; i < CALLS; i++, work()) {
		lab_check(write(fd, &count, sizeof(count)), "write");
		lab_expect(epoll_wait(epoll, &event, 1, -1) == 1, "told at once");
		lab_check(read(fd, &count, sizeof(count)), "read");
	}
	for (int i = 0; i < CALLS / 2; i++)
		lab_reap_well(ended_child());
	copies(true);
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
		{"selects-in-vain", selects_in_vain},
		{"reads-past-end", reads_past_end},
		{"ignores-hangup", ignores_hangup},
		{"asks-for-room", asks_for_room},
		{"ignores-input", ignores_input},
		{"by-turns", by_turns},
		{"ignores-timer", ignores_timer},
		{"ignores-counter", ignores_counter},
		{"ignores-process", ignores_process},
		{"leaves-status", leaves_status},
		{"closed-copy", closed_copy},
		{"copies-again", copies_again},
		{"read-elsewhere", read_elsewhere},
		{"sound-events", sound_events},
		{"sound", sound},
	};

	return mistake_main(argc, argv, "MISTAKE: calls in a loop", rows, MISTAKES(rows));
}
