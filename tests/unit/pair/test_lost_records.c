// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Traces of which records are missing: what is proved all the same, and what is left open. */
#include "tests/unit/trace_text.h"

#include <stdio.h>

static void add_rest(struct trace_text *t)
{
	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", "");
	trace_lost(t, 9, 1);
}

static int set_up(void **state)
{
	trace_pipe_set_up(state);
	add_rest(*state);
	return 0;
}

static int set_up_fifo(void **state)
{
	trace_fifo_set_up(state);
	add_rest(*state);
	return 0;
}

/* A write fills a slot of the pipe; a read found it empty and sees so many slots filled then. */
static void fill_slot(struct trace_text *t, unsigned slot, uint64_t at_ns)
{
	char more[200];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':%u,'tail':%u,'end':10,'start':0},"
		 "'at_exit':{'head':%u,'tail':%u,'end':10,'start':0}",
		 slot - 1, slot - 1, slot, slot - 1);
	trace_put(t, 1000 + 2 * (unsigned)at_ns, 10, at_ns, at_ns + 2, 10, more);
}

static void read_between(struct trace_text *t, uint32_t pid, unsigned from, unsigned to,
			 uint64_t at_ns, uint64_t to_ns)
{
	char more[200];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':%u,'tail':%u,'end':10,'start':0},"
		 "'at_exit':{'head':%u,'tail':%u,'end':10,'start':0}",
		 from, from, to, to);
	trace_get(t, 1000 + 2 * (unsigned)to_ns, pid, at_ns, to_ns, 10, more);
}

/* Who may have taken what is missing has not taken what is there. */
static void readers_around_a_missing_write(void **state)
{
	struct trace_text *t = *state;

	read_between(t, 20, 0, 1, 10, 30);
	fill_slot(t, 1, 20);
	read_between(t, 30, 0, 2, 11, 50);
	fill_slot(t, 2, 40);
	read_between(t, 20, 1, 3, 31, 70); /* slot 3 */
	fill_slot(t, 4, 80);
	read_between(t, 20, 3, 4, 78, 90);
	assert_string_equal(trace_messages(t), "pipe 10>20 10 s1040+0 r1060+0 exact\n"
					       "pipe 10>30 10 s1080+0 r1100+0 exact\n"
					       "pipe ->20 10 - r1140+0 ambiguous\n"
					       "pipe 10>20 10 s1160+0 r1180+0 exact\n");
}

/* A write of 10 bytes behind `end`, in the first slot. */
static void put_behind(struct trace_text *t, unsigned id, uint64_t at_ns, unsigned end)
{
	char more[200];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':1,'tail':0,'end':%u,'start':0},"
		 "'at_exit':{'head':1,'tail':0,'end':%u,'start':0}",
		 end, end + 10);
	trace_put(t, id, 10, at_ns, at_ns + 2, 10, more);
}

/* One write slept through all others, of which one is missing: it wrote when it ran again. */
static const char *slept_through_others(struct trace_text *t, const char *woken_by)
{
	char more[256];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':0,'tail':0,'end':0,'start':0},"
		 "'at_exit':{'head':1,'tail':0,'end':40,'start':0},"
		 "'off_cpu_ns':40,'resumed_ns':60%s",
		 woken_by);
	trace_put(t, 1201, 30, 10, 70, 10, more);
	put_behind(t, 1203, 20, 0);
	put_behind(t, 1205, 40, 20);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(more, sizeof(more),
			 ",'at_entry':{'head':1,'tail':0,'end':40,'start':%u},"
			 "'at_exit':{'head':1,'tail':%u,'end':40,'start':%u}",
			 10 * i, i / 3, 10 * i + 10);
		trace_get(t, 1302 + 2 * i, 20, 80 + 5 * i, 82 + 5 * i, 10, more);
	}
	return trace_messages(t);
}

#define BEHIND                                                                                     \
	"pipe 10>20 10 s1203+0 r1302+0 exact\n"                                                    \
	"pipe ->20 10 - r1304+0 ambiguous\n"                                                       \
	"pipe 10>20 10 s1205+0 r1306+0 exact\n"                                                    \
	"pipe 30>20 10 s1201+0 r1308+0 exact\n"

static void a_write_that_slept_through_others(void **state)
{
	assert_string_equal(slept_through_others(*state, ""), BEHIND);
}

/* Behind a write to a FIFO a file system may sleep: only who was woken through it had to wait. */
static void a_write_to_a_fifo_that_slept(void **state)
{
	assert_null(strstr(slept_through_others(*state, ""), "s1201+0 r"));
}

