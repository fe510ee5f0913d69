// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counters whose calls tell what they found and left: who took what, though calls overlap. */
#include "trace_text.h"

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

/* Looks 1 before the call and 1 after it. kind: what else is told of the counter. */
static void look_and_act(struct trace_text *t, unsigned id, bool send, uint32_t pid,
			 uint64_t enter_ns, uint64_t exit_ns, const char *value, unsigned found,
			 unsigned left, const char *kind)
{
	char more[256];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'count':%u,'at_ns':%llu%s},'at_exit':{'count':%u,'at_ns':%llu%s}"
		 ",'payload':{'base64':'%s'}",
		 found, (unsigned long long)enter_ns - 1, kind, left,
		 (unsigned long long)exit_ns + 1, kind, value);
	trace_call(t, (struct call){id, send ? "write" : "read", send ? "send" : "receive", pid, 0,
				    3, COUNTER, enter_ns, exit_ns, 8, more});
}

static void act(struct trace_text *t, unsigned id, bool send, uint32_t pid, uint64_t enter_ns,
		uint64_t exit_ns, unsigned value, unsigned found, unsigned left)
{
	look_and_act(t, id, send, pid, enter_ns, exit_ns,
		     value == 1 ? "AQAAAAAAAAA=" : "AgAAAAAAAAA=", found, left, "");
}

static void add(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns,
		uint64_t exit_ns, unsigned found, unsigned left)
{
	act(t, id, true, pid, enter_ns, exit_ns, 1, found, left);
}

/* Both began before the read and ended after it, and it took one: the counts say whose. */
static void counts_tell_whose(void **state)
{
	struct trace_text *t = *state;

	add(t, 2, 10, 10, 40, 0, 0);
	add(t, 3, 30, 11, 60, 0, 1);
	act(t, 4, false, 20, 20, 50, 1, 0, 0);
	act(t, 5, false, 20, 80, 81, 1, 1, 0);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r4+0 exact\n"
					       "eventfd 30>20 8 s3+0 r5+0 exact\n");
}

/* Neither order would have shown another count. */
static void nothing_tells_whose(void **state)
{
	struct trace_text *t = *state;

	add(t, 2, 10, 10, 60, 0, 1);
	add(t, 3, 30, 11, 60, 0, 1);
	act(t, 4, false, 20, 20, 50, 1, 0, 0);
	act(t, 5, false, 20, 80, 81, 1, 1, 0);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r4+0 ambiguous\n"
					       "eventfd 30>20 8 s3+0 r5+0 ambiguous\n");
}

/* One read took both: their order does not matter. */
static void one_takes_both(void **state)
{
	struct trace_text *t = *state;

	add(t, 2, 10, 10, 60, 0, 0);
	add(t, 3, 30, 11, 60, 0, 0);
	act(t, 4, false, 20, 20, 50, 2, 0, 0);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r4+0 exact\n"
					       "eventfd 30>20 8 s3+0 r4+0 exact\n");
}

/* What lay there for a while goes to the reader that was first, if anything tells which was. */
static void two_readers(void **state)
{
	struct trace_text *t = *state;

	add(t, 2, 10, 10, 11, 0, 1);
	act(t, 3, false, 20, 20, 40, 1, 1, 0);
	add(t, 4, 10, 50, 51, 0, 1);
	act(t, 5, false, 40, 30, 60, 1, 0, 0);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r3+0 exact\n"
					       "eventfd 10>40 8 s4+0 r5+0 exact\n");
}

static void two_readers_at_once(void **state)
{
	struct trace_text *t = *state;

	add(t, 2, 10, 10, 11, 0, 1);
	act(t, 3, false, 20, 20, 70, 1, 1, 0);
	act(t, 5, false, 40, 21, 70, 1, 1, 0);
	add(t, 4, 10, 50, 51, 0, 1);
	trace_pair(t);
	assert_int_equal(t->pairing->message_count, 2);
	assert_int_equal(t->pairing->ambiguous, 2);
}

/* Somebody whom we do not see has taken the first one: which the next read got nobody can tell. */
static void counts_contradict(void **state)
{
	struct trace_text *t = *state;

	add(t, 2, 10, 10, 11, 0, 1);
	add(t, 3, 30, 20, 21, 0, 1);
	act(t, 4, false, 20, 30, 31, 1, 1, 0);
	add(t, 5, 30, 40, 41, 0, 1);
	act(t, 6, false, 20, 50, 51, 1, 1, 0);
	assert_string_equal(trace_messages(t), "eventfd 30>20 8 s3+0 r4+0 ambiguous\n"
					       "eventfd 30>20 8 s5+0 r6+0 ambiguous\n");
}

