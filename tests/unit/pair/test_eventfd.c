// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counters whose calls tell what they found and left: who took what, though calls overlap. */
#include "tests/unit/trace_text.h"

#include <inttypes.h>

#define COUNTER "eventfd:[7]"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "one");
	trace_channel(t, COUNTER, "eventfd", "");
	trace_call(t, (struct call){1, "eventfd2", "open", 10, 0, 3, COUNTER, 1, 2, 3,
				    ",'args':{'initval':0},'flags':0,'new_fds':[{'fd':3,'channel':"
				    "'" COUNTER "','access':'both'}]"});
	trace_fork(t, 10, 20, "reader", 3);
	trace_fork(t, 10, 30, "other", 4);
	trace_fork(t, 10, 40, "another", 5);
	*state = t;
	return 0;
}

/* A call and what its looks at the counter found: 1 ns before the call, and 1 ns after it. */
struct act {
	unsigned id; /* 0: none */
	bool send;
	uint32_t pid;
	uint64_t enter_ns, exit_ns;
	unsigned value; /* 1 or 2 */
	unsigned found, left;
	bool semaphore;
};

static void act(struct trace_text *t, const struct act *a)
{
	const char *kind = a->semaphore ? ",'semaphore':true" : "";
	const char *value = a->value == 1 ? "AQAAAAAAAAA=" : "AgAAAAAAAAA=";
	char more[256];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'count':%u,'at_ns':%" PRIu64
		 "%s},'at_exit':{'count':%u,'at_ns':%" PRIu64 "%s}"
		 ",'payload':{'base64':'%s'}",
		 a->found, a->enter_ns - 1, kind, a->left, a->exit_ns + 1, kind, value);
	trace_call(t, (struct call){a->id, a->send ? "write" : "read", a->send ? "send" : "receive",
				    a->pid, 0, 3, COUNTER, a->enter_ns, a->exit_ns, 8, more});
}

enum { ACTS_MAX = 8 };

/* A test as a row of a table: the calls, and the messages that come of them. */
struct counter_test {
	const char *name;
	struct act acts[ACTS_MAX];
	const char *messages;
};

/* clang-format off */
#define ADDS(id, pid, enter_ns, exit_ns, found, left)                                              \
	{id, true, pid, enter_ns, exit_ns, 1, found, left, false}
#define TAKES(id, pid, enter_ns, exit_ns, value, found, left)                                      \
	{id, false, pid, enter_ns, exit_ns, value, found, left, false}
#define POSTS(id, at_ns, found) {id, true, 10, at_ns, (at_ns) + 2, 2, found, (found) + 2, true}
#define WAITS(id, at_ns, found) {id, false, 20, at_ns, (at_ns) + 2, 1, found, (found) - 1, true}
/* clang-format on */

static const struct counter_test rows[] = {
	/* Both began before the read and ended after it, and it took one: the counts say whose. */
	{.name = "counts_tell_whose",
	 .acts = {ADDS(2, 10, 10, 40, 0, 0), ADDS(3, 30, 11, 60, 0, 1),
		  TAKES(4, 20, 20, 50, 1, 0, 0), TAKES(5, 20, 80, 81, 1, 1, 0)},
	 .messages = "eventfd 10>20 8 s2+0 r4+0 exact\n"
		     "eventfd 30>20 8 s3+0 r5+0 exact\n"},
	/* Neither order would have shown another count. */
	{.name = "nothing_tells_whose",
	 .acts = {ADDS(2, 10, 10, 60, 0, 1), ADDS(3, 30, 11, 60, 0, 1),
		  TAKES(4, 20, 20, 50, 1, 0, 0), TAKES(5, 20, 80, 81, 1, 1, 0)},
	 .messages = "eventfd 10>20 8 s2+0 r4+0 ambiguous\n"
		     "eventfd 30>20 8 s3+0 r5+0 ambiguous\n"},
	/* One read took both: their order does not matter. */
	{.name = "one_takes_both",
	 .acts = {ADDS(2, 10, 10, 60, 0, 0), ADDS(3, 30, 11, 60, 0, 0),
		  TAKES(4, 20, 20, 50, 2, 0, 0)},
	 .messages = "eventfd 10>20 8 s2+0 r4+0 exact\n"
		     "eventfd 30>20 8 s3+0 r4+0 exact\n"},
	/* What lay there for a while goes to the reader that was first. */
	{.name = "two_readers",
	 .acts = {ADDS(2, 10, 10, 11, 0, 1), TAKES(3, 20, 20, 40, 1, 1, 0),
		  ADDS(4, 10, 50, 51, 0, 1), TAKES(5, 40, 30, 60, 1, 0, 0)},
	 .messages = "eventfd 10>20 8 s2+0 r3+0 exact\n"
		     "eventfd 10>40 8 s4+0 r5+0 exact\n"},
	/* A process outside the trace took the first one: it is open what the next read got. */
	{.name = "counts_contradict",
	 .acts = {ADDS(2, 10, 10, 11, 0, 1), ADDS(3, 30, 20, 21, 0, 1),
		  TAKES(4, 20, 30, 31, 1, 1, 0), ADDS(5, 30, 40, 41, 0, 1),
		  TAKES(6, 20, 50, 51, 1, 1, 0)},
	 .messages = "eventfd 30>20 8 s3+0 r4+0 ambiguous\n"
		     "eventfd 30>20 8 s5+0 r6+0 ambiguous\n"},
	/* Semaphores: a read takes 1. */
	{.name = "units_in_order",
	 .acts = {POSTS(2, 10, 0), WAITS(3, 20, 2), POSTS(4, 30, 1), WAITS(5, 40, 3),
		  WAITS(6, 50, 2)},
	 .messages = "eventfd 10>20 8 s2+0 r3+0 exact\n"
		     "eventfd 10>20 8 s2+0 r5+0 exact\n"
		     "eventfd 10>20 8 s4+0 r6+0 exact\n"
		     "eventfd 10>- 8 s4+0 - exact unread\n"},
	/* Between 13 and 29 two units came and nobody here sent them: 7 and 8 get these. */
	{.name = "units_of_a_lost_post",
	 .acts = {POSTS(2, 10, 0), POSTS(4, 30, 4), WAITS(5, 40, 6), WAITS(6, 50, 5),
		  WAITS(7, 60, 4), WAITS(8, 70, 3), WAITS(9, 80, 2), WAITS(10, 90, 1)},
	 .messages = "eventfd 10>20 8 s2+0 r5+0 ambiguous\n"
		     "eventfd 10>20 8 s2+0 r6+0 ambiguous\n"
		     "eventfd ->20 8 - r7+0 ambiguous\n"
		     "eventfd ->20 8 - r8+0 ambiguous\n"
		     "eventfd 10>20 8 s4+0 r9+0 ambiguous\n"
		     "eventfd 10>20 8 s4+0 r10+0 ambiguous\n"},
	/* Between 13 and 29 one left that no call took: what is left keeps its place. */
	{.name = "units_of_a_lost_wait",
	 .acts = {POSTS(2, 10, 0), POSTS(4, 30, 1), WAITS(5, 40, 3), WAITS(6, 50, 2),
		  WAITS(7, 60, 1)},
	 .messages = "eventfd 10>20 8 s2+0 r5+0 ambiguous\n"
		     "eventfd 10>20 8 s4+0 r6+0 ambiguous\n"
		     "eventfd 10>20 8 s4+0 r7+0 ambiguous\n"},
};

