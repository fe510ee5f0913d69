// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Senders that slept on a full channel: when that is told, and when it is the reader's fault. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

#define MS UINT64_C(1000000)

/* 10 writes into the pipe from 10 ms on, asleep for so long, until a read of 20 makes room. */
static void write_asleep(struct trace_text *t, uint64_t slept_ns)
{
	char more[160];

	snprintf(more, sizeof(more),
		 ",'off_cpu_ns':%llu,'woken_by':{'pid':20,'tid':20,'operation':2,'at_ns':%llu}",
		 (unsigned long long)slept_ns, (unsigned long long)(10 * MS + slept_ns));
	trace_put(t, 1, 10, 10 * MS, 10 * MS + slept_ns + 1, 70000, more);
	trace_get(t, 2, 20, 10 * MS + slept_ns - 1, 10 * MS + slept_ns + 2, 70000, "");
}

/* 20 is in another call meanwhile, asleep for so long. */
static void reader_in(struct trace_text *t, const char *syscall, const char *role,
		      uint64_t slept_ns, const char *waits)
{
	char more[200];

	snprintf(more, sizeof(more), ",'off_cpu_ns':%llu%s", (unsigned long long)slept_ns, waits);
	trace_call(t, (struct call){3, syscall, role, 20, 0, 9, NULL, 11 * MS, 11 * MS + slept_ns,
				    0, more});
}

/* What is said of the pipe: "warning" and the like, "" if nothing is. */
static const char *told(struct trace_text *t, unsigned operations, uint64_t end_ns)
{
	trace_ends(t, end_ns, "finished", operations);
	return trace_severity(t, "full-channel", NULL);
}

static void reader_sleeps(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 1100 * MS);
	reader_in(t, "clock_nanosleep", "wait", 1000 * MS, "");
	assert_string_equal(told(t, 4, 1500 * MS), "warning");
}

static void reader_sleeps_less(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 900 * MS);
	reader_in(t, "clock_nanosleep", "wait", 800 * MS, "");
	assert_string_equal(told(t, 4, 1500 * MS), "note");
}

static void hardly_a_sleep(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 90 * MS);
	reader_in(t, "clock_nanosleep", "wait", 80 * MS, "");
	assert_string_equal(told(t, 4, 120 * MS), "");
}

/* Most of its life it did not sleep there. */
static void part_of_a_life(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 900 * MS);
	reader_in(t, "clock_nanosleep", "wait", 800 * MS, "");
	assert_string_equal(told(t, 4, 2000 * MS), "");
}

static void reader_works(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 1100 * MS);
	assert_string_equal(told(t, 3, 1500 * MS), "note");
}

/* A relay that waits for its own reader, in a write or in poll(2), is not to blame. */
static void reader_passes_on(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 1100 * MS);
	reader_in(t, "write", "send", 1000 * MS, "");
	assert_string_equal(told(t, 4, 1500 * MS), "note");
}

static void reader_polls_for_room(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 1100 * MS);
	reader_in(t, "poll", "wait", 1000 * MS, ",'waits_for':[{'fd':9,'events':['out']}]");
	assert_string_equal(told(t, 4, 1500 * MS), "note");
}

static void reader_polls_for_more(void **state)
{
	struct trace_text *t = *state;

	write_asleep(t, 1100 * MS);
	reader_in(t, "poll", "wait", 1000 * MS, ",'waits_for':[{'fd':9,'events':['in']}]");
	assert_string_equal(told(t, 4, 1500 * MS), "warning");
}

/* 20 waits for its child 40, which sleeps for so long, or (`nested`) waits so for its own child. */
static void reader_waits_for_child(struct trace_text *t, uint64_t slept_ns, bool nested)
{
	const uint32_t worker = nested ? 41 : 40;
	char more[80];

	write_asleep(t, 1100 * MS);
	trace_fork(t, 20, 40, "child", 10 * MS);
	if (nested)
		trace_fork(t, 40, 41, "worker", 10 * MS);
	snprintf(more, sizeof(more), ",'off_cpu_ns':%llu", (unsigned long long)slept_ns);
	trace_call(t, (struct call){4, "clock_nanosleep", "wait", worker, 0, -1, NULL, 12 * MS,
				    12 * MS + slept_ns, 0, more});
	if (nested)
		trace_call(t, (struct call){5, "wait4", "wait", 40, 0, -1, NULL, 11 * MS, 1000 * MS,
					    41, ",'child':41,'off_cpu_ns':988000000"});
	trace_call(t, (struct call){3, "wait4", "wait", 20, 0, -1, NULL, 11 * MS, 1011 * MS, 40,
				    ",'child':40,'off_cpu_ns':1000000000"});
}

static void child_works(void **state)
{
	reader_waits_for_child(*state, 100 * MS, false);
	assert_string_equal(told(*state, 5, 1500 * MS), "note");
}

static void child_sleeps(void **state)
{
	reader_waits_for_child(*state, 900 * MS, false);
	assert_string_equal(told(*state, 5, 1500 * MS), "warning");
}

static void child_of_child_works(void **state)
{
	reader_waits_for_child(*state, 100 * MS, true);
	assert_string_equal(told(*state, 6, 1500 * MS), "note");
}

static void child_of_child_sleeps(void **state)
{
	reader_waits_for_child(*state, 900 * MS, true);
	assert_string_equal(told(*state, 6, 1500 * MS), "warning");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reader_sleeps, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reader_sleeps_less, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(hardly_a_sleep, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(part_of_a_life, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reader_works, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reader_passes_on, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(reader_polls_for_room, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(reader_polls_for_more, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(child_works, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(child_sleeps, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(child_of_child_works, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(child_of_child_sleeps, trace_pipe_set_up,
						trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
