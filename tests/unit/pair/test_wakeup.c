// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who ended the sleep of a wait on a semaphore or futex; and copies between two memories. */
#include "tests/unit/trace_text.h"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "a");
	trace_process(t, 20, "b");
	trace_channel(t, "sysv-sem:[1]", "sysv-sem", "");
	trace_channel(t, "sysv-sem:[2]", "sysv-sem", "");
	*state = t;
	return 0;
}

#define POST(t, id, pid, channel, at)                                                              \
	trace_call(t, (struct call){id, "semop", "wake", pid, 0, 0, channel, at, (at) + 1, 0, ""})

#define WAIT(t, id, pid, channel, at, returned, more)                                              \
	trace_call(t, (struct call){id, "semop", "wait", pid, 0, 0, channel, at, (at) + 20,        \
				    returned, more})

#define WOKEN_BY_2 ",'off_cpu_ns':9,'woken_by':{'pid':20,'tid':20,'operation':2,'at_ns':16}"

static void sleeper_and_waker(void **state)
{
	struct trace_text *t = *state;

	WAIT(t, 1, 10, "sysv-sem:[1]", 10, 0, WOKEN_BY_2);
	POST(t, 2, 20, "sysv-sem:[1]", 15);
	assert_string_equal(trace_messages(t), "sysv-sem 20>10 0 s2+0 r1+0 exact\n");
}

static void nobody_slept(void **state)
{
	struct trace_text *t = *state;

	POST(t, 2, 20, "sysv-sem:[1]", 5);
	WAIT(t, 1, 10, "sysv-sem:[1]", 10, 0, "");
	assert_string_equal(trace_messages(t), "");
}

static void waker_is_not_in_the_trace(void **state)
{
	struct trace_text *t = *state;

	WAIT(t, 1, 10, "sysv-sem:[1]", 10, 0, WOKEN_BY_2);
	POST(t, 3, 20, "sysv-sem:[1]", 15);
	assert_string_equal(trace_messages(t), "");
}

static void woken_from_elsewhere(void **state)
{
	struct trace_text *t = *state;

	WAIT(t, 1, 10, "sysv-sem:[1]", 10, 0, WOKEN_BY_2);
	POST(t, 2, 20, "sysv-sem:[2]", 15);
	assert_string_equal(trace_messages(t), "");
}

static void wait_failed(void **state)
{
	struct trace_text *t = *state;

	WAIT(t, 1, 10, "sysv-sem:[1]", 10, -43, WOKEN_BY_2 ",'error':'EIDRM'");
	POST(t, 2, 20, "sysv-sem:[1]", 15);
	assert_string_equal(trace_messages(t), "");
}

static void copied(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "process-vm:[20]", "process-vm", "");
	trace_call(t, (struct call){1, "process_vm_readv", "receive", 10, 0, -1, "process-vm:[20]",
				    10, 12, 5, ",'peer_pid':20"});
	trace_call(t, (struct call){2, "process_vm_writev", "send", 10, 0, -1, "process-vm:[20]",
				    14, 16, 6, ",'peer_pid':20"});
	trace_call(t, (struct call){3, "process_vm_writev", "send", 10, 0, -1, "process-vm:[20]",
				    18, 19, -3, ",'peer_pid':20,'error':'ESRCH'"});
	assert_string_equal(trace_messages(t), "process-vm 20>10 5 - r1+0 exact\n"
					       "process-vm 10>20 6 s2+0 - exact\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sleeper_and_waker, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(nobody_slept, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(waker_is_not_in_the_trace, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(woken_from_elsewhere, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(wait_failed, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(copied, set_up, trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
