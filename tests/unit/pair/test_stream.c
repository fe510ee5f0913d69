// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A trace read piece by piece: rounds, what waits between them, what is announced as missing. */
#include "tests/unit/trace_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MS 1000000ULL

#define PUT(t, id, pid, at_ns, bytes, more) trace_put(t, id, pid, at_ns, (at_ns) + MS, bytes, more)
#define GET(t, id, pid, at_ns, bytes, more) trace_get(t, id, pid, at_ns, (at_ns) + MS, bytes, more)

/* Rounds fall between a send and its receive, and between the parts of one send. */
static void parts_in_several_rounds(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1, 10, 10 * MS, 10, "");
	GET(t, 2, 20, 1000 * MS, 4, "");
	PUT(t, 3, 30, 2000 * MS, 5, "");
	GET(t, 4, 20, 3000 * MS, 8, "");
	GET(t, 5, 20, 4000 * MS, 1, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 4 s1+0 r2+0 exact\n"
					       "pipe 10>20 6 s1+4 r4+0 exact\n"
					       "pipe 30>20 2 s3+0 r4+6 exact\n"
					       "pipe 30>20 1 s3+2 r5+0 exact\n"
					       "pipe 30>- 2 s3+3 - exact unread\n");
}

/* A call that sleeps over many rounds holds back what depends on it, and nothing else. */
static void sleeper_over_many_rounds(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'operation','id':1,'state':'begin','syscall':'write','role':'send',"
		      "'pid':10,'tid':10,'fd':4,'channel':'" TRACE_PIPE "','enter_ns':1000000,"
		      "'at_ns':2000000,'requested':100}");
	GET(t, 2, 20, 1000 * MS, 60, "");
	GET(t, 3, 20, 2000 * MS, 30, "");
	trace_put(t, 1, 10, MS, 3000 * MS, 100, "");
	GET(t, 4, 20, 4000 * MS, 10, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 60 s1+0 r2+0 exact\n"
					       "pipe 10>20 30 s1+60 r3+0 exact\n"
					       "pipe 10>20 10 s1+90 r4+0 exact\n");
}

/* A call that nobody could know of turns up: from there on nothing is certain. */
static void late_arrival(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1, 10, 10 * MS, 5, "");
	GET(t, 2, 20, 20 * MS, 5, "");
	PUT(t, 3, 10, 3000 * MS, 5, "");
	GET(t, 4, 20, 3010 * MS, 5, "");
	PUT(t, 5, 30, 15 * MS, 5, "");
	PUT(t, 6, 10, 6000 * MS, 5, "");
	GET(t, 7, 20, 6010 * MS, 5, "");
	assert_string_equal(trace_stream(t), "pipe 10>20 5 s1+0 r2+0 exact\n"
					     "pipe 30>20 5 s5+0 r4+0 ambiguous\n"
					     "pipe 10>20 5 s3+0 r7+0 ambiguous\n"
					     "pipe 10>- 5 s6+0 - ambiguous unread\n");
}

/* A send that neither slept nor returned for so long, as its thread had no processor. */
static void long_without_sleep(struct trace_text *t, unsigned tenths)
{
	PUT(t, 1, 10, 10 * MS, 5, "");
	GET(t, 2, 20, 20 * MS, 5, "");
	GET(t, 4, 20, 130 * MS, 5, "");
	for (unsigned i = 2; i < tenths; i++) {
		PUT(t, 10 + 2 * i, 40, 100 * i * MS, 5, "");
		GET(t, 11 + 2 * i, 20, (100 * i + 20) * MS, 5, "");
	}
	trace_put(t, 3, 30, 100 * MS, 100 * (tenths + 1) * MS, 5, "");
}

static void without_sleep(void **state)
{
	long_without_sleep(*state, 8);
	assert_non_null(strstr(trace_stream(*state), "pipe 30>20 5 s3+0 r4+0 exact\n"));
}

static void without_sleep_in_a_file(void **state)
{
	long_without_sleep(*state, 50);
	assert_non_null(strstr(trace_stream_of_file(*state), "pipe 30>20 5 s3+0 r4+0 exact\n"));
	assert_null(strstr(trace_stream(*state), "pipe 30>20 5 s3+0 r4+0 exact\n"));
}

struct gaps {
	struct viz_gap last;
	size_t count;
};

static int note_gap(void *data, const struct viz_gap *gap)
{
	struct gaps *gaps = data;

	gaps->last = *gap;
	gaps->count++;
	return 0;
}

static struct gaps stream_gaps(struct trace_text *t)
{
	struct gaps gaps = {.count = 0};
	struct viz_sink sink = {.data = &gaps, .gap = note_gap};
	FILE *stream = fmemopen(t->data, t->len, "r");
	struct viz_error error;

	assert_non_null(stream);
	assert_int_equal(viz_stream_read_stream(stream, "test", &sink, &error), 0);
	fclose(stream);
	return gaps;
}

