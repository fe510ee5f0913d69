// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is kept of threads: as much as they need, and nothing of those that have ended unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/encode/thread_calls.c" /* user/ is no library: its tested parts need no libbpf */

#define THREADS 100000
#define NO_THREAD 0x40000000U /* PID_MAX_LIMIT is 4 Mi */

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

/* Threads asleep whose end was lost: their tids are those of no thread. */
static void ended_asleep(void **state)
{
	struct calls *calls = *state;
	uint64_t now_ns = clock_now_ns();

	assert_int_equal(call_wait(calls_of_thread(calls, (uint32_t)getpid()), 700, "begin", 6), 0);
	for (uint32_t tid = 1; tid <= THREADS; tid++) {
		struct call *call = calls_of_thread(calls, NO_THREAD + tid);

		assert_int_equal(call_wait(call, tid, "begin", 6), 0);
		calls_note_time(calls, now_ns + tid * 10000000ULL); /* a hundred a second */
	}
	if (!calls->same_tids)
		skip();
	assert_true(calls->count < 4 * SWEEP_LEAST);
	assert_non_null(calls_of_thread(calls, (uint32_t)getpid())->waiting);
}

/* While their records may be on their way nothing of them is dropped. */
static void ended_just_now(void **state)
{
	struct calls *calls = *state;

	for (uint32_t tid = 1; tid <= 10000; tid++) {
		assert_int_equal(
			call_wait(calls_of_thread(calls, NO_THREAD + tid), tid, "begin", 6), 0);
		calls_note_time(calls, clock_now_ns());
	}
	assert_int_equal(calls->count, 10000);
}

static void nested_handlers(void **state)
{
	struct call *call = calls_of_thread(*state, 7);

	assert_null(call_leave_handler(call));
	call->interrupted = 700;
	for (int signal = 1; signal <= CALL_HANDLERS + 1; signal++)
		call_enter_handler(call, signal);
	assert_null(call_leave_handler(call)); /* too deep to be followed */
	for (int signal = CALL_HANDLERS; signal > 1; signal--)
		assert_int_equal(call_leave_handler(call)->signal, signal);
	assert_int_equal(call_leave_handler(call)->interrupted, 700);
	assert_null(call_leave_handler(call));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ended_asleep, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_just_now, setup, teardown),
		cmocka_unit_test_setup_teardown(nested_handlers, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_unseen, setup, teardown),
		cmocka_unit_test_setup_teardown(asleep_meanwhile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
