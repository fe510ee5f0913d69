// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Streams: what the kernel's buffers name, call by call, and sends that never return. */
#include <stdio.h>

#include "tests/unit/trace_text.h"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "writer");
	trace_fork(t, 10, 20, "reader", 5);
	trace_fork(t, 10, 30, "other", 6);
	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", ",'peer':'unix:[1]'");
	*state = t;
	return 0;
}

static void put(struct trace_text *t, uint64_t id, uint32_t pid, uint64_t at_ns, int64_t returned,
		const char *more)
{
	const char *call = *more ? "sendmmsg" : "sendto"; /* lengths: of several messages */

	trace_call(t, (struct call){id, call, "send", pid, 0, 4, "unix:[1]", at_ns, at_ns + 20,
				    returned, more});
}

static void get(struct trace_text *t, uint64_t id, uint64_t at_ns, int64_t returned,
		const char *chunks)
{
	char more[512];

	snprintf(more, sizeof(more), ",'chunks':[%s]", chunks);
	trace_call(t, (struct call){id, "recvfrom", "receive", 20, 0, 5, "unix:[2]", at_ns,
				    at_ns + 1, returned, more});
}

/* Each message of a sendmmsg has its bytes behind those before it; an empty one has no buffer. */
static void messages_of_one_call(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 4, ",'lengths':[5,0,7,3]");
	put(t, 2, 30, 11, 4, "");
	get(t, 3, 40, 8,
	    "{'operation':1,'offset':0,'bytes':5,'buffer_bytes':5},"
	    "{'operation':1,'message':2,'offset':0,'bytes':3,'at':5,'from':5,'buffer_bytes':7}");
	get(t, 4, 50, 11,
	    "{'operation':1,'message':2,'offset':3,'bytes':4,'from':5,'buffer_bytes':7},"
	    "{'operation':2,'offset':0,'bytes':4,'at':4,'buffer_bytes':4},"
	    "{'operation':1,'message':3,'offset':0,'bytes':3,'at':8,'from':12,'buffer_bytes':3}");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 8 s1+0 r3+0 exact\n"
					       "unix-stream 10>20 4 s1+8 r4+0 exact\n"
					       "unix-stream 30>20 4 s2+0 r4+4 exact\n"
					       "unix-stream 10>20 3 s1+12 r4+8 exact\n");
}

/* Buffers are as long as the socket's room allows: they add up, whoever took them first. */
static void buffers_add_up(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 3000, "");
	put(t, 2, 30, 11, 10, "");
	get(t, 3, 40, 1010,
	    "{'operation':1,'offset':0,'bytes':1000,'buffer_bytes':1000},"
	    "{'operation':2,'offset':0,'bytes':10,'at':1000,'buffer_bytes':10}");
	get(t, 4, 50, 600, "{'operation':1,'offset':0,'bytes':600,'buffer':1,'buffer_bytes':1000}");
	get(t, 5, 60, 1400,
	    "{'operation':1,'offset':600,'bytes':400,'buffer':1,'buffer_bytes':1000},"
	    "{'operation':1,'offset':0,'bytes':1000,'at':400,'buffer':2,'buffer_bytes':1000}");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 1000 s1+0 r3+0 exact\n"
					       "unix-stream 30>20 10 s2+0 r3+1000 exact\n"
					       "unix-stream 10>20 600 s1+1000 r4+0 exact\n"
					       "unix-stream 10>20 1400 s1+1600 r5+0 exact\n");
}

/* A number is missing: an interrupt's buffer had it, if the others are all that was sent. */
static void number_of_another(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 30, "");
	get(t, 3, 40, 30,
	    "{'operation':1,'offset':0,'bytes':10,'buffer_bytes':10},"
	    "{'operation':1,'offset':0,'bytes':20,'at':10,'buffer':2,'buffer_bytes':20}");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 30 s1+0 r3+0 exact\n");
}

/* Where a buffer is missing, nobody can tell which of the send's bytes the next one has. */
static void buffer_is_missing(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 40, "");
	get(t, 3, 40, 20, "{'operation':1,'offset':0,'bytes':20,'buffer':2,'buffer_bytes':20}");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 20 s1+0 r3+0 ambiguous\n"
					       "unix-stream 10>- 20 s1+20 - ambiguous unread\n");
}

/* What one receive does not name leaves the names of the others as they are, and its own. */
static void named_in_part(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 6, "");
	put(t, 2, 30, 11, 6, "");
	put(t, 3, 10, 60, 5, "");
	get(t, 4, 40, 9, "{'operation':1,'offset':0,'bytes':3,'at':6,'buffer_bytes':6}");
	get(t, 5, 50, 3, "{'operation':1,'offset':3,'bytes':3,'buffer_bytes':6}");
	trace_call(t, (struct call){6, "recvfrom", "receive", 20, 0, 5, "unix:[2]", 90, 91, 5, ""});
	assert_string_equal(trace_messages(t), "unix-stream 30>20 6 s2+0 r4+0 exact\n"
					       "unix-stream 10>20 3 s1+0 r4+6 exact\n"
					       "unix-stream 10>20 3 s1+3 r5+0 exact\n"
					       "unix-stream 10>20 5 s3+0 r6+0 exact\n");
}

/*
 * At the end of a stream recvmmsg counts messages of no bytes: the channel is as certain as ever.
 */
