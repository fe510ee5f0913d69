// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What positions, the numbers of calls and names of sends prove, and what they leave open. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>
static int begin_with(void **state, const char *page_size)
{
	struct trace_text *t = trace_new();

	t->len = 0;
	trace_line(t,
		   "{'type':'header','format':'ipclens-trace','version':1,'tool':'0',"
		   "'kernel':'6','machine':'x86_64','clock':'CLOCK_MONOTONIC','start_ns':1,%s"
		   "'realtime_offset_ns':0,'processors':2,'options':{},'hooks':{}}",
		   page_size);
	trace_process(t, 10, "writer");
	trace_pipe(t, 10, TRACE_PIPE);
	trace_channel(t, TRACE_PIPE, "pipe", ",'capacity':8192");
	trace_fork(t, 10, 20, "reader", 5);
	trace_fork(t, 10, 30, "other", 6);
	*state = t;
	return 0;
}

static int set_up(void **state)
{
	return begin_with(state, "");
}

static int large_pages(void **state)
{
	return begin_with(state, "'page_size':16384,");
}

#define PUT(t, id, at_ns) trace_put(t, id, 10, at_ns, (at_ns) + 5, 5, "")
#define GET(t, id, at_ns) trace_get(t, id, 20, at_ns, (at_ns) + 5, 5, "")

/* On one processor the second call cannot have begun before the first. */
static void numbers_go_back(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1104, 10);
	PUT(t, 1102, 20);
	GET(t, 1106, 30);
	GET(t, 1108, 40);
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1104+0 r1106+0 ambiguous\n"
					       "pipe 10>20 5 s1102+0 r1108+0 ambiguous\n");
}

/* Two processors count apart. */
static void numbers_of_two_processors(void **state)
{
	struct trace_text *t = *state;

	PUT(t, 1105, 10);
	PUT(t, 1102, 20);
	GET(t, 1106, 30);
	GET(t, 1108, 40);
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1105+0 r1106+0 exact\n"
					       "pipe 10>20 5 s1102+0 r1108+0 exact\n");
}

static void two_large_writes(struct trace_text *t, const char *first, const char *second)
{
	trace_call(t,
		   (struct call){1102, "write", "send", 10, 0, 4, TRACE_PIPE, 10, 50, 8192, first});
	trace_call(t, (struct call){1104, "write", "send", 30, 0, 4, TRACE_PIPE, 11, 60, 4096,
				    second});
	trace_call(t, (struct call){1106, "read", "receive", 20, 0, 3, TRACE_PIPE, 70, 71, 12288,
				    POSITIONS(3, 0, 4096, 3, 3, 4096)});
}

