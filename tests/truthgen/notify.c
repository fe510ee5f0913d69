// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counters and signals: what carries no bytes of its own. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

#define WRITERS_MAX 3
#define WRITER_BITS 20 /* of the counter, for each writer: how often it wrote */
#define END_BIT (1ull << WRITERS_MAX * WRITER_BITS)
#define SEMAPHORE_MAX 3
#define SIGNALS 3 /* of different numbers */

static void write_value(struct actor *actor, int fd, uint32_t flow, uint64_t value)
{
	uint64_t before_ns = now_ns();

	gen_check(write(fd, &value, sizeof(value)), "write to an eventfd");
	record_call(actor, RECORD_SEND, flow, before_ns, (ssize_t)value, 1);
	actor_pause(actor);
}

/* part->kind: which writer this is. */
static void play_count_up(struct actor *actor, const struct part *part)
{
	for (uint32_t i = 0; i < part->count; i++)
		write_value(actor, part->out, part->flow_out, 1ull << part->kind * WRITER_BITS);
}

/*
 * part->end: the first of the writers, whose numbers follow each other; kind: how many. The stage
 * itself, whose number is the second before theirs, writes the end.
 */
static void play_count_down(struct actor *actor, const struct part *part)
{
	uint32_t taken[WRITERS_MAX] = {0};
	uint64_t value, before_ns;

	do {
		before_ns = now_ns();
		gen_check(read(part->in, &value, sizeof(value)), "read from an eventfd");
		record_call(actor, RECORD_RECEIVE, part->flow_in, before_ns, sizeof(value), 1);
		for (uint32_t i = 0; i < (uint32_t)part->kind; i++) {
			uint64_t count = value >> i * WRITER_BITS & ((1 << WRITER_BITS) - 1);

			for (; count; count--)
				record_part(actor,
					    &(struct record){.a = part->end + i, .b = taken[i]++});
		}
		if (value & END_BIT)
			record_part(actor, &(struct record){.a = part->end - 2});
		actor_pause(actor);
	} while (!(value & END_BIT));
}

void stage_eventfd_several(struct stage *stage)
{
	struct team writing = {.layout = random_layout(stage)}, reading = {0};
	uint32_t writers = 2 + random_below(&stage->random, WRITERS_MAX - 1);
	int fd = (int)gen_check(eventfd(0, 0), "eventfd");
	struct part part = {.in = fd, .out = fd, .count = stage_share(stage, writers)};

	part.flow_in = part.flow_out = stage_flow(stage, "eventfd", MANNER_PARTS, inode_of(fd),
						  writers, 1);
	part.end = stage->next_actor + 1;
	part.kind = (int)writers;
	part.play = play_count_down;
	team_add(&reading, &part);
	part.play = play_count_up;
	for (part.kind = 0; part.kind < (int)writers; part.kind++)
		team_add(&writing, &part);
	team_start(stage, &reading);
	team_start(stage, &writing);
	team_wait(&writing);
	write_value(&stage->self, fd, part.flow_out, END_BIT);
	team_wait(&reading);
}

static uint64_t semaphore_value(uint32_t i)
{
	return 1 + i % SEMAPHORE_MAX;
}

static void play_post(struct actor *actor, const struct part *part)
{
	for (uint32_t i = 0; i < part->count; i++)
		write_value(actor, part->out, part->flow_out, semaphore_value(i));
}

static void play_take(struct actor *actor, const struct part *part)
{
	uint64_t sum = 0, value;

	for (uint32_t i = 0; i < part->count; i++)
		sum += semaphore_value(i);
	for (; sum; sum--) {
		uint64_t before_ns = now_ns();

		gen_check(read(part->in, &value, sizeof(value)), "read from an eventfd");
		record_call(actor, RECORD_RECEIVE, part->flow_in, before_ns, 1, 1);
		actor_pause(actor);
	}
}

void stage_eventfd_semaphore(struct stage *stage)
{
	struct team writing = {0}, reading = {0};
	int fd = (int)gen_check(eventfd(0, EFD_SEMAPHORE), "eventfd");
	struct part part = {.in = fd, .out = fd, .count = stage_share(stage, SEMAPHORE_MAX)};

	part.flow_in = part.flow_out = stage_flow(stage, "eventfd", MANNER_BYTES, inode_of(fd), 1,
						  1);
	part.play = play_take;
	team_add(&reading, &part);
	part.play = play_post;
	team_add(&writing, &part);
	team_start(stage, &reading);
	team_start(stage, &writing);
	team_wait(&writing);
	team_wait(&reading);
}

