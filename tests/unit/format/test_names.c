// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tables' names, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "viz/format/fields.h"

static void mechanisms(void **state)
{
	(void)state;
	for (enum mechanism m = MECH_NONE + 1; m < MECH_COUNT; m++)
		assert_int_equal(mechanism_by_name(mechanism_info(m)->name), m);
	assert_string_equal(mechanism_info(MECH_UNIX_STREAM)->name, "unix-stream");
	assert_int_equal(mechanism_info(MECH_POSIX_MQ)->policy, POLICY_QUEUE);
	assert_string_equal(mechanism_info(MECH_COUNT)->name, "unknown");
	assert_string_equal(mechanism_info((enum mechanism) - 1)->name, "unknown");
	assert_int_equal(mechanism_by_name("unknown"), MECH_NONE);
	assert_int_equal(mechanism_by_name(""), MECH_NONE);
}

/* Every word of every list goes to its number and back. */
static void words(void **state)
{
	(void)state;
	for (enum field_kind kind = KIND_MECH; kind < KIND_COUNT; kind++) {
		const struct word_list *list = word_list(kind);

		assert_true(list->count > 1);
		for (int i = 1; i < list->count; i++)
			assert_int_equal(word_by_name(kind, list->words[i].name), i);
		assert_int_equal(word_by_name(kind, "unknown"), 0);
	}
	assert_int_equal(word_list(KIND_UINT)->count, 0);
}

static void some_words(void **state)
{
	(void)state;
	assert_string_equal(process_event_name(PROCESS_EVENT_SNAPSHOT), "snapshot");
	assert_string_equal(end_reason_name(END_REASON_OUTPUT_ERROR), "output-error");
	assert_string_equal(operation_state_name(STATE_NONE), "unknown");
	assert_string_equal(fate_name(FATE_COUNT), "unknown");
	assert_int_equal(access_by_name("both"), ACCESS_READ | ACCESS_WRITE);
	assert_int_equal(origin_by_name("child"), ORIGIN_CHILD);
	assert_int_equal(role_by_name("receive"), ROLE_RECEIVE);
	assert_string_equal(role_name(ROLE_COUNT), "unknown");
}

static void records_and_fields(void **state)
{
	(void)state;
	for (enum record r = RECORD_NONE + 1; r < RECORD_COUNT; r++) {
		assert_int_equal(record_by_name(record_name(r)), r);
		assert_true(record_first_field(r) < record_end_field(r));
		assert_int_equal(field_info(record_first_field(r))->record, r);
	}
	assert_int_equal(record_end_field(RECORD_trailer), FIELD_COUNT);
	assert_int_equal(record_by_name("none"), RECORD_NONE);
	assert_string_equal(field_info(FIELD_operation_enter_ns)->key, "enter_ns");
	assert_int_equal(field_info(FIELD_signal_to)->kind, KIND_THREAD);
}

static void errors(void **state)
{
	(void)state;
	assert_string_equal(errno_name(EAGAIN), "EAGAIN");
	assert_string_equal(errno_name(EPIPE), "EPIPE");
	assert_string_equal(errno_name(EOPNOTSUPP), "EOPNOTSUPP");
	assert_string_equal(errno_name(512), "ERESTARTSYS");
	assert_string_equal(errno_name(516), "ERESTART_RESTARTBLOCK");
	assert_null(errno_name(0));
	assert_null(errno_name(-1));
	assert_null(errno_name(4095));
}

static void signals(void **state)
{
	char buf[16];

	(void)state;
	assert_string_equal(signal_name(SIGUSR1, buf), "SIGUSR1");
	assert_string_equal(signal_name(SIGIO, buf), "SIGIO");
	assert_string_equal(signal_name(32, buf), "SIG32");
	assert_string_equal(signal_name(34, buf), "SIGRTMIN");
	assert_string_equal(signal_name(36, buf), "SIGRTMIN+2");
	assert_string_equal(signal_name(64, buf), "SIGRTMIN+30");
	assert_string_equal(signal_name(65, buf), "SIG65");
	assert_string_equal(signal_name(-2147483647 - 1, buf), "SIG-2147483648");
	for (int i = 1; i <= 64; i++)
		assert_int_equal(signal_by_name(signal_name(i, buf)), i);
	assert_int_equal(signal_by_name("SIGPOLL"), SIGIO);
	assert_int_equal(signal_by_name("SIGFOO"), 0);
	assert_int_equal(signal_by_name(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(mechanisms),
		cmocka_unit_test(words),
		cmocka_unit_test(some_words),
		cmocka_unit_test(records_and_fields),
		cmocka_unit_test(errors),
		cmocka_unit_test(signals),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