static void a_write_to_a_fifo_that_a_reader_woke(void **state)
{
	struct trace_text *t = *state;

	trace_get(t, 1300, 20, 14, 58, 10,
		  ",'at_entry':{'head':0,'tail':0,'end':0,'start':0},"
		  "'at_exit':{'head':1,'tail':0,'end':10,'start':0}");
	assert_non_null(
		strstr(slept_through_others(t, ",'woken_by':{'pid':20,'tid':20,'operation':1300,"
					       "'at_ns':57}"),
		       "fifo 30>20 10 s1201+0 r1308+0 exact\n"));
}

/*
 * Two waited for room. What is spliced notes no time, so the second one to run again lies behind
 * all that the first one saw, who saw a buffer that is its own.
 */
static void spliced_into_a_fifo_behind_a_write(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1102, 10, 10, 15, 48, POSITIONS(0, 0, 0, 1, 0, 48));
	trace_get(t, 1108, 20, 30, 40, 48, POSITIONS(1, 0, 48, 1, 1, 48));
	trace_put(t, 1106, 10, 21, 50, 16,
		  POSITIONS(1, 0, 48, 2, 1, 16) ",'resumed_ns':45,"
						"'woken_by':{'pid':20,'tid':20,'operation':1108,"
						"'at_ns':35}");
	trace_call(t, (struct call){1104, "vmsplice", "send", 30, 0, 4, TRACE_PIPE, 20, 60, 16,
				    POSITIONS(1, 0, 48, 3, 1, 16) ",'resumed_ns':55"});
	trace_get(t, 1110, 20, 70, 75, 32, POSITIONS(3, 1, 16, 3, 3, 16));
	assert_string_equal(trace_messages(t), "fifo 10>20 48 s1102+0 r1108+0 exact\n"
					       "fifo 10>20 16 s1106+0 r1110+0 exact\n"
					       "fifo 30>20 16 s1104+0 r1110+16 exact\n");
}

#define SLOTS(head, tail, then_head, then_tail)                                                    \
	",'at_entry':{'head':" #head ",'tail':" #tail ",'end':9,'start':0},"                       \
	"'at_exit':{'head':" #then_head ",'tail':" #then_tail ",'end':9,'start':0}"
#define PACKETS ",'packets':true"

/* Each packet has a slot of its own: who put it where, and who took it from there, is certain. */
static void packets_by_slot(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1101, 10, 10, 30, 9, PACKETS SLOTS(0, 0, 2, 0));
	trace_put(t, 1103, 30, 11, 20, 9, PACKETS SLOTS(0, 0, 1, 0));
	trace_put(t, 1105, 10, 31, 32, 5000, PACKETS SLOTS(2, 0, 4, 0));
	/* the read of slot 0 is missing */
	trace_get(t, 1109, 20, 42, 43, 9, SLOTS(4, 1, 4, 2));
	trace_get(t, 1111, 20, 44, 45, 4096, SLOTS(4, 2, 4, 3));
	trace_get(t, 1113, 20, 46, 47, 100, SLOTS(4, 3, 4, 4));
	assert_string_equal(trace_messages(t),
			    "pipe 10>20 9 s1101+0 r1109+0 exact\n"
			    "pipe 10>20 4096 s1105+0 r1111+0 exact\n"
			    "pipe 10>20 100 s1105+4096 r1113+0 exact truncated\n");
}

#define SOCK(t, id, send, at, bytes, more)                                                         \
	trace_socket(t, id, send, (send) ? 10 : 20, (send) ? "unix:[1]" : "unix:[2]", at, bytes,   \
		     more)
#define URGENT ",'flags':1"

/* The byte names a send that is not here: it is not the other one's. */
static void urgent_byte_of_a_missing_send(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1101, true, 10, 7, URGENT ",'requested':7");
	SOCK(t, 1105, false, 14, 1, URGENT ",'chunks':[{'operation':1103,'offset':0,'bytes':1}]");
	trace_pair(t);
	for (size_t i = 0; i < t->pairing->message_count; i++)
		assert_int_equal(t->pairing->messages[i]->match, MATCH_AMBIGUOUS);
}

