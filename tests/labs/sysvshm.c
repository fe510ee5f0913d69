// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * System V shared memory and semaphores: a producer and a consumer take turns over one segment, by
 * a set of two semaphores (free, full).
 */
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

enum { FREE, FULL, SEMAPHORES, ROUNDS = 3, SIZE = 8192 };

union sem_value { /* semctl(2): the caller has to define it */
	int number;
	unsigned short *all;
};

static void change(int set, unsigned short number, short by)
{
	struct sembuf operation = {.sem_num = number, .sem_op = by};
	int result = semop(set, &operation, 1);

	truth(.action = by > 0 ? "wake" : "wait", .mechanism = "sysv-sem", .result = result,
	      .value = by, .type = number + 1);
	lab_check(result, "semop");
}

static char *attach(int segment, int flags)
{
	char *memory = shmat(segment, NULL, flags);

	truth(.action = "open", .mechanism = "sysv-shm", .result = (intptr_t)memory);
	lab_expect((intptr_t)memory != -1, "shmat");
	return memory;
}

static void detach(const char *memory)
{
	int result = shmdt(memory);

	truth(.action = "close", .mechanism = "sysv-shm", .result = result,
	      .value = (intptr_t)memory);
	lab_check(result, "shmdt");
}

static void consume(int segment, int set)
{
	char *memory = attach(segment, SHM_RDONLY);

	for (int i = 0; i < ROUNDS; i++) {
		change(set, FULL, -1);
		lab_expect(memory[0] == 'a' + i, "the right letter came");
		change(set, FREE, 1);
	}
	detach(memory);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	key_t key = 0x1bd00000 + getpid();
	int segment, set;
	char *memory;
	pid_t child;

	lab_help(argc, argv, ": a segment and two semaphores between a producer and a consumer");
	segment = (int)lab_check(shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600), "shmget");
	set = (int)lab_check(semget(key, SEMAPHORES, IPC_CREAT | IPC_EXCL | 0600), "semget");
	lab_check(semctl(set, FREE, SETVAL, (union sem_value){.number = 1}), "SETVAL");
	lab_check(semctl(set, FULL, SETVAL, (union sem_value){.number = 0}), "SETVAL");
	printf("key 0x%08x shmid %d semid %d\n", (unsigned int)key, segment, set);
	child = lab_fork();
	if (!child)
		consume(segment, set);
	memory = attach(segment, 0);
	lab_wait_blocked(child, SYS_semtimedop);
	for (int i = 0; i < ROUNDS; i++) {
		change(set, FREE, -1);
		memory[0] = (char)('a' + i);
		change(set, FULL, 1);
	}
	lab_reap_well(child);
	detach(memory);
	lab_check(shmctl(segment, IPC_RMID, NULL), "shmctl IPC_RMID");
	lab_check(semctl(set, 0, IPC_RMID), "semctl IPC_RMID");
	return EXIT_SUCCESS;
}