/* --- signals --------------------------------------------------------------------------------- */

/* A handler is called with nothing of ours: what it needs is here. */
static struct handling {
	struct actor *actor;
	const struct part *part;
	volatile sig_atomic_t ended;
} handling;

/* A number as the pointer that sigqueue(3) takes. */
static union sigval value_of(uint32_t actor, uint32_t message)
{
	uintptr_t number = (uintptr_t)actor << 24 | message;
	union sigval value;

	memcpy(&value.sival_ptr, &number, sizeof(number));
	return value;
}

/* What a signal's value says. False where it was the end. */
static bool note_signal(struct actor *actor, const struct part *part, const siginfo_t *info)
{
	uintptr_t value = (uintptr_t)info->si_ptr;

	record_part(actor, &(struct record){.a = value >> 24, .b = value & 0xffffff});
	return value >> 24 != part->end;
}

static void handle(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	record_call(handling.actor, RECORD_HANDLED, handling.part->flow_in, now_ns(), 0, 1);
	if (!note_signal(handling.actor, handling.part, info))
		handling.ended = 1;
}

/* part->kind: the first of SIGNALS numbers. */
static void fill_set(const struct part *part, sigset_t *set)
{
	sigemptyset(set);
	for (int i = 0; i < SIGNALS; i++)
		sigaddset(set, part->kind + i);
}

static void play_handle(struct actor *actor, const struct part *part)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	sigset_t none;

	sigemptyset(&none);
	fill_set(part, &action.sa_mask);
	handling = (struct handling){.actor = actor, .part = part};
	for (int i = 0; i < SIGNALS; i++)
		gen_check(sigaction(part->kind + i, &action, NULL), "sigaction");
	while (!handling.ended) {
		sigsuspend(&none);
		actor_pause(actor);
	}
}

static void play_wait_signal(struct actor *actor, const struct part *part)
{
	uint64_t before_ns;
	siginfo_t info;
	sigset_t set;

	fill_set(part, &set);
	do {
		before_ns = now_ns();
		gen_check(sigwaitinfo(&set, &info), "sigwaitinfo");
		record_call(actor, RECORD_RECEIVE, part->flow_in, before_ns, 0, 1);
		actor_pause(actor);
	} while (note_signal(actor, part, &info));
}

static bool send_signal(struct actor *actor, const struct part *part, int number)
{
	union sigval value = value_of(actor->number, actor->sent);
	uint64_t before_ns = now_ns();

	if (sigqueue(part->out, number, value) == 0)
		record_call(actor, RECORD_SEND, part->flow_out, before_ns, 0, 1);
	else if (errno != EAGAIN)
		return false;
	else
		sched_yield();
	return true;
}

static void play_signal(struct actor *actor, const struct part *part)
{
	for (uint32_t i = 0; i < part->count; i++) {
		int number = part->kind + (int)random_below(&actor->random, SIGNALS);

		if (!send_signal(actor, part, number))
			gen_die("sigqueue");
		actor_pause(actor);
	}
}

/* Blocked from before the receiver is there until it listens, so none kills it. */
static void play_signals(struct stage *stage, int first,
			 void (*receive)(struct actor *, const struct part *))
{
	struct team sending = {.layout = random_layout(stage)}, receiving = {0};
	uint32_t senders = 1 + random_below(&stage->random, 3);
	struct part part = {.kind = first, .count = stage_share(stage, senders)};
	sigset_t set;

	fill_set(&part, &set);
	gen_check(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	part.flow_in = part.flow_out = stage_flow(stage, "signal", MANNER_PARTS, 0, senders, 1);
	part.end = stage->self.number;
	part.play = receive;
	team_add(&receiving, &part);
	team_start(stage, &receiving);
	part.out = receiving.pids[0];
	part.play = play_signal;
	for (uint32_t i = 0; i < senders; i++)
		team_add(&sending, &part);
	team_start(stage, &sending);
	team_wait(&sending);
	while (!team_ended(&receiving)) {
		send_signal(&stage->self, &part, first);
		usleep(2000);
	}
}

void stage_signal_queued(struct stage *stage)
{
	play_signals(stage, SIGRTMIN,
		     random_one_in(&stage->random, 2) ? play_handle : play_wait_signal);
}

/* SIGIO, SIGPROF and SIGSYS would do too: three neighbours below SIGRTMIN that nobody else uses. */
void stage_signal_standard(struct stage *stage)
{
	play_signals(stage, SIGXCPU, play_handle);
}
