// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One process whose threads wait for each other, or only look like it; none ends by itself. It
 * logs its pid ("party") and its threads but main ("thread") before they sleep.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "tests/labs/mistake.h"

enum { MOST = 3 };

/* What the threads of a mistake share. */
static struct shared {
	pthread_mutex_t locks[MOST];
	pthread_rwlock_t rwlocks[2];
	pthread_barrier_t logged, all;
	pthread_cond_t never;
	sem_t empty;
	int ends[2];
	int count;
	pid_t first; /* the thread of number 0 */
	void *(*work)(void *);
} shared;

static const int numbers[] = {0, 1, 2};

/* Takes one lock; when each has done so, the next one's. */
static void *ring(void *arg)
{
	const int number = *(const int *)arg;

	pthread_mutex_lock(&shared.locks[number]);
	pthread_barrier_wait(&shared.all);
	pthread_mutex_lock(&shared.locks[(number + 1) % shared.count]);
	return NULL;
}

/* Until thread `tid` sleeps for that lock. */
static void await_sleeper(pid_t tid, const pthread_mutex_t *lock)
{
	char path[64];
	unsigned long at = 0;
	long call = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	while (call != SYS_futex || at != (unsigned long)lock) {
		FILE *file = fopen(path, "re");

		if (!file || fscanf(file, "%ld 0x%lx", &call, &at) != 2)
			call = 0;
		if (file)
			fclose(file);
		sched_yield();
	}
}

/* The kernel refuses who closes the circle. Of two who come at once it may refuse both. */
static void *ring_in_turns(void *arg)
{
	const int number = *(const int *)arg;

	pthread_mutex_lock(&shared.locks[number]);
	if (!number)
		shared.first = gettid();
	pthread_barrier_wait(&shared.all);
	if (number)
		await_sleeper(shared.first, &shared.locks[1]);
	pthread_mutex_lock(&shared.locks[1 - number]);
	return NULL;
}

static void *take_again(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&shared.locks[0]);
	pthread_mutex_lock(&shared.locks[0]);
	return NULL;
}

/* Leader and followers: who has the lock waits for input for all. */
static void *lead_or_follow(void *arg)
{
	char byte;

	(void)arg;
	pthread_mutex_lock(&shared.locks[0]);
	lab_check(read(shared.ends[0], &byte, 1), "read");
	return NULL;
}

static void *wait_for_work(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&shared.locks[0]);
	for (;;)
		pthread_cond_wait(&shared.never, &shared.locks[0]);
	return NULL;
}

static void *wait_for_token(void *arg)
{
	(void)arg;
	for (;;)
		sem_wait(&shared.empty);
	return NULL;
}

/* The same circle, of locks that tell no owner. */
static void *ring_of_rwlocks(void *arg)
{
	const int number = *(const int *)arg;

	pthread_rwlock_wrlock(&shared.rwlocks[number]);
	pthread_barrier_wait(&shared.all);
	pthread_rwlock_rdlock(&shared.rwlocks[1 - number]);
	return NULL;
}

static void *take_and_end(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&shared.locks[0]);
	return NULL;
}

static void locks_make(int protocol, int robust)
{
	pthread_mutexattr_t how;

	pthread_mutexattr_init(&how);
	pthread_mutexattr_setprotocol(&how, protocol);
	pthread_mutexattr_setrobust(&how, robust);
	for (int i = 0; i < MOST; i++)
		pthread_mutex_init(&shared.locks[i], &how);
}

static pthread_t start(void *(*work)(void *), int number)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, work, (void *)&numbers[number]);
	if (errno)
		lab_die("pthread_create");
	return thread;
}

static void *log_and_work(void *arg)
{
	truth(.action = "thread", .to = gettid());
	pthread_barrier_wait(&shared.logged);
	return shared.work(arg);
}

/* Main waits for the end of the last one. */
static void start_all(void *(*work)(void *), int count)
{
	pthread_t last = pthread_self();

	shared.work = work;
	shared.count = count;
	party(getpid());
	pthread_barrier_init(&shared.logged, NULL, (unsigned)count + 1);
	pthread_barrier_init(&shared.all, NULL, (unsigned)count);
	for (int i = 0; i < count; i++)
		last = start(log_and_work, i);
	pthread_barrier_wait(&shared.logged);
	truth_flush();
	pthread_join(last, NULL);
}

static void two(void)
{
	locks_make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	start_all(ring, 2);
}

static void three(void)
{
	locks_make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	start_all(ring, 3);
}

static void robust(void)
{
	locks_make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
	start_all(ring, 2);
}

static void inheriting(void)
{
	locks_make(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
	start_all(ring_in_turns, 2);
}

static void itself(void)
{
	locks_make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	start_all(take_again, 1);
}

static void leader(void)
{
	pipe_make(shared.ends);
	if (!lab_fork())
		hang_in_pause(); /* it could write */
	locks_make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	start_all(lead_or_follow, 3);
}

static void pool(void)
{
	locks_make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	pthread_cond_init(&shared.never, NULL);
	start_all(wait_for_work, 3);
}

static void tokens(void)
{
	sem_init(&shared.empty, 0, 0);
	start_all(wait_for_token, 3);
}

static void rwlocks(void)
{
	pthread_rwlock_init(&shared.rwlocks[0], NULL);
	pthread_rwlock_init(&shared.rwlocks[1], NULL);
	start_all(ring_of_rwlocks, 2);
}

static void dead_owner(void)
{
	locks_make(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	pthread_join(start(take_and_end, 0), NULL);
	start_all(take_and_end, 1);
}

static const struct mistake mistakes[] = {
	{"two", two},	      {"three", three},
	{"robust", robust},   {"inheriting", inheriting},
	{"itself", itself},   {"leader", leader},
	{"pool", pool},	      {"tokens", tokens},
	{"rwlocks", rwlocks}, {"dead-owner", dead_owner},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "MISTAKE: makes it, and hangs", mistakes,
			    MISTAKES(mistakes));
}
