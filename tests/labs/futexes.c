// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two threads that take turns by a futex in their own memory: no IPC, whether or not they say so
 * by FUTEX_PRIVATE_FLAG, and whatever other threads do to the mappings meanwhile. Or in memory that
 * processes could share: then each call is IPC, and all are counted.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

enum { ROUNDS = 2000, PAGE = 4096 };

static struct {
	int flag;
	unsigned *turn; /* a futex: 0 or 1 */
	long waits, wakes;
	bool over;
} state;

static unsigned own_turn;

static unsigned *shared_turn(void)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	lab_expect(memory != MAP_FAILED, "mmap");
	return memory;
}

static void turn_await(unsigned mine)
{
	while (__atomic_load_n(state.turn, __ATOMIC_ACQUIRE) != mine) {
		__atomic_fetch_add(&state.waits, 1, __ATOMIC_RELAXED);
		syscall(SYS_futex, state.turn, FUTEX_WAIT | state.flag, !mine, NULL, NULL, 0);
	}
}

static void turn_pass(unsigned mine)
{
	__atomic_store_n(state.turn, !mine, __ATOMIC_RELEASE);
	__atomic_fetch_add(&state.wakes, 1, __ATOMIC_RELAXED);
	syscall(SYS_futex, state.turn, FUTEX_WAKE | state.flag, 1, NULL, NULL, 0);
}

static void *play(void *argument)
{
	const unsigned mine = argument != NULL;

	for (int i = 0; i < ROUNDS; i++) {
		turn_await(mine);
		turn_pass(mine);
	}
	return NULL;
}

/* Holds the lock of the mappings, for most of the time. */
static void *map_again(void *argument)
{
	enum { LEN = 4096 * PAGE };
	char *memory = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	lab_expect(memory != MAP_FAILED, "mmap");
	while (!__atomic_load_n(&state.over, __ATOMIC_ACQUIRE)) {
		lab_check(mprotect(memory, LEN, PROT_READ), "mprotect");
		lab_check(mprotect(memory, LEN, PROT_READ | PROT_WRITE), "mprotect");
	}
	return argument;
}

static pthread_t begin(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	lab_expect(pthread_create(&thread, NULL, run, argument) == 0, "pthread_create");
	return thread;
}

int main(int argc, char **argv)
{
	const bool busy = argc > 2 && lab_is(argv[2], "busy");
	pthread_t other, mapper;

	lab_help(argc, argv, "private|plain|shared [busy]: takes turns by a futex");
	state.turn = lab_is(lab_word(argc, argv, 1, "plain"), "shared") ? shared_turn() : &own_turn;
	state.flag = lab_is(lab_word(argc, argv, 1, "plain"), "private") ? FUTEX_PRIVATE_FLAG : 0;
	other = begin(play, &state);
	if (busy)
		mapper = begin(map_again, NULL);
	play(NULL);
	pthread_join(other, NULL);
	__atomic_store_n(&state.over, true, __ATOMIC_RELEASE);
	if (busy)
		pthread_join(mapper, NULL);
	truth(.action = "wait", .mechanism = "futex", .value = state.waits);
	truth(.action = "wake", .mechanism = "futex", .value = state.wakes);
	return EXIT_SUCCESS;
}