static void empty_messages(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 2, ",'lengths':[0,0]");
	put(t, 2, 10, 40, 5, "");
	trace_call(t, (struct call){3, "recvmmsg", "receive", 20, 0, 5, "unix:[2]", 70, 71, 2,
				    ",'lengths':[5,0]"});
	trace_call(t, (struct call){4, "recvmmsg", "receive", 20, 0, 5, "unix:[2]", 72, 73, 2,
				    ",'lengths':[0,0]"});
	put(t, 5, 10, 80, 6, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 5 s2+0 r3+0 exact\n"
					       "unix-stream 10>- 6 s5+0 - exact unread\n");
}

/* It sleeps for ever: what was received of it is known by its buffers. */
static void pending_is_named(void **state)
{
	struct trace_text *t = *state;

	trace_pending(t, 1, 10, "unix:[1]", 10, 100000, "");
	put(t, 2, 30, 11, 10, "");
	get(t, 3, 40, 1010,
	    "{'operation':1,'offset':0,'bytes':1000,'buffer_bytes':1000},"
	    "{'operation':2,'offset':0,'bytes':10,'at':1000,'buffer_bytes':10}");
	get(t, 4, 50, 700, "{'operation':1,'offset':0,'bytes':700,'buffer':1,'buffer_bytes':1000}");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 1000 s1+0 r3+0 exact\n"
					       "unix-stream 30>20 10 s2+0 r3+1000 exact\n"
					       "unix-stream 10>20 700 s1+1000 r4+0 exact\n");
}

/* Of a pipe by their places: behind what was written before, around what others wrote meanwhile. */
static void pending_has_places(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 100, POSITIONS(0, 0, 0, 1, 0, 100));
	trace_pending(t, 2, 10, TRACE_PIPE, 12, 1 << 20, AT("at_entry", 1, 0, 100, 0));
	trace_get(t, 3, 20, 20, 21, 8292, POSITIONS(3, 0, 4096, 3, 3, 4096));
	trace_put(t, 4, 30, 30, 31, 7, POSITIONS(3, 3, 4096, 4, 3, 7));
	trace_get(t, 5, 20, 40, 41, 4000,
		  AT("at_entry", 5, 3, 4096, 0) AT("at_exit", 5, 4, 4096, 3993));
	assert_string_equal(trace_messages(t), "pipe 10>20 100 s1+0 r3+0 exact\n"
					       "pipe 10>20 8192 s2+0 r3+100 exact\n"
					       "pipe 30>20 7 s4+0 r5+0 exact\n"
					       "pipe 10>20 3993 s2+8192 r5+7 exact\n");
}

/* Of two asleep that found the pipe as it was, nobody can tell whose it is. */
static void two_are_pending(void **state)
{
	struct trace_text *t = *state;

	trace_pending(t, 1, 10, TRACE_PIPE, 10, 1 << 20, AT("at_entry", 0, 0, 0, 0));
	trace_pending(t, 2, 30, TRACE_PIPE, 11, 1 << 20, AT("at_entry", 1, 0, 4096, 0));
	trace_get(t, 3, 20, 20, 21, 4096, POSITIONS(2, 0, 4096, 2, 1, 4096));
	trace_get(t, 4, 20, 30, 31, 4096, POSITIONS(2, 1, 4096, 2, 2, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1+0 r3+0 exact\n"
					       "pipe 10>20 4096 s1+4096 r4+0 ambiguous\n");
}

/* Of a call that was under way when it was joined, buffers are counted from there. */
static void found_under_way(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){1, "sendto", "send", 10, 0, 4, "unix:[1]", 10, 30, 3000,
				    ",'entered_before':true"});
	get(t, 2, 40, 1000, "{'operation':1,'offset':0,'bytes':1000,'buffer_bytes':1000}");
	assert_string_equal(trace_messages(t),
			    "unix-stream 10>20 1000 s1+0 r2+0 ambiguous\n"
			    "unix-stream 10>- 2000 s1+1000 - ambiguous unread\n");
}

/* Unless they are all that it has sent. */
static void found_before_it_sent(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){1, "sendto", "send", 10, 0, 4, "unix:[1]", 10, 30, 1500,
				    ",'entered_before':true"});
	get(t, 2, 40, 1500,
	    "{'operation':1,'offset':0,'bytes':1000,'buffer_bytes':1000},"
	    "{'operation':1,'offset':0,'bytes':500,'at':1000,'buffer':1,'buffer_bytes':500}");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 1500 s1+0 r2+0 exact\n");
}

/* The same of messages, however they add up. */
static void messages_found_under_way(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 3, ",'entered_before':true,'lengths':[5,5,5]");
	get(t, 2, 40, 5, "{'operation':1,'offset':0,'bytes':5,'buffer_bytes':5}");
	get(t, 3, 50, 5,
	    "{'operation':1,'message':1,'offset':0,'bytes':5,'from':5,"
	    "'buffer_bytes':5}");
	assert_null(strstr(trace_messages(t), "exact"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)
#define PIPE(function) cmocka_unit_test_setup_teardown(function, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(messages_of_one_call),
		TEST(buffers_add_up),
		TEST(number_of_another),
		TEST(buffer_is_missing),
		TEST(named_in_part),
		TEST(empty_messages),
		TEST(pending_is_named),
		TEST(found_under_way),
		TEST(found_before_it_sent),
		TEST(messages_found_under_way),
		PIPE(pending_has_places),
		PIPE(two_are_pending),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
