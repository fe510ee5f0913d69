// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two processes that take two locks, in different orders or in the same one, and never at the same
 * moment: nothing hangs. Each logs itself ("party") and the locks' object ("channel").
 */
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#include "tests/labs/mistake.h"

enum { LOCKS = 3, OUTER = 2 };

/* What differs between the kinds of locks. */
struct kind {
	void (*make)(void);
	void (*open)(void); /* in each process anew, or NULL */
	bool (*take)(int lock, bool waits);
	void (*give)(int lock);
};

static struct lab {
	int set, files[LOCKS], undo;
	char names[LOCKS][32];
	struct {
		pthread_mutex_t locks[LOCKS];
		volatile int step;
	} * mutexes;
} lab;

static bool sem_change(int lock, short change, bool waits)
{
	struct sembuf one = {(unsigned short)lock, change,
			     (short)((waits ? 0 : IPC_NOWAIT) | lab.undo)};

	return semop(lab.set, &one, 1) == 0;
}

static bool sem_take(int lock, bool waits)
{
	return sem_change(lock, -1, waits);
}

static void sem_give(int lock)
{
	lab_expect(sem_change(lock, 1, true), "semop");
}

static void sems_make(void)
{
	lab.set = (int)lab_check(semget(IPC_PRIVATE, LOCKS, 0600), "semget");
	channel_number("sysv-sem", lab.set);
	for (int i = 0; i < LOCKS; i++)
		lab_check(semctl(lab.set, i, SETVAL, 1), "semctl");
}

static void files_make(void)
{
	for (int i = 0; i < LOCKS; i++) {
		strcpy(lab.names[i], "/tmp/ipclens-order-XXXXXX");
		lab.files[i] = (int)lab_check(mkstemp(lab.names[i]), "mkstemp");
		channel("file-lock", lab.files[i]);
	}
}

static void files_open(void)
{
	for (int i = 0; i < LOCKS; i++)
		lab.files[i] = (int)lab_check(open(lab.names[i], O_RDWR), "open");
}

static bool file_take(int lock, bool waits)
{
	return flock(lab.files[lock], LOCK_EX | (waits ? 0 : LOCK_NB)) == 0;
}

static void file_give(int lock)
{
	lab_check(flock(lab.files[lock], LOCK_UN), "flock");
}

/* All in one file. */
static bool range_take(int lock, bool waits)
{
	struct flock range = {.l_type = F_WRLCK, .l_start = 10 * lock, .l_len = 10};

	return fcntl(lab.files[0], waits ? F_SETLKW : F_SETLK, &range) == 0;
}

static void range_give(int lock)
{
	struct flock range = {.l_type = F_UNLCK, .l_start = 10 * lock, .l_len = 10};

	lab_check(fcntl(lab.files[0], F_SETLK, &range), "fcntl");
}

static const struct kind sems = {sems_make, NULL, sem_take, sem_give};
static const struct kind files = {files_make, files_open, file_take, file_give};
static const struct kind ranges = {files_make, files_open, range_take, range_give};

static void take(const struct kind *kind, int lock)
{
	lab_expect(kind->take(lock, true), "taken");
}

/* The other process's turn comes when the pipe says so. */
static void turn_await(int gate[2])
{
	char byte;

	lab_expect(read(gate[0], &byte, 1) == 1, "my turn");
}

static void turn_give(int gate[2])
{
	lab_expect(write(gate[1], "x", 1) == 1, "your turn");
}

static void both(const struct kind *kind, int first, int second, bool outer)
{
	if (outer)
		take(kind, OUTER);
	take(kind, first);
	take(kind, second);
	kind->give(second);
	kind->give(first);
	if (outer)
		kind->give(OUTER);
}

static void clean(const struct kind *kind)
{
	if (kind == &sems)
		lab_check(semctl(lab.set, 0, IPC_RMID), "semctl");
	for (int i = 0; i < LOCKS && kind != &sems; i++)
		lab_check(unlink(lab.names[i]), "unlink");
}

/* The parent's order is 0, 1; the child's comes while the parent lives. */
static void orders(const struct kind *kind, bool crossed, bool outer)
{
	int gate[2];
	pid_t child;

	pipe_make(gate);
	kind->make();
	party(getpid());
	child = lab_fork();
	if (!child) {
		party(getpid());
		if (kind->open)
			kind->open();
		turn_await(gate);
		both(kind, crossed, !crossed, outer);
		exit(EXIT_SUCCESS);
	}
	if (kind->open)
		kind->open();
	both(kind, 0, 1, outer);
	turn_give(gate);
	lab_reap_well(child);
	clean(kind);
}

static void crossed_sems(void)
{
	orders(&sems, true, false);
}

static void crossed_undone(void)
{
	lab.undo = SEM_UNDO;
	orders(&sems, true, false);
}

static void crossed_files(void)
{
	orders(&files, true, false);
}

static void crossed_ranges(void)
{
	orders(&ranges, true, false);
}

static void same_sems(void)
{
	orders(&sems, false, false);
}