/* A reader that slept until the last of these acted after them, whenever it began. */
static void a_sleeper_is_late(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){4, "read", "receive", 20, 0, 3, COUNTER, 5, 50, 8,
				    ",'at_entry':{'count':0,'at_ns':4},'at_exit':{'count':0,"
				    "'at_ns':51},'off_cpu_ns':20,'resumed_ns':40"
				    ",'payload':{'base64':'AgAAAAAAAAA='}"});
	add(t, 2, 10, 10, 12, 0, 1);
	add(t, 3, 30, 20, 45, 1, 2);
	add(t, 5, 10, 60, 61, 0, 1);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r4+0 exact\n"
					       "eventfd 30>20 8 s3+0 r4+0 exact\n"
					       "eventfd 10>- 8 s5+0 - exact unread\n");
}

/* --- semaphores: a read takes 1 -------------------------------------------------------------- */

static void post(struct trace_text *t, unsigned id, uint64_t enter_ns, unsigned found)
{
	look_and_act(t, id, true, 10, enter_ns, enter_ns + 2, "AgAAAAAAAAA=", found, found + 2,
		     ",'semaphore':true");
}

static void wait_for(struct trace_text *t, unsigned id, uint64_t enter_ns, unsigned found)
{
	look_and_act(t, id, false, 20, enter_ns, enter_ns + 2, "AQAAAAAAAAA=", found, found - 1,
		     ",'semaphore':true");
}

/* Calls 5 and later take all that it held. */
static void wait_for_all(struct trace_text *t, unsigned held)
{
	for (unsigned i = 0; i < held; i++)
		wait_for(t, 5 + i, 40 + 10 * i, held - i);
}

static void units_in_order(void **state)
{
	struct trace_text *t = *state;

	post(t, 2, 10, 0);
	wait_for(t, 3, 20, 2);
	post(t, 4, 30, 1);
	wait_for(t, 5, 40, 3);
	wait_for(t, 6, 50, 2);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r3+0 exact\n"
					       "eventfd 10>20 8 s2+0 r5+0 exact\n"
					       "eventfd 10>20 8 s4+0 r6+0 exact\n"
					       "eventfd 10>- 8 s4+0 - exact unread\n");
}

/* Between 13 and 29 two units came and nobody here sent them: 7 and 8 get these. */
static void units_of_a_lost_post(void **state)
{
	struct trace_text *t = *state;

	post(t, 2, 10, 0);
	post(t, 4, 30, 4);
	wait_for_all(t, 6);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r5+0 ambiguous\n"
					       "eventfd 10>20 8 s2+0 r6+0 ambiguous\n"
					       "eventfd ->20 8 - r7+0 ambiguous\n"
					       "eventfd ->20 8 - r8+0 ambiguous\n"
					       "eventfd 10>20 8 s4+0 r9+0 ambiguous\n"
					       "eventfd 10>20 8 s4+0 r10+0 ambiguous\n");
}

/* Between 13 and 29 one left that nobody here took: what is left goes on at its own place. */
static void units_of_a_lost_wait(void **state)
{
	struct trace_text *t = *state;

	post(t, 2, 10, 0);
	post(t, 4, 30, 1);
	wait_for_all(t, 3);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s2+0 r5+0 ambiguous\n"
					       "eventfd 10>20 8 s4+0 r6+0 ambiguous\n"
					       "eventfd 10>20 8 s4+0 r7+0 ambiguous\n");
}

/* Joined in parts, as the trace is written: what was seen before one part tells of no other. */
static void units_as_they_come(void **state)
{
	static const uint64_t ms = 1000000;
	struct trace_text *t = *state;

	post(t, 2, 10, 0);
	wait_for(t, 3, 20, 2);
	wait_for(t, 4, 3000 * ms, 1);
	post(t, 5, 3001 * ms, 0);
	wait_for(t, 6, 6000 * ms, 2);
	assert_string_equal(trace_stream(t), "eventfd 10>20 8 s2+0 r3+0 exact\n"
					     "eventfd 10>20 8 s2+0 r4+0 exact\n"
					     "eventfd 10>20 8 s5+0 r6+0 exact\n"
					     "eventfd 10>- 8 s5+0 - exact unread\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_tell_whose),    TEST(nothing_tells_whose), TEST(one_takes_both),
		TEST(two_readers),	    TEST(two_readers_at_once), TEST(counts_contradict),
		TEST(a_sleeper_is_late),    TEST(units_in_order),      TEST(units_of_a_lost_post),
		TEST(units_of_a_lost_wait), TEST(units_as_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
