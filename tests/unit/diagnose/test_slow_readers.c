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
	const struct viz_pairing *pairing;
	struct diagnosis *d;

	trace_line(t,
		   "{'type':'trailer','at_ns':%llu,'why':'finished','operations':%u,'signals':0,"
		   "'lost':0}",
		   (unsigned long long)end_ns, operations);
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	*t->shown = '\0';
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = d->findings[i];

		if (strcmp(f->row->name, "full-channel") != 0)
			continue;
		assert_null(strchr(f->text, '{'));
		snprintf(t->shown, sizeof(t->shown), "%s", severity_word(f->severity, LANGUAGE_EN));
	}
	diagnosis_free(d);
	return t->shown;
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