/* Buffers that are named need no order; what is missing is nobody's. */
static void urgent_bytes_by_buffer(void **state)
{
	struct trace_text *t = *state;

	SOCK(t, 1103, false, 14, 1, URGENT ",'chunks':[{'operation':1101,'offset':0,'bytes':1}]");
	SOCK(t, 1105, true, 16, 7, URGENT ",'requested':7");
	SOCK(t, 1107, false, 18, 6, ",'chunks':[{'operation':1105,'offset':0,'bytes':6}]");
	SOCK(t, 1109, false, 20, 1, URGENT ",'chunks':[{'operation':1105,'offset':0,'bytes':1}]");
	assert_string_equal(trace_messages(t), "unix-stream ->20 1 - r1103+0 ambiguous\n"
					       "unix-stream 10>20 6 s1105+0 r1107+0 exact\n"
					       "unix-stream 10>20 1 s1105+6 r1109+0 exact\n");
}

#define TCP(t, id, send, at, bytes, more)                                                          \
	trace_socket(t, id, send, (send) ? 10 : 20, (send) ? "tcp:[3]" : "tcp:[4]", at, bytes, more)
#define WRITTEN(from, to)                                                                          \
	",'at_entry':{'write_seq':" #from ",'copied_seq':1},"                                      \
	"'at_exit':{'write_seq':" #to ",'copied_seq':1}"
#define READ(from, to, arrived)                                                                    \
	",'at_entry':{'write_seq':1,'copied_seq':" #from ",'rcv_nxt':" #arrived "},"               \
	"'at_exit':{'write_seq':1,'copied_seq':" #to ",'rcv_nxt':" #arrived "}"

/* The last one may be of the send that is missing: it lies beyond what the other one sent. */
static void urgent_bytes_by_place(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "tcp:[3]", "tcp", ",'peer':'tcp:[4]'");
	trace_channel(t, "tcp:[4]", "tcp", "");
	TCP(t, 1101, true, 10, 7, URGENT WRITTEN(100, 107));
	TCP(t, 1103, false, 12, 6, READ(100, 106, 107));
	TCP(t, 1105, false, 14, 1, URGENT READ(106, 106, 107));
	TCP(t, 1109, true, 20, 5, URGENT WRITTEN(110, 115)); /* three bytes before are missing */
	TCP(t, 1111, false, 22, 4, READ(109, 114, 115));
	TCP(t, 1113, false, 24, 1, URGENT READ(114, 114, 115));
	TCP(t, 1115, true, 30, 5, WRITTEN(115, 120));
	TCP(t, 1117, false, 32, 5, READ(114, 120, 120)); /* beyond the urgent byte */
	TCP(t, 1121, false, 42, 1, URGENT READ(120, 120, 123));
	assert_string_equal(trace_messages(t), "tcp 10>20 6 s1101+0 r1103+0 exact\n"
					       "tcp 10>20 1 s1101+6 r1105+0 exact\n"
					       "tcp 10>20 4 s1109+0 r1111+0 exact\n"
					       "tcp 10>20 1 s1109+4 r1113+0 exact\n"
					       "tcp 10>20 5 s1115+0 r1117+0 exact\n"
					       "tcp ->20 1 - r1121+0 ambiguous\n");
}

/* No buffer names an empty packet: between two that are lies what lies between their sends. */
static void empty_packets(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[5]", "unix-seqpacket", ",'peer':'unix:[6]'");
	trace_channel(t, "unix:[6]", "unix-seqpacket", "");
	for (unsigned i = 0; i < 5; i++) /* 1101: 4 bytes, 1103: none, … */
		trace_call(t, (struct call){1101 + 2 * i, "write", "send", 10, 0, 5, "unix:[5]",
					    10 + 2 * i, 11 + 2 * i, i % 2 ? 0 : 4, ""});
	/* the first two receives are missing */
	trace_call(t, (struct call){1115, "recvfrom", "receive", 20, 0, 6, "unix:[6]", 34, 35, 4,
				    ",'requested':9,'chunks':[{'operation':1105,'bytes':4}]"});
	trace_call(t, (struct call){1117, "recvfrom", "receive", 20, 0, 6, "unix:[6]", 36, 37, 0,
				    ",'requested':9"});
	trace_call(t, (struct call){1119, "recvfrom", "receive", 20, 0, 6, "unix:[6]", 38, 39, 4,
				    ",'requested':9,'chunks':[{'operation':1109,'bytes':4}]"});
	trace_call(t, (struct call){1121, "recvfrom", "receive", 20, 0, 6, "unix:[6]", 40, 41, 0,
				    ",'requested':9"});
	assert_string_equal(trace_messages(t),
			    "unix-seqpacket 10>20 4 s1105+0 r1115+0 exact\n"
			    "unix-seqpacket 10>20 0 s1107+0 r1117+0 ambiguous\n"
			    "unix-seqpacket 10>20 4 s1109+0 r1119+0 exact\n"
			    "unix-seqpacket 10>- 4 s1101+0 - ambiguous unread\n"
			    "unix-seqpacket 10>- 0 s1103+0 - ambiguous unread\n");
	assert_int_equal(t->pairing->eof_count, 1);
}

