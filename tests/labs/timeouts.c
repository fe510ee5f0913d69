// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls that wait in vain for as long as they were told, or for ever for what is there already. */
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <time.h>

#include "tests/labs/lab.h"

#define MILLISECOND 1000000L

/* `what` is as the kernel calls it. */
static void log_wait(const char *what, long timeout_ms)
{
	truth(.action = "timeout", .channel = what, .value = timeout_ms * MILLISECOND + 1);
}

static struct timespec after(long ms)
{
	return (struct timespec){.tv_nsec = ms * MILLISECOND};
}

static struct timespec moment(clockid_t clock, long ms)
{
	struct timespec now;

	clock_gettime(clock, &now);
	now.tv_nsec += ms * MILLISECOND;
	now.tv_sec += now.tv_nsec / 1000000000;
	now.tv_nsec %= 1000000000;
	return now;
}

static void in_vain(long result, const char *what, long timeout_ms)
{
	if (result > 0 || (result < 0 && errno != EAGAIN && errno != ETIMEDOUT))
		lab_check(-1, what);
	log_wait(what, timeout_ms);
}

static void polls(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct timespec limit = after(21);

	in_vain(poll(&wait, 1, 20), "poll", 20);
	in_vain(ppoll(&wait, 1, &limit, NULL), "ppoll", 21);
}

static void selects(int fd)
{
	struct timespec limit = after(22);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	in_vain(pselect(fd + 1, &set, NULL, NULL, &limit, NULL), "pselect6", 22);
}

static void epolls(int fd)
{
	int epoll = (int)lab_check(epoll_create1(0), "epoll_create1");
	struct epoll_event event = {.events = EPOLLIN};

	lab_check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	in_vain(epoll_wait(epoll, &event, 1, 23), "epoll_wait", 23);
	close(epoll);
}

static void semaphores(void)
{
	int set = (int)lab_check(semget(IPC_PRIVATE, 1, 0600), "semget");
	struct sembuf take = {.sem_op = -1}, give = {.sem_op = 1};
	struct timespec limit = after(24);

	in_vain(semtimedop(set, &take, 1, &limit), "semtimedop", 24);
	lab_check(semop(set, &give, 1), "semop");
	lab_check(semop(set, &take, 1), "semop");
	semctl(set, 0, IPC_RMID);
}

static void queues(void)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	struct timespec limit = moment(CLOCK_REALTIME, 60000);
	char buf[8], name[32];
	mqd_t queue;

	snprintf(name, sizeof(name), "/timeouts-%d", (int)getpid());
	queue = (mqd_t)lab_check(mq_open(name, O_CREAT | O_RDWR, 0600, &attr), "mq_open");
	mq_unlink(name);
	lab_check(mq_timedsend(queue, "x", 1, 0, &limit), "mq_timedsend");
	log_wait("mq_timedsend", 60000);
	lab_check(mq_timedreceive(queue, buf, sizeof(buf), NULL, &limit), "mq_timedreceive");
	log_wait("mq_timedreceive", 60000);
	mq_close(queue);
}

static void sleeps(void)
{
	struct timespec limit = after(25), until;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	in_vain(sigtimedwait(&set, NULL, &limit), "rt_sigtimedwait", 25);
	until = moment(CLOCK_MONOTONIC, 26);
	in_vain(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), "clock_nanosleep",
		26);
}

int main(int argc, char **argv)
{
	int ends[2];
	struct pollfd wait;

	lab_help(argc, argv, ": each call that waits no longer than it was told");
	lab_check(pipe(ends), "pipe");
	polls(ends[0]);
	selects(ends[0]);
	epolls(ends[0]);
	semaphores();
	queues();
	sleeps();
	wait = (struct pollfd){.fd = ends[1], .events = POLLOUT};
	lab_check(poll(&wait, 1, -1), "poll");
	truth(.action = "endless", .channel = "poll");
	lab_check(ppoll(&wait, 1, NULL, NULL), "ppoll");
	truth(.action = "endless", .channel = "ppoll");
	return EXIT_SUCCESS;
}
