// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is asked of each wait takes a time that grows as the trace does, not as its square. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "viz/diagnose/find/reader_sleeps.h"
#include "viz/diagnose/graph/wait_graph.h"

enum { FEW = 5000, MANY = 4 * FEW, RATIO_MOST = 8, TRIES = 5, MEASUREMENTS = 6 };

/* One process with one thread, and calls of it. */
struct bench {
	struct arena *arena;
	struct viz_model model;
	struct viz_process process, *processes;
	struct viz_thread thread, *threads;
	struct viz_channel channels[2];
	struct viz_operation *calls;
	struct viz_operation_extra *extras;
	struct viz_sem *sems;
	size_t count;
};

static struct bench *bench_new(size_t count)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->arena = arena_new();
	b->count = count;
	b->processes = &b->process;
	b->threads = &b->thread;
	b->process.threads = &b->threads;
	b->process.thread_count = 1;
	b->thread.process = &b->process;
	b->channels[1].index = 1;
	b->calls = arena_array(b->arena, count, sizeof(*b->calls));
	b->extras = arena_array(b->arena, count, sizeof(*b->extras));
	b->sems = arena_array(b->arena, count, sizeof(*b->sems));
	b->model.processes = &b->processes;
	b->model.process_count = 1;
	b->model.operations = arena_array(b->arena, count, sizeof(*b->model.operations));
	b->model.operation_count = count;
	for (size_t i = 0; i < count; i++) {
		b->sems[i].number = i;
		b->extras[i] = (struct viz_operation_extra){.sems = &b->sems[i], .sems_count = 1};
		b->calls[i] = (struct viz_operation){.index = i,
						     .role = ROLE_WAIT,
						     .process = &b->process,
						     .thread = &b->thread,
						     .channel = &b->channels[i % 2],
						     .enter_ns = 10 * i,
						     .exit_ns = 10 * i + 9,
						     .off_cpu_ns = i % 7 + 1,
						     .extra = &b->extras[i]};
		b->model.operations[i] = &b->calls[i];
	}
	return b;
}

static void bench_free(struct bench *b)
{
	arena_free(b->arena);
	free(b);
}

/* Asks of each call for what was last done to its semaphore: nobody posted it. */
static void ask_semaphores(struct bench *b)
{
	struct wait_graph graph = {.model = &b->model, .arena = b->arena};

	for (size_t i = 0; i < b->count; i++) {
		assert_null(wait_last_call(&graph, &b->calls[i], ROLE_WAKE, NULL));
		assert_ptr_equal(wait_last_call(&graph, &b->calls[i], ROLE_WAIT, &b->process),
				 &b->calls[i]);
		assert_true(wait_called_once(&graph, &b->calls[i], ROLE_WAIT));
	}
}

/* Asks as often what the reader slept, from there to the end, in calls on another channel. */
static void ask_sleeps(struct bench *b)
{
	struct reader_sleeps sleeps = {.arena = b->arena};

	reader_sleeps_want(&sleeps, &b->thread);
	reader_sleeps_find(&sleeps, &b->model, &(struct viz_pairing){0});
	for (size_t i = 0; i + 100 < b->count; i++) {
		const struct other_sleep slept = reader_slept(&sleeps, &b->thread, &b->channels[0],
							      10 * i + 1, 10 * b->count);

		assert_non_null(slept.longest);
		assert_ptr_equal(slept.longest->channel, &b->channels[1]);
		assert_int_equal(slept.longest->off_cpu_ns, 7);
	}
}

/* The shortest of several runs, in seconds of the processor's time. */
static double time_of(void (*ask)(struct bench *b), size_t count)
{
	double least = 0;

	for (int i = 0; i < TRIES; i++) {
		struct bench *b = bench_new(count);
		struct timespec from, to;
		double taken;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
		ask(b);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
		taken = (double)(to.tv_sec - from.tv_sec) +
			(double)(to.tv_nsec - from.tv_nsec) / 1e9;
		if (!i || taken < least)
			least = taken;
		bench_free(b);
	}
	return least;
}

/* A busy machine may spoil one measurement, or two; what grows with the square spoils each. */
static void check_growth(void (*ask)(struct bench *b))
{
	double few = 0, many = 1;

	for (int i = 0; i < MEASUREMENTS && many > RATIO_MOST * few; i++) {
		few = time_of(ask, FEW);
		many = time_of(ask, MANY);
	}
	if (many > RATIO_MOST * few)
		fail_msg("%d: %f s, %d: %f s", FEW, few, MANY, many);
}

static void last_calls_at_semaphores(void **state)
{
	(void)state;
	check_growth(ask_semaphores);
}

static void sleeps_of_readers(void **state)
{
	(void)state;
	check_growth(ask_sleeps);
}

/* What the quick way says is what a walk through all calls says. */
static void sleeps_are_right(void **state)
{
	struct bench *b = bench_new(200);
	struct reader_sleeps sleeps = {.arena = b->arena};

	(void)state;
	reader_sleeps_want(&sleeps, &b->thread);
	reader_sleeps_find(&sleeps, &b->model, &(struct viz_pairing){0});
	for (uint64_t since = 0; since < 10 * b->count; since += 37)
		for (uint64_t until = since; until < 10 * b->count; until += 53) {
			struct other_sleep slept = reader_slept(&sleeps, &b->thread,
								&b->channels[1], since, until),
					   walked = {0};

			for (size_t i = 0; i < b->count; i++) {
				const struct viz_operation *op = &b->calls[i];

				if (op->enter_ns >= until || op->exit_ns <= since ||
				    op->channel == &b->channels[1])
					continue;
				walked.slept_ns += op->off_cpu_ns;
				if (!walked.longest || op->off_cpu_ns > walked.longest->off_cpu_ns)
					walked.longest = op;
			}
			assert_int_equal(slept.slept_ns, walked.slept_ns);
			assert_ptr_equal(slept.longest, walked.longest);
		}
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_calls_at_semaphores),
		cmocka_unit_test(sleeps_of_readers),
		cmocka_unit_test(sleeps_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