static void check_row(void **state)
{
	const struct counter_test *row = *state;
	void *trace;

	set_up(&trace);
	for (size_t i = 0; i < ACTS_MAX && row->acts[i].id; i++)
		act(trace, &row->acts[i]);
	assert_string_equal(trace_messages(trace), row->messages);
	trace_free(trace);
}

/* --- what the messages do not show, or calls of other kinds --- */

#define ACT(...) act(t, &(const struct act)__VA_ARGS__)

static void two_readers_at_once(void **state)
{
	struct trace_text *t = *state;

	ACT(ADDS(2, 10, 10, 11, 0, 1));
	ACT(TAKES(3, 20, 20, 70, 1, 1, 0));
	ACT(TAKES(5, 40, 21, 70, 1, 1, 0));
	ACT(ADDS(4, 10, 50, 51, 0, 1));
	trace_pair(t);
	assert_int_equal(t->pairing->message_count, 2);
	assert_int_equal(t->pairing->ambiguous, 2);
}

/* A reader that slept until the last of these acted after them, whenever it began. */
static void a_sleeper_is_late(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){4, "read", "receive", 20, 0, 3, COUNTER, 5, 50, 8,
				    ",'at_entry':{'count':0,'at_ns':4},'at_exit':{'count':0,"
				    "'at_ns':51},'off_cpu_ns':20,'resumed_ns':40"
				    ",'payload':{'base64':'AgAAAAAAAAA='}"});
	ACT(ADDS(2, 10, 10, 12, 0, 1));
	ACT(ADDS(3, 30, 20, 45, 1, 2));
	ACT(ADDS(5, 10, 60, 61, 0, 1));
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r4+0 exact\n"
					       "eventfd 30>20 8 s3+0 r4+0 exact\n"
					       "eventfd 10>- 8 s5+0 - exact unread\n");
}

/* Joined in parts, as the trace is written: what was seen before one part tells of no other. */
static void units_as_they_come(void **state)
{
	static const uint64_t ms = 1000000;
	struct trace_text *t = *state;

	ACT(POSTS(2, 10, 0));
	ACT(WAITS(3, 20, 2));
	ACT(WAITS(4, 3000 * ms, 1));
	ACT(POSTS(5, 3001 * ms, 0));
	ACT(WAITS(6, 6000 * ms, 2));
	assert_string_equal(trace_stream(t), "eventfd 10>20 8 s2+0 r3+0 exact\n"
					     "eventfd 10>20 8 s2+0 r4+0 exact\n"
					     "eventfd 10>20 8 s5+0 r6+0 exact\n"
					     "eventfd 10>- 8 s5+0 - exact unread\n");
}

/* It was closed before anything was paired. */
static void initial_value_of_a_closed_one(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "eventfd:[2]", "eventfd", "");
	trace_call(t, (struct call){2, "eventfd2", "open", 10, 0, 7, "eventfd:[2]", 10, 12, 7,
				    ",'args':{'initval':2},'flags':0,'new_fds':[{'fd':7,'channel':"
				    "'eventfd:[2]','access':'both'}]"});
	trace_call(t, (struct call){3, "read", "receive", 10, 0, 7, "eventfd:[2]", 20, 22, 8,
				    ",'at_entry':{'count':2,'at_ns':19},'at_exit':{'count':0,"
				    "'at_ns':23},'payload':{'base64':'AgAAAAAAAAA='}"});
	trace_close(t, 4, 10, 7, "eventfd:[2]", 30, "");
	assert_string_equal(trace_stream(t), "eventfd 10>10 8 s2+0 r3+0 exact\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_readers_at_once),
		TEST(a_sleeper_is_late),
		TEST(units_as_they_come),
		TEST(initial_value_of_a_closed_one),
	};

	struct CMUnitTest row_tests[sizeof(rows) / sizeof(rows[0])];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row_tests[i] = (struct CMUnitTest){.name = rows[i].name,
						   .test_func = check_row,
						   .initial_state = (void *)&rows[i]};
	return cmocka_run_group_tests(row_tests, NULL, NULL) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
