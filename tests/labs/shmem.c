// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Shared mappings of every origin: shm_open, memfd_create, anonymous before fork, a file; and the
 * ones that are no IPC. Two processes take turns by a POSIX semaphore, named or in the memory.
 */
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

enum { SIZE = 8192, ROUNDS = 3 };

static void *map(const char *what, int fd, int protection, int flags, size_t size)
{
	void *memory = mmap(NULL, size, protection, flags, fd, 0);

	truth(.action = "open", .mechanism = "shared-mmap", .channel = what,
	      .result = (intptr_t)memory, .bytes = size);
	lab_expect(memory != MAP_FAILED, "mmap");
	return memory;
}

static void unmap(const char *what, void *memory, size_t size)
{
	int result = munmap(memory, size);

	truth(.action = "close", .mechanism = "shared-mmap", .channel = what, .result = result,
	      .value = (intptr_t)memory);
	lab_check(result, "munmap");
}

static int sized(int fd)
{
	lab_check(fd, "memory file");
	lab_check(ftruncate(fd, SIZE), "ftruncate");
	return fd;
}

static int open_memory(const char *how, const char *name)
{
	if (lab_is(how, "memfd"))
		return sized(memfd_create(name, MFD_CLOEXEC));
	if (lab_is(how, "shm"))
		return sized(shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (lab_is(how, "file"))
		return sized(open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	if (lab_is(how, "anonymous"))
		return -1;
	lab_usage(how);
}

/* What only reads a file, or keeps its changes to itself, shares nothing. */
static void map_private(void)
{
	int fd = (int)lab_check(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "open");
	void *memory = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	lab_expect(memory != MAP_FAILED, "mmap of the program");
	lab_check(munmap(memory, SIZE), "munmap");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	lab_expect(memory != MAP_FAILED, "private mmap of the program");
	lab_check(munmap(memory, SIZE), "munmap");
	close(fd);
}

static void child(char *memory, sem_t *turn, int protection)
{
	(void)protection;
	for (int i = 0; i < ROUNDS; i++) {
		lab_check(sem_wait(turn), "sem_wait");
		lab_expect(memory[SIZE / 2] == 'a' + i, "the right letter came");
		__atomic_store_n(&memory[SIZE / 2 + 1], (char)(i + 1), __ATOMIC_RELEASE);
		truth(.action = "wait", .mechanism = "posix-sem");
	}
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	const char *how = lab_word(argc, argv, 1, "shm");
	const char *name = lab_word(argc, argv, 2, "/ipclens-lab");
	const char *sem_name = lab_word(argc, argv, 3, NULL);
	int fd, flags = MAP_SHARED | (lab_is(how, "anonymous") ? MAP_ANONYMOUS : 0);
	char *memory;
	sem_t *turn;
	pid_t other;

	lab_help(argc, argv,
		 "[shm|memfd|file|anonymous] [NAME] [SEMAPHORE]: a child reads what its parent "
		 "writes into shared memory, by turns of a semaphore, in the memory or named");
	fd = open_memory(how, name);
	memory = map(how, fd, PROT_READ | PROT_WRITE, flags, SIZE);
	map_private();
	turn = (sem_t *)memory;
	if (sem_name)
		turn = sem_open(sem_name, O_CREAT | O_EXCL, 0600, 0);
	else
		lab_check(sem_init(turn, 1, 0), "sem_init");
	lab_expect(turn != SEM_FAILED, "sem_open");
	other = lab_fork();
	if (!other)
		child(memory, turn, PROT_READ);
	for (int i = 0; i < ROUNDS; i++) {
		/* One that has been woken but not yet run looks as if it still slept. */
		while (__atomic_load_n(&memory[SIZE / 2 + 1], __ATOMIC_ACQUIRE) != (char)i)
			sched_yield();
		lab_wait_blocked(other, SYS_futex);
		memory[SIZE / 2] = (char)('a' + i);
		truth(.action = "wake", .mechanism = "posix-sem");
		lab_check(sem_post(turn), "sem_post");
	}
	lab_reap_well(other);
	unmap(how, memory, SIZE);
	if (fd >= 0)
		close(fd);
	if (lab_is(how, "shm"))
		shm_unlink(name);
	if (lab_is(how, "file"))
		unlink(name);
	if (sem_name)
		sem_unlink(sem_name);
	return EXIT_SUCCESS;
}