/* The pipe was full while both wrote: the first may have let the second in between. */
static void torn_write(void **state)
{
	struct trace_text *t = *state;

	two_large_writes(t, POSITIONS(0, 0, 0, 3, 1, 4096), POSITIONS(1, 0, 4096, 3, 1, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 8192 s1102+0 r1106+0 ambiguous\n"
					       "pipe 30>20 4096 s1104+0 r1106+8192 ambiguous\n");
}

/* The first had returned before there were more pages than fit: nobody came between. */
static void write_kept_together(void **state)
{
	struct trace_text *t = *state;

	two_large_writes(t, POSITIONS(0, 0, 0, 2, 0, 4096), POSITIONS(2, 0, 4096, 3, 1, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 8192 s1102+0 r1106+0 exact\n"
					       "pipe 30>20 4096 s1104+0 r1106+8192 exact\n");
}

/* Where bytes lie is not evaluated: the same numbers stand for other bytes with other pages. */
static void write_with_large_pages(void **state)
{
	struct trace_text *t = *state;

	two_large_writes(t, POSITIONS(0, 0, 0, 2, 0, 4096), POSITIONS(2, 0, 4096, 3, 1, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 8192 s1102+0 r1106+0 ambiguous\n"
					       "pipe 30>20 4096 s1104+0 r1106+8192 ambiguous\n");
}

/* Two datagrams of that content, and two receives at once that name what they found first. */
static const char *two_receivers_of(struct trace_text *t, const char *contents[2],
				    const char *first, const char *second)
{
	char more[128];

	trace_udp(t);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(more, sizeof(more), ",'to':'udp:[2]'%s", contents[i]);
		trace_call(t, (struct call){1101 + 2 * i, "write", "send", 10, 0, 5, "udp:[1]",
					    10 + 10 * i, 12 + 10 * i, 5, more});
	}
	trace_call(t,
		   (struct call){1112, "read", "receive", 20, 0, 6, "udp:[2]", 40, 50, 5, first});
	trace_call(t,
		   (struct call){1114, "read", "receive", 30, 0, 6, "udp:[2]", 41, 51, 5, second});
	return trace_messages(t);
}

static const char *two_receivers(struct trace_text *t, const char *first, const char *second)
{
	return two_receivers_of(t, (const char *[]){"", ""}, first, second);
}

static void receivers_name_different_sends(void **state)
{
	assert_string_equal(two_receivers(*state, ",'chunks':[{'operation':1103}]",
					  ",'chunks':[{'operation':1101}]"),
			    "udp 10>20 5 s1103+0 r1112+0 exact\n"
			    "udp 10>30 5 s1101+0 r1114+0 exact\n");
}

/* Only one of them can have taken it. */
static void receivers_name_one_send(void **state)
{
	assert_string_equal(two_receivers(*state, ",'chunks':[{'operation':1101}]",
					  ",'chunks':[{'operation':1101}]"),
			    "udp 10>20 5 s1101+0 r1112+0 ambiguous\n"
			    "udp 10>30 5 s1103+0 r1114+0 ambiguous\n");
}

#define SAYS(text) ",'payload':'" text "'"
#define NAMES_FIRST(text) ",'chunks':[{'operation':1101}]" SAYS(text)

/* Who got other bytes than the named ones took the next one. */
static void bytes_tell_who_took_which(void **state)
{
	assert_string_equal(two_receivers_of(*state, (const char *[]){SAYS("hello"), SAYS("world")},
					     NAMES_FIRST("world"), NAMES_FIRST("hello")),
			    "udp 10>20 5 s1103+0 r1112+0 exact\n"
			    "udp 10>30 5 s1101+0 r1114+0 exact\n");
}

/* One of them is told by its bytes: the other one has what is left. */
static void one_tells_of_both(void **state)
{
	assert_string_equal(two_receivers_of(*state, (const char *[]){SAYS("hello"), SAYS("world")},
					     ",'chunks':[{'operation':1101}]",
					     NAMES_FIRST("hello")),
			    "udp 10>20 5 s1103+0 r1112+0 exact\n"
			    "udp 10>30 5 s1101+0 r1114+0 exact\n");
}

static void equal_bytes_tell_nothing(void **state)
{
	assert_string_equal(two_receivers_of(*state, (const char *[]){SAYS("hello"), SAYS("hello")},
					     NAMES_FIRST("hello"), NAMES_FIRST("hello")),
			    "udp 10>20 5 s1101+0 r1112+0 ambiguous\n"
			    "udp 10>30 5 s1103+0 r1114+0 ambiguous\n");
}

#define SINK(head, tail, end, then_head, then_tail, then_end)                                      \
	",'fd_out':4,'channel_out':'" TRACE_PIPE "'"                                               \
	",'sink_entry':{'head':" #head ",'tail':" #tail ",'end':" #end ",'start':0},"              \
	"'sink_exit':{'head':" #then_head ",'tail':" #then_tail ",'end':" #then_end ",'start':0}"

/*
 * What a socket gives lies where it lay there: several pages may be one buffer, and the offset of
 * the next one counts from the first of its pages.
 */
static void spliced_from_pages_that_are_one(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix-stream:[1]", "unix-stream", "");
	trace_call(t, (struct call){1102, "splice", "transfer", 10, 0, 3, "unix-stream:[1]", 10, 15,
				    16000, SINK(0, 0, 0, 1, 0, 16000)});
	trace_call(t, (struct call){1104, "read", "receive", 20, 0, 3, TRACE_PIPE, 20, 25, 16000,
				    POSITIONS(1, 0, 16000, 1, 1, 16000)});
	trace_call(t, (struct call){1106, "splice", "transfer", 10, 0, 3, "unix-stream:[1]", 30, 35,
				    8906, SINK(1, 1, 16000, 3, 1, 4578)});
	trace_call(t, (struct call){1108, "read", "receive", 20, 0, 3, TRACE_PIPE, 40, 45, 8906,
				    POSITIONS(3, 1, 4578, 3, 3, 4578)});
	trace_call(t, (struct call){1110, "splice", "transfer", 10, 0, 3, "unix-stream:[1]", 50, 55,
				    90, SINK(3, 3, 4578, 4, 3, 14049)});
	trace_call(t, (struct call){1112, "read", "receive", 20, 0, 3, TRACE_PIPE, 60, 65, 90,
				    POSITIONS(4, 3, 14049, 4, 4, 14049)});
	assert_non_null(strstr(trace_messages(t), "pipe 10>20 16000 s1102+0 r1104+0 exact\n"));
	assert_non_null(strstr(t->shown, "pipe 10>20 8906 s1106+0 r1108+0 exact\n"));
	assert_non_null(strstr(t->shown, "pipe 10>20 90 s1110+0 r1112+0 exact\n"));
}

/*
 * A receive is missing that took the beginning of spliced buffers: the last one has its end for
 * certain, so it is not laid behind the first one from the beginning on.
 */
static void end_of_spliced_buffers(void **state)
{
	struct trace_text *t = *state;

	trace_lost(t, 9, 1);
	trace_channel(t, "unix-stream:[1]", "unix-stream", "");
	trace_call(t, (struct call){1102, "splice", "transfer", 10, 0, 3, "unix-stream:[1]", 10, 15,
				    4888, SINK(0, 0, 0, 2, 0, 838)});
	trace_call(t,
		   (struct call){1104, "read", "receive", 20, 0, 3, TRACE_PIPE, 30, 35, 47,
				 AT("at_entry", 2, 0, 838, 2236) AT("at_exit", 2, 0, 838, 2283)});
	trace_call(t,
		   (struct call){1106, "read", "receive", 20, 0, 3, TRACE_PIPE, 40, 45, 2605,
				 AT("at_entry", 2, 0, 838, 2283) AT("at_exit", 2, 2, 838, 3109)});
	trace_call(t, (struct call){1108, "splice", "transfer", 10, 0, 3, "unix-stream:[1]", 50, 55,
				    6213, SINK(2, 2, 838, 4, 2, 3161)});
	assert_non_null(strstr(trace_messages(t), "pipe 10>20 2605 s1102+2283 r1106+0"));
}

/* A round falls between the receipt and the send's return, which has slept nowhere. */
static void received_before_the_send_returned(void **state)
{
	const uint64_t ms = 1000000;
	struct trace_text *t = *state;

	trace_udp(t);
	trace_call(t, (struct call){1103, "read", "receive", 20, 0, 6, "udp:[2]", 15 * ms, 20 * ms,
				    5, ""});
	trace_call(t, (struct call){1101, "write", "send", 10, 0, 5, "udp:[1]", 10 * ms, 300 * ms,
				    5, ",'to':'udp:[2]'"});
	PUT(t, 1105, 320 * ms);
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1101+0 r1103+0 exact\n"
					       "pipe 10>- 5 s1105+0 - exact unread\n");
}

/* The trace ends while a write is about it: what was taken meanwhile is nobody's, or another's. */
static void unread_beside_a_receive_of_unknown_bytes(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){1102, "write", "send", 10, 0, 4, TRACE_PIPE, 10, 20, 40000,
				    POSITIONS(0, 0, 0, 10, 0, 3136)});
	trace_line(t,
		   "{'type':'operation','id':1104,'syscall':'write','role':'send','pid':10,"
		   "'tid':10,'fd':4,'channel':'%s','enter_ns':30,'state':'begin','at_ns':31,"
		   "'requested':40000,'at_entry':{'head':10,'tail':0,'end':3136,'start':0}}",
		   TRACE_PIPE);
	trace_call(t, (struct call){1106, "read", "receive", 20, 0, 3, TRACE_PIPE, 8, 50, 40000,
				    POSITIONS(0, 0, 0, 16, 10, 4096)});
	assert_string_equal(trace_messages(t), "pipe ->20 40000 - r1106+0 ambiguous\n"
					       "pipe 10>- 40000 s1102+0 - ambiguous unread\n");
}

