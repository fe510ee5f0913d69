// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/futex_owner.h"

#include <dirent.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/procfs.h"

#define LOCKED_WITH_WAITERS 2 /* glibc, lowlevellock.h: what a locker sleeps on */

/* True if the thread lives, and is number `number` in the pid namespace of its process. */
static bool has_number(uint32_t pid, uint32_t tid, uint32_t number)
{
	char path[64], line[256];
	bool lives = false, same = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/status", pid, tid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		const char *last = strrchr(line, '\t');

		if (strncmp(line, "State:", 6) == 0)
			lives = last && last[1] != 'Z' && last[1] != 'X';
		if (strncmp(line, "NSpid:", 6) == 0)
			same = last && strtoul(last, NULL, 10) == number;
	}
	if (file)
		fclose(file);
	return lives && same;
}

/* Returns the living thread of the process that has this number in its namespace; 0: none. */
static uint32_t thread_find(uint32_t pid, uint32_t number)
{
	char path[64];
	struct dirent *entry;
	uint32_t found = 0;
	DIR *threads;

	if (!number || has_number(pid, number, number))
		return number;
	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	threads = opendir(path);
	while (threads && !found && (entry = readdir(threads))) {
		const uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (tid && has_number(pid, tid, number))
			found = tid;
	}
	if (threads)
		closedir(threads);
	return found;
}

/*
 * True if this can only be a mutex that somebody holds, and for which the call sleeps. An unheld
 * one has no users; a condition variable or a semaphore has other values there, and its sleepers
 * call with others.
 */
static bool is_held(const struct wire_thread *thread, const struct wire_futex_words *mutex)
{
	const bool normal = thread->futex_value == LOCKED_WITH_WAITERS;
	const bool robust = (mutex->kind & WIRE_MUTEX_ROBUST) &&
			    (thread->futex_value & FUTEX_WAITERS) &&
			    (thread->futex_value & FUTEX_TID_MASK) == mutex->owner;

	return mutex->word == thread->futex_value && (normal || robust) && mutex->owner &&
	       mutex->users && !(mutex->kind & ~(uint32_t)WIRE_MUTEX_BITS);
}

/* A mutex that inherits priority: the kernel itself keeps its owner in its word (futex(2)). */
static uint32_t owner_of_inheriting(const struct wire_thread *thread)
{
	uint32_t word = 0;

	if (!proc_memory((pid_t)thread->head.pid, thread->futex, &word, sizeof(word)) ||
	    !(word & FUTEX_WAITERS))
		return 0;
	return thread_find(thread->head.pid, word & FUTEX_TID_MASK);
}

static uint32_t owner_of_mutex(const struct wire_thread *thread)
{
	struct wire_futex_words mutex;

	if (!proc_memory((pid_t)thread->head.pid, thread->futex, &mutex, sizeof(mutex)) ||
	    !is_held(thread, &mutex))
		return 0;
	return thread_find(thread->head.pid, mutex.owner);
}

/*
 * pthread_join(3) sleeps until the kernel clears the other thread's tid, with a wake-up that knows
 * no private futexes (set_tid_address(2)).
 */
static uint32_t joined(const struct wire_thread *thread)
{
	uint32_t word = 0;

	if (!proc_memory((pid_t)thread->head.pid, thread->futex, &word, sizeof(word)) ||
	    word != thread->futex_value)
		return 0;
	return thread_find(thread->head.pid, word);
}

void futex_owner_find(const struct wire_thread *thread, struct futex_wait *wait)
{
	const bool private = thread->futex_operation & FUTEX_PRIVATE_FLAG;

	switch (thread->futex_operation & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		wait->owner = private ? owner_of_inheriting(thread) : 0;
		break;
	case FUTEX_WAIT: /* robust mutexes have no private futex either */
		wait->owner = owner_of_mutex(thread);
		wait->joins = private || wait->owner ? 0 : joined(thread);
		break;
	case FUTEX_WAIT_BITSET:
		wait->joins = private ? 0 : joined(thread);
		break;
	}
	if (wait->owner)
		wait->lock = thread->futex;
}
