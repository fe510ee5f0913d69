// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is kept of threads: as much as they need, and nothing of those that have ended unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/encode/thread_calls.c" /* user/ is no library: its tested parts need no libbpf */

#define THREADS 100000

static int setup(void **state)
{
	*state = calls_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	calls_free(*state);
	return 0;
}

static void one_call(struct calls *calls, uint32_t tid)
{
	const struct wire_chunk chunk = {.head = {.tid = tid}};
	struct call *call = calls_of_thread(calls, tid);

	assert_non_null(call);
	assert_int_equal(call_chunk(call, &chunk), 0);
	call_end(call);
}

static void ended_unseen(void **state)
{
	struct calls *calls = *state;

	for (uint32_t tid = 1; tid <= THREADS; tid++)
		one_call(calls, tid);
	assert_true(calls->count < THREADS / 10);
}

static void asleep_meanwhile(void **state)
{
	struct calls *calls = *state;

	assert_int_equal(call_wait(calls_of_thread(calls, 7), 700, "begin", 6), 0);
	calls_of_thread(calls, 8)->interrupted = 800;
	calls_of_thread(calls, 9)->depth = 1;
	for (uint32_t tid = 10; tid <= THREADS; tid++)
		one_call(calls, tid);
	assert_int_equal(calls_of_thread(calls, 7)->waiting_id, 700);
	assert_int_equal(calls_of_thread(calls, 8)->interrupted, 800);
	assert_int_equal(calls_of_thread(calls, 9)->depth, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ended_unseen, setup, teardown),
		cmocka_unit_test_setup_teardown(asleep_meanwhile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
