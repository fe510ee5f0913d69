// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sockets of TCP that several send on, or receive from: places that the trace tells. */
#include "tests/unit/trace_text.h"

#include <stdio.h>

static int set_up(void **state)
{
	trace_three_set_up(state);
	trace_channel(*state, "tcp:[3]", "tcp", ",'peer':'tcp:[4]'");
	trace_channel(*state, "tcp:[4]", "tcp", "");
	return 0;
}

#define WRITTEN(from, to)                                                                          \
	",'at_entry':{'write_seq':" #from ",'copied_seq':1},"                                      \
	"'at_exit':{'write_seq':" #to ",'copied_seq':1}"
#define READ(from, to)                                                                             \
	",'at_entry':{'write_seq':1,'copied_seq':" #from "},"                                      \
	"'at_exit':{'write_seq':1,'copied_seq':" #to "}"

static void put(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns,
		uint64_t exit_ns, int64_t bytes, const char *more)
{
	trace_call(t, (struct call){id, "write", "send", pid, 0, 5, "tcp:[3]", enter_ns, exit_ns,
				    bytes, more});
}

static void get(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns,
		uint64_t exit_ns, int64_t bytes, const char *more)
{
	trace_call(t, (struct call){id, "read", "receive", pid, 0, 5, "tcp:[4]", enter_ns, exit_ns,
				    bytes, more});
}

/* It waited for all, and another one took what came meanwhile. */
static void receive_in_two_places(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 5, WRITTEN(100, 105));
	put(t, 2, 10, 20, 21, 5, WRITTEN(105, 110));
	put(t, 3, 10, 30, 31, 5, WRITTEN(110, 115));
	get(t, 4, 20, 5, 35, 10, ",'resumed_ns':33,'received_at':[100,105,110,115]" READ(100, 115));
	get(t, 5, 30, 22, 36, 5, ",'received_at':[105,110]" READ(105, 115));
	assert_string_equal(trace_messages(t), "tcp 10>20 5 s1+0 r4+0 exact\n"
					       "tcp 10>20 5 s3+0 r4+5 exact\n"
					       "tcp 10>30 5 s2+0 r5+0 exact\n");
}

static void begin_of(struct trace_text *t, const char *id, const char *pid, const char *more)
{
	trace_line(t,
		   "{'type':'operation','id':%s,'state':'begin','syscall':'recvfrom',"
		   "'role':'receive','pid':%s,'tid':%s,'fd':5,'channel':'tcp:[4]',%s}",
		   id, pid, pid, more);
}

/* A line so late that a round is run of all that ended before 31. */
static void round_until_31(struct trace_text *t)
{
	begin_of(t, "6", "30", "'enter_ns':200000030,'at_ns':200000031");
}

/*
 * A receive with MSG_WAITALL sleeps with its first bytes taken, until after another one has
 * returned with those behind them.
 */
static void sleeps_with_a_part(struct trace_text *t, bool returns_before_the_round)
{
	put(t, 1, 10, 10, 11, 5, WRITTEN(100, 105));
	begin_of(t, "4", "20", "'enter_ns':12,'at_ns':13,'flags':256");
	put(t, 2, 10, 20, 21, 5, WRITTEN(105, 110));
	get(t, 5, 30, 22, 26, 5, ",'received_at':[105,110]" READ(100, 110));
	put(t, 3, 10, 30, 31, 5, WRITTEN(110, 115));
	if (!returns_before_the_round)
		round_until_31(t);
	get(t, 4, 20, 12, 35, 10,
	    ",'flags':256,'resumed_ns':33,'received_at':[100,105,110,115]" READ(100, 115));
	if (returns_before_the_round)
		round_until_31(t);
	assert_string_equal(trace_messages(t), "tcp 10>30 5 s2+0 r5+0 exact\n"
					       "tcp 10>20 5 s1+0 r4+0 exact\n"
					       "tcp 10>20 5 s3+0 r4+5 exact\n");
}

static void receive_that_slept_with_a_part(void **state)
{
	sleeps_with_a_part(*state, true);
}

static void receive_that_sleeps_with_a_part(void **state)
{
	sleeps_with_a_part(*state, false);
}

/* The same, and nobody told: each order that fits is one too many. */
static void receive_that_may_be_torn(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 5, WRITTEN(100, 105));
	put(t, 2, 10, 20, 21, 5, WRITTEN(105, 110));
	put(t, 3, 10, 30, 31, 5, WRITTEN(110, 115));
	get(t, 4, 20, 5, 35, 10, ",'resumed_ns':33,'off_cpu_ns':9" READ(100, 115));
	get(t, 5, 30, 22, 36, 5, READ(105, 115));
	assert_non_null(strstr(trace_messages(t), "r5+0 ambiguous"));
	assert_null(strstr(trace_messages(t), "exact"));
}

