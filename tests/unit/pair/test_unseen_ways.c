// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is left certain where somebody moves data unseen; and one datagram of several sends. */
#include "tests/unit/trace_text.h"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "one");
	trace_fork(t, 10, 20, "two", 1);
	trace_pipe(t, 10, TRACE_PIPE);
	*state = t;
	return 0;
}

static void unseen(struct trace_text *t, uint32_t pid, uint64_t at_ns, const char *what)
{
	trace_line(t, "{'type':'unseen','at_ns':%ju,'pid':%u,'tid':%u,'what':%s}", (uintmax_t)at_ns,
		   pid, pid, what);
}

static void write_twice(struct trace_text *t)
{
	trace_put(t, 1101, 10, 10, 11, 4, "");
	trace_get(t, 1103, 10, 12, 13, 4, "");
	trace_put(t, 1105, 10, 30, 31, 4, "");
	trace_get(t, 1107, 10, 32, 33, 4, "");
	trace_put(t, 1109, 10, 34, 35, 4, "");
}

/* Before it had a ring, nobody could have taken anything; what is left may be taken at any time. */
static void from_the_ring_on(void **state)
{
	struct trace_text *t = *state;

	unseen(t, 10, 20, "'io-uring'");
	write_twice(t);
	assert_string_equal(trace_messages(t), "pipe 10>10 4 s1101+0 r1103+0 exact\n"
					       "pipe 10>10 4 s1105+0 r1107+0 ambiguous\n"
					       "pipe 10>- 4 s1109+0 - ambiguous unread\n");
}

/* A process that never held it took nothing; nor does a debugger. */
static void others_do_no_harm(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 1, 30, "stranger", 1);
	unseen(t, 30, 20, "'io-uring'");
	unseen(t, 10, 20, "'ptrace'");
	unseen(t, 10, 20, "'aio','channel':'pipe:[8]'");
	write_twice(t);
	assert_string_equal(trace_messages(t), "pipe 10>10 4 s1101+0 r1103+0 exact\n"
					       "pipe 10>10 4 s1105+0 r1107+0 exact\n"
					       "pipe 10>- 4 s1109+0 - exact unread\n");
}

static void of_one_object(void **state)
{
	struct trace_text *t = *state;

	unseen(t, 30, 20, "'aio','channel':'" TRACE_PIPE "'");
	write_twice(t);
	assert_string_equal(trace_messages(t), "pipe 10>10 4 s1101+0 r1103+0 exact\n"
					       "pipe 10>10 4 s1105+0 r1107+0 ambiguous\n"
					       "pipe 10>- 4 s1109+0 - ambiguous unread\n");
}

/* What came before it was sent had another sender. */
static void earlier_than_sent(void **state)
{
	struct trace_text *t = *state;

	unseen(t, 10, 9, "'io-uring'");
	trace_get(t, 1101, 10, 12, 13, 4, "");
	trace_put(t, 1103, 10, 30, 31, 4, "");
	assert_string_equal(trace_messages(t), "pipe ->10 4 - r1101+0 ambiguous\n"
					       "pipe 10>- 4 s1103+0 - ambiguous unread\n");
}

/* By a call it takes no descriptor to use what has a name; io_uring has no such operation. */
static void take_named(struct trace_text *t, const char *how)
{
	unseen(t, 20, 5, how);
	trace_channel(t, "sysv-msg:[3]", "sysv-msg", "");
	trace_channel(t, "fifo:[8]", "fifo", "");
	trace_call(t, (struct call){1101, "msgrcv", "receive", 10, 0, -1, "sysv-msg:[3]", 10, 11, 4,
				    ",'message_type':1"});
	trace_call(t, (struct call){1103, "msgsnd", "send", 10, 0, -1, "sysv-msg:[3]", 12, 13, 0,
				    ",'requested':5,'message_type':2"});
	trace_call(t, (struct call){1105, "read", "receive", 10, 0, 6, "fifo:[8]", 14, 15, 4, ""});
}

static void what_has_a_name(void **state)
{
	struct trace_text *t = *state;

	take_named(t, "'32-bit'");
	assert_string_equal(trace_messages(t), "sysv-msg ->10 4 - r1101+0 ambiguous\n"
					       "fifo ->10 4 - r1105+0 ambiguous\n"
					       "sysv-msg 10>- 5 s1103+0 - ambiguous unread\n");
}

static void what_needs_a_descriptor(void **state)
{
	struct trace_text *t = *state;

	take_named(t, "'io-uring'");
	assert_string_equal(trace_messages(t), "sysv-msg ->10 4 - r1101+0 exact\n"
					       "fifo ->10 4 - r1105+0 exact\n"
					       "sysv-msg 10>- 5 s1103+0 - ambiguous unread\n");
}

