// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Packets of pipes and urgent data: messages within, or beside, a stream. */
#include "tests/unit/trace_text.h"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "writer");
	trace_pipe(t, 10, TRACE_PIPE);
	trace_fork(t, 10, 20, "reader", 5);
	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", "");
	*state = t;
	return 0;
}

#define PUT(t, id, at, bytes, more) trace_put(t, id, 10, at, (at) + 1, bytes, more)
#define GET(t, id, at, bytes) trace_get(t, id, 20, at, (at) + 1, bytes, "")

static void packets_keep_their_borders(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1, 10, 5000, ",'packets':true");
	PUT(t, 2, 12, 10, ",'packets':true");
	GET(t, 3, 14, 4096);
	GET(t, 4, 16, 904);
	GET(t, 5, 18, 4);
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1+0 r3+0 exact\n"
					       "pipe 10>20 904 s1+4096 r4+0 exact\n"
					       "pipe 10>20 4 s2+0 r5+0 exact truncated\n");
	assert_int_equal(t->pairing->messages[2]->cut, 6);
}

static void packets_among_plain_bytes(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1, 10, 10, "");
	PUT(t, 2, 12, 10, ",'packets':true");
	GET(t, 3, 14, 20);
	assert_string_equal(trace_messages(t), "pipe 10>20 10 s1+0 r3+0 ambiguous\n"
					       "pipe 10>20 10 s2+0 r3+10 ambiguous\n");
}

#define STANDS(key, head, tail, end, start)                                                        \
	"'" key "':{'head':" #head ",'tail':" #tail ",'end':" #end ",'start':" #start "}"

/* splice(2) from a pipe of packets takes any number of them, and of the last one a part. */
static void packets_spliced_out(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1, 10, 10,
	    ",'packets':true," STANDS("at_entry", 0, 0, 0, 0) "," STANDS("at_exit", 1, 0, 10, 0));
	PUT(t, 2, 12, 11,
	    ",'packets':true," STANDS("at_entry", 1, 0, 10, 0) "," STANDS("at_exit", 2, 0, 11, 0));
	trace_call(t, (struct call){
			      3, "splice", "transfer", 20, 0, 3, TRACE_PIPE, 14, 15, 15,
			      ",'fd_out':4,'channel_out':'pipe:[9]'," STANDS(
				      "at_entry", 2, 0, 11, 0) "," STANDS("at_exit", 2, 1, 11, 5)});
	trace_call(t, (struct call){4, "read", "receive", 20, 0, 3, TRACE_PIPE, 16, 17, 4,
				    "," STANDS("at_entry", 2, 1, 11, 5) "," STANDS("at_exit", 2, 2,
										   9, 9)});
	PUT(t, 5, 18, 7,
	    ",'packets':true," STANDS("at_entry", 2, 2, 9, 9) "," STANDS("at_exit", 3, 2, 7, 0));
	trace_call(t, (struct call){6, "read", "receive", 20, 0, 3, TRACE_PIPE, 20, 21, 7,
				    "," STANDS("at_entry", 3, 2, 7, 0) "," STANDS("at_exit", 3, 3,
										  7, 7)});
	assert_string_equal(trace_messages(t), "pipe 10>20 10 s1+0 r3+0 exact\n"
					       "pipe 10>20 5 s2+0 r3+10 exact\n"
					       "pipe 10>20 4 s2+5 r4+0 exact truncated\n"
					       "pipe 10>20 7 s5+0 r6+0 exact\n");
	assert_int_equal(t->pairing->messages[2]->cut, 2);
}