static void same_files(void)
{
	orders(&files, false, false);
}

static void outer_sems(void)
{
	orders(&sems, true, true);
}

static void outer_ranges(void)
{
	orders(&ranges, true, true);
}

/* One ended before the other began: they never meet. */
static void one_after_the_other(void)
{
	pid_t child;

	sems_make();
	for (int i = 0; i < 2; i++) {
		child = lab_fork();
		if (!child) {
			both(&sems, i, !i, false);
			exit(EXIT_SUCCESS);
		}
		lab_reap_well(child);
	}
	clean(&sems);
}

static void at_once(void)
{
	struct sembuf down[] = {{0, -1, 0}, {1, -1, 0}}, up[] = {{1, 1, 0}, {0, 1, 0}};
	int gate[2];
	pid_t child;

	pipe_make(gate);
	sems_make();
	child = lab_fork();
	if (!child) {
		turn_await(gate);
		both(&sems, 1, 0, false);
		exit(EXIT_SUCCESS);
	}
	lab_check(semop(lab.set, down, 2), "semop");
	lab_check(semop(lab.set, up, 2), "semop");
	turn_give(gate);
	lab_reap_well(child);
	clean(&sems);
}

/* Whoever does not get the second lock gives back the first. */
static void tries(void)
{
	int gate[2];
	pid_t child;

	pipe_make(gate);
	files_make();
	child = lab_fork();
	if (!child) {
		files_open();
		turn_await(gate);
		take(&files, 1);
		lab_expect(file_take(0, false), "free");
		file_give(0);
		file_give(1);
		exit(EXIT_SUCCESS);
	}
	files_open();
	both(&files, 0, 1, false);
	turn_give(gate);
	lab_reap_well(child);
	clean(&files);
}

/* Producer and consumer: 0 counts what is free, 1 what is full, 2 is the lock. */
static void producer(void)
{
	enum { JOBS = 20 };
	pid_t child;

	sems_make();
	lab_check(semctl(lab.set, 1, SETVAL, 0), "semctl");
	child = lab_fork();
	for (int i = 0; i < JOBS; i++) {
		take(&sems, child ? 0 : 1);
		take(&sems, 2);
		sem_give(2);
		sem_give(child ? 1 : 0);
	}
	if (!child)
		exit(EXIT_SUCCESS);
	lab_reap_well(child);
	clean(&sems);
}

/* Shared memory tells when to begin, and how far it is: no call does. */
static void step_await(int step)
{
	while (lab.mutexes->step < step)
		sched_yield();
}

static pid_t child_start(int first, int second, int step)
{
	pid_t child = lab_fork();

	if (child)
		return child;
	party(getpid());
	step_await(step);
	pthread_mutex_lock(&lab.mutexes->locks[first]);
	lab.mutexes->step = step + 1;
	pthread_mutex_lock(&lab.mutexes->locks[second]);
	pthread_mutex_unlock(&lab.mutexes->locks[second]);
	pthread_mutex_unlock(&lab.mutexes->locks[first]);
	lab.mutexes->step = step + 2;
	hang_in_pause();
}

/* The child has to wait for either lock, so that both are seen. */
static void child_waits(pid_t child, int first, int second, int step)
{
	pthread_mutex_lock(&lab.mutexes->locks[first]);
	pthread_mutex_lock(&lab.mutexes->locks[second]);
	lab.mutexes->step = step;
	lab_wait_blocked(child, SYS_futex);
	pthread_mutex_unlock(&lab.mutexes->locks[first]);
	step_await(step + 1);
	lab_wait_blocked(child, SYS_futex);
	pthread_mutex_unlock(&lab.mutexes->locks[second]);
	step_await(step + 2);
}

/* The children live on, until both have had their turn. */
static void crossed_mutexes(void)
{
	pthread_mutexattr_t how;
	pid_t children[2];

	lab.mutexes = mmap(NULL, sizeof(*lab.mutexes), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	channel_memory("futex", lab.mutexes);
	pthread_mutexattr_init(&how);
	pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&lab.mutexes->locks[i], &how);
	children[0] = child_start(0, 1, 1);
	children[1] = child_start(1, 0, 4);
	child_waits(children[0], 0, 1, 1);
	child_waits(children[1], 1, 0, 4);
	for (int i = 0; i < 2; i++) {
		lab_check(kill(children[i], SIGTERM), "kill");
		lab_reap(children[i]);
	}
}

static const struct mistake mistakes[] = {
	{"crossed-sems", crossed_sems},
	{"crossed-undone", crossed_undone},
	{"crossed-files", crossed_files},
	{"crossed-ranges", crossed_ranges},
	{"crossed-mutexes", crossed_mutexes},
	{"same-sems", same_sems},
	{"same-files", same_files},
	{"outer-sems", outer_sems},
	{"outer-ranges", outer_ranges},
	{"one-after-the-other", one_after_the_other},
	{"at-once", at_once},
	{"tries", tries},
	{"producer", producer},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "ORDER: takes locks so, and ends", mistakes,
			    MISTAKES(mistakes));
}