/* splice(2) of the first process's pipe into a file: `start` is what was taken of the buffer. */
/* clang-format off */
#define TAKES(id, at, bytes, head, tail, end, start, then_tail, then_end, then_start)              \
	{id, "splice", "transfer", 20, 0, 3, TRACE_PIPE, at, (at) + 5, bytes,                      \
	 AT("at_entry", head, tail, end, start)                                                    \
	 AT("at_exit", head, then_tail, then_end, then_start)}
/* clang-format on */

static const struct shape shapes[] = {
	{
		/*
		 * fs/splice.c, iter_file_splice_write: what goes into a file whole is left with a
		 * length of 0, so the empty pipe seems to end where its last piece began.
		 */
		.name = "spliced_into_a_file",
		.calls = {PUTS(1102, 10, 10, 15, 41, POSITIONS(0, 0, 0, 1, 0, 41)),
			  PUTS(1104, 30, 20, 25, 40, POSITIONS(1, 0, 41, 1, 0, 81)),
			  TAKES(1106, 30, 1, 1, 0, 81, 0, 0, 81, 1),
			  TAKES(1108, 40, 80, 1, 0, 81, 1, 1, 1, 0),
			  PUTS(1110, 10, 50, 55, 41, POSITIONS(1, 1, 1, 2, 1, 41)),
			  TAKES(1112, 60, 41, 2, 1, 41, 0, 2, 0, 0)},
		.messages = "pipe 10>20 1 s1102+0 r1106+0 exact\n"
			    "pipe 10>20 40 s1102+1 r1108+0 exact\n"
			    "pipe 30>20 40 s1104+0 r1108+40 exact\n"
			    "pipe 10>20 41 s1110+0 r1112+0 exact\n",
	},
	{
		/* The file had it all when the write returned, and nobody saw it in the pipe. */
		.name = "spliced_into_a_file_before_the_write_returned",
		.calls = {PUTS(1102, 10, 10, 30, 41, POSITIONS(0, 0, 0, 1, 1, 0)),
			  {1104, "splice", "transfer", 20, 0, 3, TRACE_PIPE, 5, 25, 41,
			   POSITIONS(0, 0, 0, 1, 1, 0)}},
		.messages = "pipe 10>20 41 s1102+0 r1104+0 exact\n",
	},
	{
		/*
		 * A reader moved on while the writer looked: it saw an end before what it had just
		 * put there.
		 */
		.name = "end_before_what_it_wrote",
		.calls = {PUTS(1102, 30, 10, 15, 5, POSITIONS(0, 0, 0, 1, 0, 5)),
			  PUTS(1104, 10, 20, 25, 5, POSITIONS(1, 0, 5, 1, 0, 0)),
			  GETS(1106, 20, 21, 26, 10, POSITIONS(1, 0, 5, 1, 1, 10)),
			  PUTS(1108, 10, 30, 35, 5, POSITIONS(1, 1, 10, 2, 1, 5)),
			  GETS(1110, 20, 40, 45, 5, POSITIONS(2, 1, 5, 2, 2, 5))},
		.messages = "pipe 30>20 5 s1102+0 r1106+0 exact\n"
			    "pipe 10>20 5 s1104+0 r1106+5 ambiguous\n"
			    "pipe 10>20 5 s1108+0 r1110+0 exact\n",
	},
	{
		/* The first one's last buffer had not its length yet when the second one looked. */
		.name = "begin_behind_a_buffer_that_was_not_filled",
		.calls = {PUTS(1102, 10, 10, 25, 5000, POSITIONS(0, 0, 0, 2, 0, 904)),
			  PUTS(1104, 30, 20, 35, 7000, POSITIONS(2, 0, 4096, 3, 0, 4096)),
			  GETS(1106, 20, 40, 45, 12000, POSITIONS(3, 0, 4096, 3, 3, 4096))},
		.messages = "pipe 10>20 5000 s1102+0 r1106+0 exact\n"
			    "pipe 30>20 7000 s1104+0 r1106+5000 ambiguous\n",
	},
	{
		/* The same, and it ended in that buffer. */
		.name = "begin_behind_its_own_end",
		.calls = {PUTS(1102, 10, 10, 25, 5, POSITIONS(0, 0, 0, 1, 0, 5)),
			  PUTS(1104, 30, 20, 35, 5, POSITIONS(1, 0, 3000, 1, 0, 10)),
			  PUTS(1106, 10, 40, 45, 5, POSITIONS(1, 0, 10, 1, 0, 15)),
			  GETS(1108, 20, 50, 55, 15, POSITIONS(1, 0, 15, 1, 1, 15))},
		.messages = "pipe 10>20 5 s1102+0 r1108+0 exact\n"
			    "pipe 30>20 5 s1104+0 r1108+5 ambiguous\n"
			    "pipe 10>20 5 s1106+0 r1108+10 exact\n",
	},
	{
		/*
		 * A reader took the last byte while its writer looked, and nobody wrote behind it.
		 */
		.name = "end_of_a_last_write_that_was_read",
		.calls = {PUTS(1102, 10, 10, 15, 12, POSITIONS(0, 0, 0, 1, 0, 12)),
			  GETS(1104, 20, 20, 25, 12, POSITIONS(1, 0, 12, 1, 1, 12)),
			  PUTS(1106, 30, 30, 40, 1, POSITIONS(1, 1, 12, 2, 1, 0)),
			  GETS(1108, 20, 35, 45, 1, POSITIONS(2, 1, 1, 2, 2, 1))},
		.messages = "pipe 10>20 12 s1102+0 r1104+0 exact\n"
			    "pipe 30>20 1 s1106+0 r1108+0 ambiguous\n",
	},
	{
		/*
		 * What it found when it took the lock again, two of its pages written, is not its
		 * beginning.
		 */
		.name = "write_that_slept_while_full",
		.calls = {{1102, "write", "send", 10, 0, 4, TRACE_PIPE, 10, 50, 12288,
			   POSITIONS(0, 0, 0, 3, 1,
				     4096) ",'at_lock':{'head':2,'tail':1,'end':4096,'start':0}"},
			  {1104, "read", "receive", 20, 0, 3, TRACE_PIPE, 30, 31, 4096,
			   POSITIONS(2, 0, 4096, 2, 1, 4096)},
			  {1106, "read", "receive", 20, 0, 3, TRACE_PIPE, 60, 61, 8192,
			   POSITIONS(3, 1, 4096, 3, 3, 4096)}},
		.messages = "pipe 10>20 4096 s1102+0 r1104+0 exact\n"
			    "pipe 10>20 8192 s1102+4096 r1106+0 exact\n",
	},
	{
		/*
		 * Nothing tells which came first: who began first is the better guess, whenever he
		 * returned.
		 */
		.name = "guess_by_beginning",
		.calls = {PUTS(1102, 10, 10, 40, 10, POSITIONS(0, 0, 0, 1, 0, 20)),
			  PUTS(1104, 30, 12, 20, 10, POSITIONS(0, 0, 0, 1, 0, 20)),
			  GETS(1106, 20, 50, 51, 20, POSITIONS(1, 0, 20, 1, 1, 20))},
		.messages = "pipe 10>20 10 s1102+0 r1106+0 ambiguous\n"
			    "pipe 30>20 10 s1104+0 r1106+10 ambiguous\n",
	},
	{
		/*
		 * The one that slept ran again before the other one began, but then it had to lock
		 * the pipe.
		 */
		.name = "guess_by_end_of_a_sleeper",
		.calls = {GETS(1102, 20, 10, 60, 10,
			       POSITIONS(0, 0, 0, 1, 1, 20) ",'off_cpu_ns':25,'resumed_ns':40"),
			  PUTS(1104, 10, 20, 30, 20, POSITIONS(0, 0, 0, 1, 0, 20)),
			  GETS(1106, 30, 45, 50, 10, POSITIONS(1, 0, 20, 1, 1, 20))},
		.messages = "pipe 10>30 10 s1104+0 r1106+0 ambiguous\n"
			    "pipe 10>20 10 s1104+10 r1102+0 ambiguous\n",
	},
	{
		/* Both ran until the end; the one that woke somebody had read by then. */
		.name = "guess_by_who_woke_somebody",
		.calls = {PUTS(1104, 10, 10, 15, 20, POSITIONS(0, 0, 0, 1, 0, 20)),
			  GETS(1106, 30, 20, 50, 10, POSITIONS(1, 0, 20, 1, 1, 20)),
			  GETS(1108, 20, 22, 60, 10,
			       POSITIONS(1, 0, 20, 1, 1, 20) ",'woke_ns':30")},
		.messages = "pipe 10>30 10 s1104+10 r1106+0 ambiguous\n"
			    "pipe 10>20 10 s1104+0 r1108+0 ambiguous\n",
	},
	{
		/* What the trace kept of the bytes tells which of them was first. */
		.name = "readers_told_apart_by_their_bytes",
		.calls = {PUTS(1104, 10, 10, 15, 10,
			       POSITIONS(0, 0, 0, 1, 0, 10) ",'payload':'firstother'"),
			  GETS(1106, 30, 20, 50, 5,
			       POSITIONS(1, 0, 10, 1, 1, 10) ",'payload':'other'"),
			  GETS(1108, 20, 22, 60, 5,
			       POSITIONS(1, 0, 10, 1, 1, 10) ",'payload':'first'")},
		.messages = "pipe 10>30 5 s1104+5 r1106+0 exact\n"
			    "pipe 10>20 5 s1104+0 r1108+0 exact\n",
	},
	{
		/* Neither slept nor woke anybody. */
		.name = "guess_by_the_middle",
		.calls = {PUTS(1104, 10, 10, 15, 20, POSITIONS(0, 0, 0, 1, 0, 20)),
			  GETS(1106, 30, 20, 60, 10, POSITIONS(1, 0, 20, 1, 1, 20)),
			  GETS(1108, 20, 30, 58, 10, POSITIONS(1, 0, 20, 1, 1, 20))},
		.messages = "pipe 10>20 10 s1104+10 r1108+0 ambiguous\n"
			    "pipe 10>30 10 s1104+0 r1106+0 ambiguous\n",
	},
};

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_go_back),
		TEST(numbers_of_two_processors),
		TEST(torn_write),
		TEST(write_kept_together),
		cmocka_unit_test_setup_teardown(write_with_large_pages, large_pages,
						trace_tear_down),
		TEST(receivers_name_different_sends),
		TEST(receivers_name_one_send),
		TEST(bytes_tell_who_took_which),
		TEST(one_tells_of_both),
		TEST(equal_bytes_tell_nothing),
		TEST(spliced_from_pages_that_are_one),
		TEST(end_of_spliced_buffers),
		TEST(received_before_the_send_returned),
		TEST(unread_beside_a_receive_of_unknown_bytes),
	};

	return trace_shapes_run(shapes, sizeof(shapes) / sizeof(shapes[0]), set_up) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