/* Two that splice into a pipe at once: who saw it stand where tells the order. */
static void spliced_by_two(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 30, "other", 6);
	trace_call(t, (struct call){1, "sendfile", "transfer", 10, 0, 5, NULL, 10, 40, 30,
				    ",'fd_out':4,'channel_out':'" TRACE_PIPE
				    "'," STANDS("sink_entry", 0, 0, 0, 0) "," STANDS("sink_exit", 2,
										     0, 130, 20)});
	trace_call(t, (struct call){2, "sendfile", "transfer", 30, 0, 5, NULL, 20, 30, 30,
				    ",'fd_out':4,'channel_out':'" TRACE_PIPE
				    "'," STANDS("sink_entry", 0, 0, 0, 0) "," STANDS("sink_exit", 1,
										     0, 50, 20)});
	trace_call(t, (struct call){3, "read", "receive", 20, 0, 3, TRACE_PIPE, 50, 51, 60,
				    "," STANDS("at_entry", 2, 0, 130, 20) "," STANDS("at_exit", 2,
										     2, 130, 130)});
	assert_string_equal(trace_messages(t), "pipe 30>20 30 s2+0 r3+0 exact\n"
					       "pipe 10>20 30 s1+0 r3+30 exact\n");
}

/*
 * A packet may have been merged into what was moved there before it, or into what lay there before
 * both. The moved bytes have one place, the second buffer, but may lie before the packet or behind.
 */
static void packet_beside_what_was_moved(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 30, "other", 6);
	trace_channel(t, "pipe:[9]", "pipe", "");
	trace_call(t, (struct call){1, "vmsplice", "send", 10, 0, 4, TRACE_PIPE, 10, 12, 40,
				    "," STANDS("at_entry", 0, 0, 0, 0) "," STANDS("at_exit", 1, 0,
										  40, 0)});
	trace_call(t, (struct call){2, "splice", "transfer", 30, 0, 5, "pipe:[9]", 18, 29, 64,
				    ",'fd_out':4,'channel_out':'" TRACE_PIPE
				    "'," STANDS("sink_entry", 1, 0, 40,
						0) "," STANDS("sink_exit", 2, 0, 128, 0)});
	trace_put(t, 3, 10, 20, 30, 64,
		  ",'packets':true," STANDS("at_entry", 1, 0, 40, 0) "," STANDS("at_exit", 2, 0,
										128, 0));
	trace_call(t, (struct call){4, "read", "receive", 20, 0, 3, TRACE_PIPE, 50, 51, 168,
				    "," STANDS("at_entry", 2, 0, 128, 0) "," STANDS("at_exit", 2, 2,
										    128, 128)});
	assert_string_equal(trace_messages(t), "pipe ->30 64 - r2+0 exact\n"
					       "pipe 10>20 40 s1+0 r4+0 exact\n"
					       "pipe 10>20 64 s3+0 r4+40 ambiguous\n"
					       "pipe 30>20 64 s2+0 r4+104 ambiguous\n");
}

/* More than a pipe can hold was written and never read: the numbers are nobody's truth. */
static void packets_beyond_reason(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1, 10, (int64_t)1 << 62, ",'packets':true");
	GET(t, 2, 14, 4096);
	trace_pair(t);
	assert_true(t->pairing->message_count < 100);
	assert_int_equal(t->pairing->messages[0]->match, MATCH_AMBIGUOUS);
}

#define SOCK(t, id, send, at, bytes, more)                                                         \
	trace_socket(t, id, send, (send) ? 10 : 20, (send) ? "unix:[1]" : "unix:[2]", at, bytes,   \
		     more)
#define URGENT ",'flags':1"

static void urgent_byte_leaves_the_stream(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1, true, 10, 7, URGENT ",'requested':7");
	SOCK(t, 2, false, 12, 1, URGENT);
	SOCK(t, 3, false, 14, 6, "");
	SOCK(t, 4, true, 16, 5, "");
	SOCK(t, 5, false, 18, 5, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 1 s1+6 r2+0 exact\n"
					       "unix-stream 10>20 6 s1+0 r3+0 exact\n"
					       "unix-stream 10>20 5 s4+0 r5+0 exact\n");
}