/* A pipe has no name: who never held it took nothing of it, whatever its calls are. */
static void what_has_none(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 1, 30, "stranger", 1);
	unseen(t, 30, 20, "'32-bit'");
	write_twice(t);
	assert_string_equal(trace_messages(t), "pipe 10>10 4 s1101+0 r1103+0 exact\n"
					       "pipe 10>10 4 s1105+0 r1107+0 exact\n"
					       "pipe 10>- 4 s1109+0 - exact unread\n");
}

/* The kernel says whom a post woke, and others do not matter. */
static void who_was_woken(void **state)
{
	struct trace_text *t = *state;

	unseen(t, 10, 5, "'32-bit'");
	trace_channel(t, "sysv-sem:[1]", "sysv-sem", "");
	trace_call(t, (struct call){1101, "semop", "wait", 10, 0, -1, "sysv-sem:[1]", 10, 30, 0,
				    ",'off_cpu_ns':9,'woken_by':{'pid':20,'tid':20,"
				    "'operation':1103,'at_ns':16}"});
	trace_call(t,
		   (struct call){1103, "semop", "wake", 20, 0, -1, "sysv-sem:[1]", 15, 16, 0, ""});
	assert_string_equal(trace_messages(t), "sysv-sem 20>10 0 s1103+0 r1101+0 exact\n");
}

#define MORE ",'to':'udp:[2]','flags':32768"
#define LAST ",'to':'udp:[2]','flags':0"

static void one_of_several(void **state)
{
	struct trace_text *t = *state;

	trace_udp(t);
	trace_socket(t, 1101, true, 10, "udp:[1]", 10, 2, MORE);
	trace_socket(t, 1103, true, 10, "udp:[1]", 20, 3, MORE);
	trace_socket(t, 1105, true, 10, "udp:[1]", 30, 1, LAST);
	trace_socket(t, 1107, false, 20, "udp:[2]", 40, 4, "");
	trace_socket(t, 1109, true, 10, "udp:[1]", 50, 7, MORE);
	assert_string_equal(trace_messages(t), "udp 10>20 2 s1101+0 r1107+0 exact\n"
					       "udp 10>20 2 s1103+0 r1107+2 exact truncated\n"
					       "udp 10>20 0 s1105+0 r1107+4 exact truncated\n"
					       "udp 10>- 7 s1109+0 - exact unread\n");
}

static void until_the_option(void **state)
{
	struct trace_text *t = *state;

	trace_udp(t);
	trace_call(t, (struct call){1101, "setsockopt", "control", 10, 0, 5, "udp:[1]", 5, 6, 0,
				    ",'option':{'name':'UDP_CORK','value':1}"});
	trace_socket(t, 1103, true, 10, "udp:[1]", 10, 2, LAST);
	trace_socket(t, 1105, true, 10, "udp:[1]", 20, 3, LAST);
	trace_call(t, (struct call){1107, "setsockopt", "control", 10, 0, 5, "udp:[1]", 30, 31, 0,
				    ",'option':{'name':'UDP_CORK','value':0},'to':'udp:[2]'"});
	trace_socket(t, 1109, false, 20, "udp:[2]", 40, 5, "");
	assert_string_equal(trace_messages(t), "udp 10>20 2 s1103+0 r1109+0 exact\n"
					       "udp 10>20 3 s1105+0 r1109+2 exact\n");
	assert_string_equal(trace_stream(t), trace_messages(t));
}

/* Of two threads at once nobody knows whose bytes are first. */
static void at_once(void **state)
{
	struct trace_text *t = *state;

	trace_udp(t);
	trace_call(t, (struct call){1101, "sendto", "send", 10, 0, 5, "udp:[1]", 10, 30, 2, MORE});
	trace_call(t, (struct call){1103, "sendto", "send", 10, 11, 5, "udp:[1]", 20, 40, 3, LAST});
	trace_socket(t, 1105, false, 20, "udp:[2]", 50, 5, "");
	assert_string_equal(trace_messages(t), "udp 10>20 2 s1101+0 r1105+0 ambiguous\n"
					       "udp 10>20 3 s1103+0 r1105+2 ambiguous\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_the_ring_on),	 TEST(others_do_no_harm), TEST(of_one_object),
		TEST(earlier_than_sent), TEST(what_has_a_name),	  TEST(what_needs_a_descriptor),
		TEST(what_has_none),	 TEST(who_was_woken),	  TEST(one_of_several),
		TEST(until_the_option),	 TEST(at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