/* One write of 10 bytes fills a slot, one read empties it. */
static void put_at(struct trace_text *t, unsigned id, uint32_t pid, uint64_t at_ns, unsigned slot)
{
	char more[200];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':%u,'tail':%u,'end':10,'start':0,'bytes':0},"
		 "'at_exit':{'head':%u,'tail':%u,'end':10,'start':0,'bytes':10}",
		 slot, slot, slot + 1, slot);
	PUT(t, id, pid, at_ns, 10, more);
}

static void get_at(struct trace_text *t, unsigned id, uint64_t at_ns, unsigned slot)
{
	char more[200];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':%u,'tail':%u,'end':10,'start':0,'bytes':10},"
		 "'at_exit':{'head':%u,'tail':%u,'end':10,'start':10,'bytes':0}",
		 slot + 1, slot, slot + 1, slot + 1);
	GET(t, id, 20, at_ns, 10, more);
}

/* The read of the second message is missing: it is a gap, and the third pairs as ever. */
static void missing_read_is_a_gap(void **state)
{
	struct trace_text *t = *state;
	struct gaps gaps;

	put_at(t, 1, 10, 10 * MS, 0);
	get_at(t, 2, 20 * MS, 0);
	put_at(t, 3, 10, 30 * MS, 1);
	put_at(t, 5, 10, 50 * MS, 2);
	get_at(t, 6, 60 * MS, 2);
	assert_string_equal(trace_messages(t), "pipe 10>20 10 s1+0 r2+0 exact\n"
					       "pipe 10>20 10 s5+0 r6+0 exact\n");
	gaps = stream_gaps(t);
	assert_int_equal(gaps.count, 1);
	assert_int_equal(gaps.last.units, 10);
	assert_true(gaps.last.bytes);
	assert_int_equal(gaps.last.mechanism, MECH_PIPE);
}

/* No write of the pipe is in the trace, and records were lost: all that was read is a gap. */
static void missing_writes_are_a_gap(void **state)
{
	struct trace_text *t = *state;
	struct gaps gaps;

	trace_lost(t, 1, 1);
	get_at(t, 2, 20 * MS, 0);
	get_at(t, 4, 40 * MS, 1);
	assert_string_equal(trace_messages(t), "pipe ->20 10 - r2+0 ambiguous\n"
					       "pipe ->20 10 - r4+0 ambiguous\n");
	gaps = stream_gaps(t);
	assert_int_equal(gaps.count, 2);
	assert_int_equal(gaps.last.units, 10);
	assert_true(gaps.last.bytes);
}

/* The write of the second message is missing: its read is told as of nobody that we know. */
static void missing_write_is_a_gap(void **state)
{
	struct trace_text *t = *state;

	put_at(t, 1, 10, 10 * MS, 0);
	get_at(t, 2, 20 * MS, 0);
	get_at(t, 4, 40 * MS, 1);
	put_at(t, 5, 10, 50 * MS, 2);
	get_at(t, 6, 60 * MS, 2);
	assert_string_equal(trace_messages(t), "pipe 10>20 10 s1+0 r2+0 exact\n"
					       "pipe ->20 10 - r4+0 ambiguous\n"
					       "pipe 10>20 10 s5+0 r6+0 exact\n");
	assert_int_equal(stream_gaps(t).count, 1);
}

/* Two writers at once: the cursor tells who was first, though both had begun and not ended. */
static void cursor_orders_writers(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10 * MS, 30 * MS, 10, POSITIONS(0, 0, 0, 1, 0, 30));
	trace_put(t, 2, 30, 11 * MS, 20 * MS, 20, POSITIONS(0, 0, 0, 1, 0, 20));
	trace_get(t, 3, 20, 40 * MS, 41 * MS, 30,
		  ",'at_entry':{'head':1,'tail':0,'end':30,'start':0},"
		  "'at_exit':{'head':1,'tail':1,'end':30,'start':30}");
	assert_string_equal(trace_messages(t), "pipe 30>20 20 s2+0 r3+0 exact\n"
					       "pipe 10>20 10 s1+0 r3+20 exact\n");
}

/* TCP's numbers say what a receive took, whatever is missing before it. */
static void sequence_across_a_gap(void **state)
{
	struct trace_text *t = *state;

	trace_tcp(t);
	trace_call(t, (struct call){1, "sendto", "send", 10, 0, 5, "tcp:[1]", 10, 11, 5,
				    SEQUENCES(4294967290, 7, 4294967295, 7)});
	trace_call(t, (struct call){2, "sendto", "send", 10, 0, 5, "tcp:[1]", 20, 21, 5,
				    SEQUENCES(3, 7, 8, 7)});
	trace_call(t, (struct call){3, "recvfrom", "receive", 20, 0, 6, "tcp:[2]", 30, 31, 5,
				    SEQUENCES(9, 3, 9, 9)});
	assert_string_equal(trace_messages(t), "tcp 10>20 5 s2+0 r3+0 exact\n");
}