static void kill_at(struct trace_text *t, unsigned id, uint64_t at_ns, int number)
{
	trace_call(t,
		   (struct call){id, "kill", "signal", 10, 0, -1, NULL, at_ns, at_ns + 2, 0, ""});
	trace_line(t,
		   "{'type':'signal','event':'generate','at_ns':%lu,'signal':'%d','number':%d,"
		   "'to':{'pid':20,'tid':20},'origin':'kill','from':{'pid':10,'tid':10},"
		   "'group':true,'result':'queued','operation':%u}",
		   (unsigned long)at_ns + 1, number, number, id);
}

static void wait_at(struct trace_text *t, unsigned id, uint64_t at_ns, int number, const char *more)
{
	trace_call(t, (struct call){id, "rt_sigtimedwait", "wait", 20, 0, -1, NULL, at_ns,
				    at_ns + 8, number, more});
}

/* One that sleeps has found none of its number, one that takes a number has found no lower one. */
static void signals_taken_by_missing_waits(void **state)
{
	struct trace_text *t = *state;

	kill_at(t, 1101, 10, 34); /* its wait is missing */
	wait_at(t, 1105, 17, 34, ",'off_cpu_ns':5,'resumed_ns':24");
	kill_at(t, 1103, 20, 34);
	kill_at(t, 1107, 30, 34); /* the same */
	kill_at(t, 1109, 33, 35);
	wait_at(t, 1111, 40, 35, "");
	kill_at(t, 1113, 50, 34);
	wait_at(t, 1115, 60, 34, "");
	assert_string_equal(trace_messages(t), "34 10>20 0 s1103+0 r1105+0 ambiguous handled\n"
					       "35 10>20 0 s1109+0 r1111+0 ambiguous handled\n"
					       "34 10>20 0 s1113+0 r1115+0 ambiguous handled\n"
					       "34 10>20 0 s1101+0 - ambiguous\n"
					       "34 10>20 0 s1107+0 - ambiguous\n");
}

/* What the waits were told of them tells which they are. */
static void signals_named_by_what_they_bring(void **state)
{
	static const struct {
		unsigned at_ns, value;
	} sent[] = {{10, 7}, {20, 8}, {30, 9}};
	struct trace_text *t = *state;

	for (unsigned i = 0; i < 3; i++)
		trace_line(t,
			   "{'type':'signal','event':'generate','at_ns':%u,'signal':'34',"
			   "'number':34,'to':{'pid':20,'tid':20},'origin':'queue','code':-1,"
			   "'value':%u,'from':{'pid':10,'tid':10},'group':true,'result':'queued'}",
			   sent[i].at_ns, sent[i].value);
	wait_at(t, 1105, 40, 34, ",'taken':{'code':-1,'pid':10,'value':8}");
	wait_at(t, 1107, 50, 34, ",'taken':{'code':-1,'pid':10,'value':9}");
	wait_at(t, 1109, 60, 34, ",'taken':{'code':-1,'pid':10,'value':10}");
	assert_string_equal(trace_messages(t), "34 10>20 0 - r1105+0 ambiguous handled\n"
					       "34 10>20 0 - r1107+0 ambiguous handled\n"
					       "SIGRTMIN ->20 0 - r1109+0 ambiguous handled\n"
					       "34 10>20 0 - - ambiguous\n");
	assert_int_equal(t->pairing->signals[0]->fate, FATE_NONE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)
#define TEST_FIFO(function) cmocka_unit_test_setup_teardown(function, set_up_fifo, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(readers_around_a_missing_write),
		TEST(a_write_that_slept_through_others),
		TEST_FIFO(a_write_to_a_fifo_that_slept),
		TEST_FIFO(a_write_to_a_fifo_that_a_reader_woke),
		TEST_FIFO(spliced_into_a_fifo_behind_a_write),
		TEST(packets_by_slot),
		TEST(urgent_bytes_by_buffer),
		TEST(urgent_bytes_by_place),
		TEST(empty_packets),
		TEST(signals_taken_by_missing_waits),
		TEST(signals_named_by_what_they_bring),
		TEST(urgent_byte_of_a_missing_send),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