static void urgent_byte_alone(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1, true, 10, 1, URGENT ",'requested':1");
	SOCK(t, 2, false, 12, 1, URGENT);
	SOCK(t, 3, true, 14, 5, "");
	SOCK(t, 4, false, 16, 5, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 1 s1+0 r2+0 exact\n"
					       "unix-stream 10>20 5 s3+0 r4+0 exact\n");
}

/* Nobody asked for it: whether it was skipped or read in the stream, the trace does not say. */
static void urgent_byte_not_taken(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1, true, 10, 3, "");
	SOCK(t, 2, true, 12, 7, URGENT ",'requested':7");
	SOCK(t, 3, false, 14, 3, "");
	SOCK(t, 4, false, 16, 6, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 3 s1+0 r3+0 exact\n"
					       "unix-stream 10>20 6 s2+0 r4+0 ambiguous\n"
					       "unix-stream 10>- 1 s2+6 - ambiguous unread\n");
}

/* The second was sent before the first was received: which of them came is not known. */
static void urgent_byte_overtaken(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1, true, 10, 2, URGENT ",'requested':2");
	SOCK(t, 2, true, 12, 2, URGENT ",'requested':2");
	SOCK(t, 3, false, 14, 1, URGENT);
	trace_pair(t);
	for (size_t i = 0; i < t->pairing->message_count; i++)
		assert_int_equal(t->pairing->messages[i]->match, MATCH_AMBIGUOUS);
}

/* The stream had not been read up to the first one when the second came: it may come again. */
static void urgent_byte_left_behind(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1, true, 10, 4, URGENT ",'requested':4");
	SOCK(t, 2, false, 12, 1, URGENT);
	SOCK(t, 3, true, 14, 4, URGENT ",'requested':4");
	SOCK(t, 4, false, 16, 1, URGENT);
	trace_pair(t);
	for (size_t i = 0; i < t->pairing->message_count; i++)
		assert_int_equal(t->pairing->messages[i]->match, MATCH_AMBIGUOUS);
}

/* The receiver had asked for it in the stream. */
static void urgent_byte_inline(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){9, "setsockopt", "control", 20, 0, 5, "unix:[2]", 6, 7, 0,
				    ",'option':{'level':'SOL_SOCKET','name':'SO_OOBINLINE',"
				    "'value':1}"});
	SOCK(t, 1, true, 10, 2, URGENT ",'requested':2");
	SOCK(t, 2, true, 12, 3, "");
	SOCK(t, 3, false, 14, 5, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 2 s1+0 r3+0 exact\n"
					       "unix-stream 10>20 3 s2+0 r3+2 exact\n");
}

/* Buffers are followed from some time on: what was received before names nothing. */
static void named_from_the_middle_on(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1, true, 10, 20, "");
	SOCK(t, 3, false, 12, 4, "");
	SOCK(t, 4, false, 14, 3, "");
	SOCK(t, 5, false, 16, 8, ",'chunks':[{'operation':1,'offset':7,'bytes':8}]");
	SOCK(t, 6, false, 18, 5, ",'chunks':[{'operation':1,'offset':15,'bytes':5}]");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 4 s1+0 r3+0 exact\n"
					       "unix-stream 10>20 3 s1+4 r4+0 exact\n"
					       "unix-stream 10>20 8 s1+7 r5+0 exact\n"
					       "unix-stream 10>20 5 s1+15 r6+0 exact\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(packets_keep_their_borders),
		TEST(packets_spliced_out),
		TEST(spliced_by_two),
		TEST(packet_beside_what_was_moved),
		TEST(packets_among_plain_bytes),
		TEST(packets_beyond_reason),
		TEST(urgent_byte_leaves_the_stream),
		TEST(urgent_byte_alone),
		TEST(urgent_byte_not_taken),
		TEST(urgent_byte_overtaken),
		TEST(urgent_byte_left_behind),
		TEST(urgent_byte_inline),
		TEST(named_from_the_middle_on),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