/* One that is told is where it is, whatever those around it may have done. */
static void one_that_is_told_among_others(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 15, WRITTEN(100, 115));
	get(t, 2, 20, 12, 35, 10, ",'resumed_ns':33,'off_cpu_ns':9" READ(100, 115));
	get(t, 3, 30, 22, 36, 5, ",'received_at':[110,115]" READ(100, 115));
	assert_string_equal(trace_messages(t), "tcp 10>20 10 s1+0 r2+0 ambiguous\n"
					       "tcp 10>30 5 s1+10 r3+0 exact\n");
}

/* It slept with its buffer full, and another one wrote. The numbers go round. */
static void send_in_two_places(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 40, 200,
	    ",'resumed_ns':33,'sent_at':[4294967286,90,100,200]" WRITTEN(4294967286, 200));
	put(t, 2, 30, 12, 41, 10, ",'sent_at':[90,100]" WRITTEN(4294967286, 200));
	get(t, 3, 20, 50, 51, 210, READ(4294967286, 200));
	assert_string_equal(trace_messages(t), "tcp 10>20 100 s1+0 r3+0 exact\n"
					       "tcp 30>20 10 s2+0 r3+100 exact\n"
					       "tcp 10>20 100 s1+100 r3+110 exact\n");
}

/* Transfers tell no positions. The first round's bytes may be told behind the others'. */
static void transfers(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 20, WRITTEN(100, 120));
	trace_channel(t, "pipe:[8]", "pipe", "");
	trace_call(t, (struct call){2, "splice", "transfer", 20, 0, 5, "tcp:[4]", 20, 25, 15,
				    ",'fd_out':6,'channel_out':'pipe:[8]',"
				    "'received_at':[115,120,100,110]"});
	get(t, 3, 30, 21, 26, 5, ",'received_at':[110,115]" READ(100, 120));
	assert_string_equal(trace_messages(t), "tcp 10>20 10 s1+0 r2+0 exact\n"
					       "tcp 10>20 5 s1+15 r2+10 exact\n"
					       "tcp 10>30 5 s1+10 r3+0 exact\n"
					       "pipe 20>- 15 s2+0 - exact\n");
}

/* What could not be copied to the caller lies behind all that was. */
static void more_is_told_than_was_taken(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 20, WRITTEN(100, 120));
	get(t, 2, 20, 12, 13, 8, ",'received_at':[100,120]" READ(100, 108));
	get(t, 3, 30, 14, 15, 12, READ(108, 120));
	assert_string_equal(trace_messages(t), "tcp 10>20 8 s1+0 r2+0 exact\n"
					       "tcp 10>30 12 s1+8 r3+0 exact\n");
}

/* Too little is told: nobody says that what is told is true of the rest. */
static void less_is_told_than_was_taken(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 20, WRITTEN(100, 120));
	trace_lost(t, 9, 1);
	get(t, 2, 20, 12, 35, 10, ",'resumed_ns':33,'received_at':[100,105]" READ(100, 120));
	get(t, 3, 30, 13, 36, 10, READ(100, 120));
	assert_null(strstr(trace_messages(t), "exact"));
}

/* Nobody knows what a receive took that has no place: nothing is certainly left. */
static void no_rest_beside_a_receive_without_a_place(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 20, WRITTEN(100, 120));
	get(t, 2, 20, 12, 35, 7, READ(100, 120));
	assert_null(strstr(trace_messages(t), "exact"));
}

/* It sleeps for ever, and what was received of it was spliced: no position says how far that is. */
static void pending_was_spliced(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 10, 10, 11, 5, WRITTEN(100, 105));
	trace_line(t,
		   "{'type':'operation','id':2,'state':'pending','syscall':'write','role':'send',"
		   "'pid':10,'tid':10,'fd':5,'channel':'tcp:[3]','enter_ns':12,'at_ns':900,"
		   "'requested':4000,'at_entry':{'write_seq':105,'copied_seq':1}}");
	trace_call(t, (struct call){3, "splice", "transfer", 20, 0, 5, "tcp:[4]", 20, 21, 15,
				    ",'received_at':[100,115]"});
	trace_call(t, (struct call){4, "splice", "transfer", 30, 0, 5, "tcp:[4]", 22, 23, 20,
				    ",'received_at':[115,135]"});
	assert_string_equal(trace_messages(t), "tcp 10>20 5 s1+0 r3+0 exact\n"
					       "tcp 10>20 10 s2+0 r3+5 exact\n"
					       "tcp 10>30 20 s2+10 r4+0 exact\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(receive_in_two_places),
		TEST(receive_that_slept_with_a_part),
		TEST(receive_that_sleeps_with_a_part),
		TEST(receive_that_may_be_torn),
		TEST(one_that_is_told_among_others),
		TEST(send_in_two_places),
		TEST(transfers),
		TEST(more_is_told_than_was_taken),
		TEST(less_is_told_than_was_taken),
		TEST(no_rest_beside_a_receive_without_a_place),
		TEST(pending_was_spliced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
