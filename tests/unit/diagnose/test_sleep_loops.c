// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A shell that pauses in each round of a loop when the time limit comes. */
#include "tests/unit/trace_text.h"

#include "viz/diagnose/diagnose.h"

#define ROUND_NS UINT64_C(200000000)
#define LIMIT_NS (10 * ROUND_NS)

static void executes(struct trace_text *t, uint32_t pid, const char *path, const char *args,
		     uint64_t at_ns)
{
	trace_line(t,
		   "{'type':'process','event':'exec','at_ns':%llu,'pid':%u,'tid':%u,'ppid':1,"
		   "'comm':'sh','path':'%s','args':[%s]}",
		   (unsigned long long)at_ns, pid, pid, path, args);
}

/* Of nine rounds each sleep has ended when the next one begins. */
static void pauses(struct trace_text *t)
{
	trace_command(t, "sh");
	executes(t, 10, "/bin/sh", "'sh','-c','until [ -e f ]; do sleep 0.2; done'", 2);
	for (uint32_t round = 1; round < 10; round++) {
		const uint64_t at_ns = round * ROUND_NS;

		trace_fork(t, 10, 10 + round, "sh", at_ns);
		executes(t, 10 + round, "/bin/sleep", "'sleep','0.2'", at_ns + 1);
		trace_exit(t, 10 + round, "'exit_code':0", at_ns + ROUND_NS - 1);
	}
}

/* How many findings there are; all are warnings of that loop. */
static size_t warnings(struct trace_text *t)
{
	const struct viz_pairing *pairing;
	struct diagnosis *d;
	size_t count;

	trace_ends(t, LIMIT_NS, "timeout", 0);
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	count = d->count;
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(d->findings[i]->row->name, "busy-wait");
		assert_int_equal(d->findings[i]->severity, SEVERITY_WARNING);
		assert_non_null(strstr(d->findings[i]->text, "] called sleep 0.2 9 times"));
	}
	diagnosis_free(d);
	return count;
}

static void between_two_sleeps(void **state)
{
	pauses(*state);
	assert_int_equal(warnings(*state), 1);
}

/* The limit comes after the fork of the next sleep, and before its exec. */
static void before_exec(void **state)
{
	pauses(*state);
	trace_fork(*state, 10, 30, "sh", LIMIT_NS - 1);
	assert_int_equal(warnings(*state), 1);
}

/* Another command runs at the limit: the loop is over. */
static void after_loop(void **state)
{
	pauses(*state);
	trace_fork(*state, 10, 30, "sh", LIMIT_NS - 2);
	executes(*state, 30, "/bin/date", "'date'", LIMIT_NS - 1);
	assert_int_equal(warnings(*state), 0);
}

static int set_up(void **state)
{
	*state = trace_new();
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, trace_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(between_two_sleeps),
		TEST(before_exec),
		TEST(after_loop),
	};

	return cmocka_run_group_tests_name("loops that pause", tests, NULL, NULL);
}
