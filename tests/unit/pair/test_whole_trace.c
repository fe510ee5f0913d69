// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A whole trace that takes several rounds. */
#include "tests/unit/trace_text.h"

/* With this many messages of a put and a get each, rounds are run before the trace ends. */
enum { MESSAGES = 60000, FIRST = 5000 };

#define MASTER "pty:[1:master]"
#define SLAVE "pty:[1]"

/* A pseudo-terminal is paired at the end of the trace; yet its message is the first one. */
static void the_first_is_paired_last(void **state)
{
	struct trace_text *t = *state;
	const struct viz_pairing *pairing;

	trace_channel(t, SLAVE, "pty", ",'end':'slave'");
	trace_channel(t, MASTER, "pty", ",'end':'master','peer':'" SLAVE "'");
	trace_channel(t, SLAVE, "pty", ",'end':'slave','peer':'" MASTER "'");
	trace_call(t, (struct call){1, "write", "send", 30, 0, 4, SLAVE, 10, 11, 4, ""});
	trace_call(t, (struct call){2, "read", "receive", 10, 0, 3, MASTER, 12, 13, 4, ""});
	for (unsigned i = 0; i < MESSAGES; i++) {
		trace_put(t, FIRST + 2 * i, 10, 100 + 20 * i, 105 + 20 * i, 1, "");
		trace_get(t, FIRST + 2 * i + 1, 20, 110 + 20 * i, 115 + 20 * i, 1, "");
	}
	pairing = trace_pair(t);
	assert_int_equal(pairing->message_count, MESSAGES + 1);
	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *message = pairing->messages[i];

		assert_int_equal(message->index, i);
		assert_int_equal(message->id, i + 1);
		assert_int_equal(message->to.operation->id, i ? FIRST + 2 * i - 1 : 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_is_paired_last, trace_pipe_set_up,
						trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
