// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two who lock one file at the same time, and both get the lock; and sound twins of them. What came
 * of it is logged: the second one's call ("lock", with what it returned), while the first had it.
 */
#include <pthread.h>
#include <sys/file.h>

#include "tests/labs/mistake.h"

/* A way to lock: how = F_WRLCK or F_UNLCK; it never waits. */
typedef int lock_function(int fd, short how);

static char name[] = "/tmp/ipclens-vain-XXXXXX";

static int by_flock(int fd, short how)
{
	return flock(fd, how == F_UNLCK ? LOCK_UN : LOCK_EX | LOCK_NB);
}

static int by_record(int fd, int command, short how, off_t from)
{
	struct flock range = {.l_type = how, .l_start = from, .l_len = 10};

	return fcntl(fd, command, &range);
}

static int by_fcntl(int fd, short how)
{
	return by_record(fd, F_SETLK, how, 0);
}

static int by_next_range(int fd, short how)
{
	return by_record(fd, F_SETLK, how, 10);
}

static int by_open_file(int fd, short how)
{
	return by_record(fd, F_OFD_SETLK, how, 0);
}

static int open_own(void)
{
	return (int)lab_check(open(name, O_RDWR | O_CLOEXEC), name);
}

static int file_make(void)
{
	int fd = (int)lab_check(mkstemp(name), "mkstemp");

	channel("file-lock", fd);
	party(getpid());
	return fd;
}

/* What the second one does, while the first has its lock; both end well. */
static void try_lock(lock_function *lock, int fd)
{
	int got = lock(fd, F_WRLCK);

	truth(.action = "lock", .result = got, .fd = fd);
	if (got == 0)
		lab_check(lock(fd, F_UNLCK), "unlock");
}

/* A child locks while its parent has the lock, through the parent's open file or its own. */
static void child_locks(lock_function *lock, int inherited)
{
	pid_t child = lab_fork();

	if (!child) {
		party(getpid());
		try_lock(lock, inherited < 0 ? open_own() : inherited);
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
}

static void give_back(lock_function *lock, int fd)
{
	lab_check(lock(fd, F_UNLCK), "unlock");
	lab_check(unlink(name), "unlink");
}

static void both(lock_function *parents, lock_function *childs, bool inherits)
{
	int fd = file_make();

	lab_check(parents(fd, F_WRLCK), "lock");
	child_locks(childs, inherits ? fd : -1);
	give_back(parents, fd);
}

static void two_kinds(void)
{
	both(by_flock, by_fcntl, false);
}

static void kinds_turned(void)
{
	both(by_open_file, by_flock, false);
}

static void inherited(void)
{
	both(by_flock, by_flock, true);
}

static void inherited_range(void)
{
	both(by_open_file, by_open_file, true);
}

static void closed_another(void)
{
	int fd = file_make();

	lab_check(by_fcntl(fd, F_WRLCK), "lock");
	close(open_own());
	child_locks(by_fcntl, -1);
	give_back(by_fcntl, fd);
}

static void *thread_locks(void *fd)
{
	try_lock(by_fcntl, *(int *)fd);
	return NULL;
}

static void threads(void)
{
	int fd = file_make();
	pthread_t other;

	lab_check(by_fcntl(fd, F_WRLCK), "lock");
	lab_expect(!pthread_create(&other, NULL, thread_locks, &fd), "pthread_create");
	lab_expect(!pthread_join(other, NULL), "pthread_join");
	give_back(by_fcntl, fd);
}

/* The sound ones: one kind, each its own open file. */
static void refused(void)
{
	both(by_flock, by_flock, false);
}

static void refused_range(void)
{
	both(by_fcntl, by_open_file, false);
}

static void other_range(void)
{
	both(by_fcntl, by_next_range, false);
}

/* It closes the file, and so gives the lock back: what it unlocks later it has locked anew. */
static void closed_in_between(void)
{
	int fd = file_make();

	lab_check(by_fcntl(fd, F_WRLCK), "lock");
	close(fd);
	child_locks(by_fcntl, -1);
	fd = open_own();
	lab_check(by_fcntl(fd, F_WRLCK), "lock");
	give_back(by_fcntl, fd);
}

/* The child has it by both kinds only after the parent gave it back. */
static void in_turn(void)
{
	int fd = file_make();

	for (int i = 0; i < 2; i++) {
		lab_check(by_flock(fd, F_WRLCK), "lock");
		lab_check(by_flock(fd, F_UNLCK), "unlock");
		child_locks(by_fcntl, -1);
	}
	lab_check(unlink(name), "unlink");
}

static const struct mistake mistakes[] = {
	{"two-kinds", two_kinds},
	{"kinds-turned", kinds_turned},
	{"inherited", inherited},
	{"inherited-range", inherited_range},
	{"closed-another", closed_another},
	{"threads", threads},
	{"refused", refused},
	{"refused-range", refused_range},
	{"other-range", other_range},
	{"closed-in-between", closed_in_between},
	{"in-turn", in_turn},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "LOCKS: locks one file so, and ends", mistakes,
			    MISTAKES(mistakes));
}