/* A receive of three sends, of which the record of the second is missing. */
static void sequence_over_a_gap(void **state)
{
	struct trace_text *t = *state;

	trace_tcp(t);
	trace_call(t, (struct call){1, "sendto", "send", 10, 0, 5, "tcp:[1]", 10, 11, 5,
				    SEQUENCES(100, 7, 105, 7)});
	trace_call(t, (struct call){3, "sendto", "send", 10, 0, 5, "tcp:[1]", 20, 21, 5,
				    SEQUENCES(108, 7, 113, 7)});
	trace_call(t, (struct call){4, "recvfrom", "receive", 20, 0, 6, "tcp:[2]", 30, 31, 10,
				    SEQUENCES(9, 100, 9, 110)});
	trace_call(t, (struct call){5, "recvfrom", "receive", 20, 0, 6, "tcp:[2]", 32, 33, 3,
				    SEQUENCES(9, 110, 9, 113)});
	assert_string_equal(trace_messages(t), "tcp 10>20 5 s1+0 r4+0 exact\n"
					       "tcp ->20 3 - r4+5 ambiguous\n"
					       "tcp 10>20 2 s3+0 r4+8 exact\n"
					       "tcp 10>20 3 s3+2 r5+0 exact\n");
}

/* The second write found less in the pipe than the first left there: the times are wrong. */
static void positions_go_back(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 20, POSITIONS(1, 0, 10, 1, 0, 30));
	trace_put(t, 2, 10, 12, 13, 10, POSITIONS(0, 0, 0, 1, 0, 10));
	trace_get(t, 3, 20, 14, 15, 20, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 20 s1+0 r3+0 ambiguous\n"
					       "pipe 10>- 10 s2+0 - ambiguous unread\n");
}

#define CONNECTED                                                                                  \
	trace_channel(t, "unix-stream:[1]", "unix-stream", ",'peer':'unix-stream:[2]'");           \
	trace_channel(t, "unix-stream:[2]", "unix-stream", ",'peer':'unix-stream:[1]'")

/* A large send lies in two buffers: who takes of both in one call is one message with it. */
static void buffers_of_one_send(void **state)
{
	struct trace_text *t = *state;

	CONNECTED;
	trace_call(t, (struct call){1, "sendto", "send", 10, 0, 5, "unix-stream:[1]", 10, 11, 40000,
				    ""});
	trace_call(t, (struct call){2, "recvfrom", "receive", 20, 0, 6, "unix-stream:[2]", 30, 31,
				    100, ",'chunks':[{'operation':1,'offset':0,'bytes':100}]"});
	trace_call(t, (struct call){3, "recvfrom", "receive", 20, 0, 6, "unix-stream:[2]", 32, 33,
				    39900,
				    ",'chunks':[{'operation':1,'offset':100,'bytes':36444},"
				    "{'operation':1,'offset':0,'bytes':3456}]"});
	assert_string_equal(trace_messages(t), "unix-stream 10>20 100 s1+0 r2+0 exact\n"
					       "unix-stream 10>20 39900 s1+100 r3+0 exact\n");
}

/* Small buffers of SO_SNDBUF begin at 0 each; a send's part that is missing shifts nothing. */
static void offsets_in_buffers(void **state)
{
	struct trace_text *t = *state;

	CONNECTED;
	trace_call(t, (struct call){1, "sendto", "send", 10, 0, 5, "unix-stream:[1]", 10, 11, 3000,
				    ""});
	trace_call(t, (struct call){2, "recvfrom", "receive", 20, 0, 6, "unix-stream:[2]", 30, 31,
				    2000, ",'chunks':[{'operation':1,'offset':0,'bytes':2000}]"});
	trace_call(t, (struct call){3, "recvfrom", "receive", 20, 0, 6, "unix-stream:[2]", 32, 33,
				    600, ",'chunks':[{'operation':1,'offset':0,'bytes':600}]"});
	trace_call(t, (struct call){4, "recvfrom", "receive", 20, 0, 6, "unix-stream:[2]", 34, 35,
				    400, ",'chunks':[{'operation':1,'offset':600,'bytes':400}]"});
	assert_string_equal(trace_messages(t), "unix-stream 10>20 2000 s1+0 r2+0 exact\n"
					       "unix-stream 10>20 600 s1+2000 r3+0 exact\n"
					       "unix-stream 10>20 400 s1+2600 r4+0 exact\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(parts_in_several_rounds),
		TEST(sleeper_over_many_rounds),
		TEST(late_arrival),
		TEST(without_sleep),
		TEST(without_sleep_in_a_file),
		TEST(missing_read_is_a_gap),
		TEST(missing_writes_are_a_gap),
		TEST(missing_write_is_a_gap),
		TEST(cursor_orders_writers),
		TEST(sequence_across_a_gap),
		TEST(sequence_over_a_gap),
		TEST(positions_go_back),
		TEST(buffers_of_one_send),
		TEST(offsets_in_buffers),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
