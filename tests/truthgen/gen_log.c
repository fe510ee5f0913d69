// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Random numbers, and what each actor remembers. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

#define RECORDS_MAX (4u << 20) /* address space only; pages come as they are written */

/* splitmix64, public domain: https://prng.di.unimi.it/splitmix64.c */
uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t random_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(random_next(state) >> 33) % limit;
}

bool random_one_in(uint64_t *state, uint32_t n)
{
	return random_below(state, n) == 0;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void actor_pin(const struct actor *actor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(actor->number % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	gen_check(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

void actor_begin(struct actor *actor, uint32_t number, uint64_t seed, uint32_t pace_us)
{
	void *memory = mmap(NULL, RECORDS_MAX * sizeof(struct record), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		gen_die("mmap");
	*actor = (struct actor){.number = number,
				.random = seed + number,
				.records = memory,
				.count = 1,
				.pace_us = pace_us};
	actor->records[0] = (struct record){.kind = RECORD_ACTOR,
					    .flow = number,
					    .a = (uint64_t)getpid(),
					    .b = (uint64_t)gettid()};
}

/* One write(2) with O_APPEND, so that actors who end at the same time do not mix. */
void actor_end(struct actor *actor, const char *log)
{
	size_t len = actor->count * sizeof(struct record);
	char path[4096];
	int fd;

	actor->records[0].c = actor->count - 1;
	snprintf(path, sizeof(path), "%s/calls", log);
	fd = (int)gen_check(open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644), path);
	if (write(fd, actor->records, len) != (ssize_t)len)
		gen_die(path);
	close(fd);
	munmap(actor->records, RECORDS_MAX * sizeof(struct record));
}

bool actor_waits(const struct actor *actor)
{
	return actor->until && access(actor->until, F_OK) != 0;
}

void actor_pause(struct actor *actor)
{
	uint32_t dice = random_below(&actor->random, 16);
	uint64_t until;

	if (actor->pace_us)
		usleep(random_below(&actor->random, actor->pace_us));
	if (dice == 0) {
		sched_yield();
	} else if (dice < 4) {
		until = now_ns() + random_below(&actor->random, 20000);
		while (now_ns() < until)
			;
	}
}

static struct record *record_add(struct actor *actor)
{
	if (actor->count == RECORDS_MAX)
		gen_die("too many calls to remember");
	return &actor->records[actor->count++];
}

struct record *record_call(struct actor *actor, enum record_kind kind, uint32_t flow,
			   uint64_t before_ns, ssize_t result, uint32_t messages)
{
	struct record *record = record_add(actor);

	*record = (struct record){
		.kind = kind,
		.flow = flow,
		.a = before_ns,
		.b = now_ns(),
		.c = (uint64_t)result,
		.d = actor->sent,
		.e = messages,
	};
	if (kind == RECORD_SEND)
		actor->sent += messages;
	actor->calls++;
	return record;
}

void record_part(struct actor *actor, const struct record *part)
{
	struct record *record = record_add(actor);

	*record = *part;
	record->kind = RECORD_PART;
}
