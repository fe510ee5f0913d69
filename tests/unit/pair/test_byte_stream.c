// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Streams: pipes and connections. */
#include "tests/unit/trace_text.h"

/* A killed writer left no end record: what was read and nobody else wrote is its. */
static void killed_writer(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_pending(t, 2, 10, TRACE_PIPE, 12, 1048576, "");
	trace_get(t, 3, 20, 13, 14, 5, "");
	trace_get(t, 4, 20, 15, 16, 65536, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r3+0 exact\n"
					       "pipe 10>20 65536 s2+0 r4+0 exact\n");
}

#define DIGEST(text) ",'digest':'" text "','digest_len':5"

/* splice takes from one pipe and gives to another: one record, a receiver and a sender. */
static void spliced_in_between(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "pipe:[8]", "pipe", "");
	trace_put(t, 1, 10, 10, 11, 5, ",'payload':'hello'");
	trace_call(t, (struct call){2, "splice", "transfer", 20, 0, 3, "pipe:[7]", 12, 13, 3,
				    ",'fd_out':4,'channel_out':'pipe:[8]'"});
	trace_get(t, 3, 30, 14, 15, 2, ",'payload':'lo'");
	trace_call(t, (struct call){4, "read", "receive", 40, 0, 3, "pipe:[8]", 16, 17, 3,
				    ",'payload':'hel'"});
	assert_string_equal(trace_messages(t), "pipe 10>20 3 s1+0 r2+0 exact\n"
					       "pipe 10>30 2 s1+3 r3+0 exact\n"
					       "pipe 20>40 3 s2+0 r4+0 exact\n");
	assert_int_equal(t->pairing->messages[2]->from.operation->fd_out, 4);
}

static void loss_makes_all_ambiguous(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_get(t, 2, 20, 12, 13, 5, "");
	trace_lost(t, 20, 3);
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 ambiguous\n");
}

static void payload_slices(void **state)
{
	struct trace_text *t = *state;
	const struct viz_message *m;

	trace_put(t, 1, 10, 10, 11, 10, ",'payload':'0123456789'");
	trace_get(t, 2, 20, 12, 13, 4, ",'payload':'0123'");
	trace_get(t, 3, 20, 14, 15, 6, ",'payload':'456'");
	m = trace_pair(t)->messages[1];
	assert_int_equal(m->from.payload.len, 6);
	assert_memory_equal(m->from.payload.data, "456789", 6);
	assert_int_equal(m->to.payload.len, 3);
	assert_memory_equal(m->to.payload.data, "456", 3);
}

static void socketpair_both_ways(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", "");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 4, "");
	trace_socket(t, 2, false, 20, "unix:[2]", 12, 4, "");
	trace_socket(t, 3, true, 20, "unix:[2]", 14, 6, "");
	trace_socket(t, 4, false, 10, "unix:[1]", 16, 6, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 4 s1+0 r2+0 exact\n"
					       "unix-stream 20>10 6 s3+0 r4+0 exact\n");
	assert_string_equal(t->pairing->messages[0]->channel->id.data, "unix:[2]");
}

static const struct shape shapes[] = {
	{
		.name = "one_to_one",
		.calls = {PUTS(1, 10, 10, 11, 24, ""), GETS(2, 20, 12, 13, 24, "")},
		.messages = "pipe 10>20 24 s1+0 r2+0 exact\n",
	},
	{
		.name = "split_and_joined",
		.calls = {PUTS(1, 10, 10, 11, 10, ""), GETS(2, 20, 12, 13, 4, ""),
			  PUTS(3, 10, 14, 15, 5, ""), GETS(4, 20, 16, 17, 11, "")},
		.messages = "pipe 10>20 4 s1+0 r2+0 exact\n"
			    "pipe 10>20 6 s1+4 r4+0 exact\n"
			    "pipe 10>20 5 s3+0 r4+6 exact\n",
	},
	{
		.name = "large_write_read_before_it_ends",
		.calls = {GETS(2, 20, 9, 20, 65536, ""), GETS(3, 20, 21, 30, 65536, ""),
			  PUTS(1, 10, 10, 40, 131072, "")},
		.messages = "pipe 10>20 65536 s1+0 r2+0 exact\n"
			    "pipe 10>20 65536 s1+65536 r3+0 exact\n",
	},
	{
		.name = "failed_calls_move_nothing",
		.calls = {PUTS(1, 10, 10, 11, -11, ",'error':'EAGAIN'"),
			  GETS(2, 20, 12, 13, -4, ",'error':'EINTR'"), PUTS(3, 10, 14, 15, 5, ""),
			  GETS(4, 20, 16, 17, 5, "")},
		.messages = "pipe 10>20 5 s3+0 r4+0 exact\n",
	},
	{
		.name = "rest_is_unread",
		.calls = {PUTS(1, 10, 10, 11, 10, ""), GETS(2, 20, 12, 13, 4, "")},
		.messages = "pipe 10>20 4 s1+0 r2+0 exact\n"
			    "pipe 10>- 6 s1+4 - exact unread\n",
	},
	{
		/*
		 * What is read before anybody here wrote came from elsewhere; the write's place is
		 * behind it.
		 */
		.name = "read_before_it_was_written",
		.calls = {GETS(1, 20, 10, 11, 4, ""), PUTS(2, 10, 12, 13, 10, ""),
			  GETS(3, 20, 14, 15, 10, "")},
		.messages = "pipe ->20 4 - r1+0 ambiguous\n"
			    "pipe 10>20 10 s2+0 r3+0 ambiguous\n",
	},
	{
		/* Two writers, one after the other: the order is certain. */
		.name = "writers_in_turn",
		.calls = {PUTS(1, 10, 10, 11, 5, ""), PUTS(2, 30, 12, 13, 6, ""),
			  GETS(3, 20, 14, 15, 11, "")},
		.messages = "pipe 10>20 5 s1+0 r3+0 exact\n"
			    "pipe 30>20 6 s2+0 r3+5 exact\n",
	},
	{
		/*
		 * At the same time: who was first? What comes before and after them is certain all
		 * the same.
		 */
		.name = "writers_at_once",
		.calls = {PUTS(1, 10, 1, 2, 1, ""), PUTS(2, 10, 10, 15, 5, ""),
			  PUTS(3, 30, 12, 14, 6, ""), PUTS(4, 30, 20, 21, 1, ""),
			  GETS(5, 20, 30, 31, 13, "")},
		.messages = "pipe 10>20 1 s1+0 r5+0 exact\n"
			    "pipe 30>20 6 s3+0 r5+1 ambiguous\n"
			    "pipe 10>20 5 s2+0 r5+7 ambiguous\n"
			    "pipe 30>20 1 s4+0 r5+12 exact\n",
	},
	{
		/*
		 * The first writer is preempted in its call after its bytes were read: it was
		 * first.
		 */
		.name = "writer_returns_late",
		.calls = {PUTS(1, 10, 10, 50, 5, ""), GETS(2, 20, 12, 20, 5, ""),
			  PUTS(3, 30, 30, 40, 6, ""), GETS(4, 20, 41, 45, 6, "")},
		.messages = "pipe 10>20 5 s1+0 r2+0 exact\n"
			    "pipe 30>20 6 s3+0 r4+0 exact\n",
	},
	{
		/*
		 * Two readers wait at once, and there is one message at a time: each takes what
		 * there is.
		 */
		.name = "readers_wait_in_turn",
		.calls = {PUTS(1, 10, 10, 11, 5, ""), GETS(2, 20, 2, 12, 5, ""),
			  PUTS(3, 10, 20, 21, 6, ""), GETS(4, 30, 3, 22, 6, "")},
		.messages = "pipe 10>20 5 s1+0 r2+0 exact\n"
			    "pipe 10>30 6 s3+0 r4+0 exact\n",
	},
	{
		.name = "readers_at_once",
		.calls = {PUTS(1, 10, 10, 11, 12, ""), GETS(2, 20, 20, 25, 6, ""),
			  GETS(3, 30, 21, 24, 6, "")},
		.messages = "pipe 10>30 6 s1+0 r3+0 ambiguous\n"
			    "pipe 10>20 6 s1+6 r2+0 ambiguous\n",
	},
	{
		.name = "from_outside",
		.calls = {GETS(1, 20, 10, 11, 7, "")},
		.messages = "pipe ->20 7 - r1+0 exact\n",
	},
	{
		/* More came out than went in: nobody can say which bytes were a stranger's. */
		.name = "from_outside_too",
		.calls = {PUTS(1, 10, 10, 11, 5, ""), GETS(2, 20, 12, 13, 8, "")},
		.messages = "pipe 10>20 5 s1+0 r2+0 ambiguous\n"
			    "pipe ->20 3 - r2+5 ambiguous\n",
	},
	{
		/* Received before it was sent: what really came is not in the trace. */
		.name = "effect_before_cause",
		.calls = {GETS(1, 20, 10, 11, 5, ""), PUTS(2, 10, 20, 21, 5, "")},
		.messages = "pipe ->20 5 - r1+0 ambiguous\n"
			    "pipe 10>- 5 s2+0 - ambiguous unread\n",
	},
	{
		.name = "payload_contradicts",
		.calls = {PUTS(1, 10, 10, 11, 5, ",'payload':'hello'"),
			  PUTS(2, 10, 12, 13, 5, ",'payload':'world'"),
			  GETS(3, 20, 14, 15, 5, ",'payload':'world'")},
		.messages = "pipe 10>20 5 s1+0 r3+0 ambiguous\n"
			    "pipe 10>- 5 s2+0 - ambiguous unread\n",
	},
	{
		.name = "digest_contradicts",
		.calls = {PUTS(1, 10, 10, 11, 5, DIGEST("00000000000000aa")),
			  PUTS(2, 10, 12, 13, 5, DIGEST("00000000000000bb")),
			  GETS(3, 20, 14, 15, 5, DIGEST("00000000000000bb"))},
		.messages = "pipe 10>20 5 s1+0 r3+0 ambiguous\n"
			    "pipe 10>- 5 s2+0 - ambiguous unread\n",
	},
	{
		/* Of two lengths, digests say nothing. */
		.name = "digest_of_other_length",
		.calls = {PUTS(1, 10, 10, 11, 9, DIGEST("00000000000000aa")),
			  GETS(2, 20, 14, 15, 9, ",'digest':'00000000000000bb','digest_len':9")},
		.messages = "pipe 10>20 9 s1+0 r2+0 exact\n",
	},
	{
		/*
		 * The kernel's count of what lies in the pipe tells of bytes that moved unseen
		 * (splice).
		 */
		.name = "content_contradicts",
		.calls = {PUTS(1, 10, 10, 11, 5, ",'queued':9"),
			  GETS(2, 20, 2000000, 2000001, 5, ",'queued':4")},
		.messages = "pipe 10>20 5 s1+0 r2+0 ambiguous\n",
	},
	{
		.name = "content_agrees",
		.calls = {PUTS(1, 10, 10, 11, 5, ",'queued':5"),
			  GETS(2, 20, 2000000, 2000001, 3, ",'queued':2")},
		.messages = "pipe 10>20 3 s1+0 r2+0 exact\n"
			    "pipe 10>- 2 s1+3 - exact unread\n",
	},
	{
		/* The reader is under way when the sample is taken: it proves nothing. */
		.name = "content_sampled_too_early",
		.calls = {PUTS(1, 10, 10, 11, 5, ",'queued':0"),
			  GETS(2, 20, 12, 13, 5, ",'queued':0")},
		.messages = "pipe 10>20 5 s1+0 r2+0 exact\n",
	},
	{
		/* tee gives the bytes and leaves them where they are. */
		.name = "teed_in_between",
		.lines = {CHANNEL("pipe:[8]", "pipe", "")},
		.calls = {PUTS(1, 10, 10, 11, 5, ""),
			  {2, "tee", "transfer", 20, 0, 3, "pipe:[7]", 12, 13, 5,
			   ",'fd_out':4,'channel_out':'pipe:[8]'"},
			  GETS(3, 30, 14, 15, 5, ""),
			  {4, "read", "receive", 40, 0, 3, "pipe:[8]", 16, 17, 5, ""}},
		.messages = "pipe 10>30 5 s1+0 r3+0 exact\n"
			    "pipe 20>40 5 s2+0 r4+0 exact\n",
	},
	{
		/*
		 * From a file there is no source in the trace; into a file it is a receive like any
		 * other.
		 */
		.name = "between_file_and_pipe",
		.calls = {{1, "sendfile", "transfer", 10, 0, 3, NULL, 10, 11, 5,
			   ",'fd_out':4,'channel_out':'pipe:[7]'"},
			  {2, "splice", "transfer", 20, 0, 3, "pipe:[7]", 12, 13, 5,
			   ",'fd_out':9"}},
		.messages = "pipe 10>20 5 s1+0 r2+0 exact\n",
	},
	{
		/*
		 * A pipe that nobody in the trace made or reads leads outside: that is not unread.
		 */
		.name = "to_outside",
		.lines = {CHANNEL("pipe:[8]", "pipe", "")},
		.calls = {{1, "write", "send", 10, 0, 1, "pipe:[8]", 10, 11, 5, ""}},
		.messages = "pipe 10>- 5 s1+0 - exact\n",
	},
	{
		.name = "peeking_takes_nothing",
		.lines = {CHANNEL("unix:[1]", "unix-stream", ",'peer':'unix:[2]'"),
			  CHANNEL("unix:[2]", "unix-stream", "")},
		.calls = {SENDS(1, 10, "unix:[1]", 10, 4, ""),
			  RECEIVES(2, 20, "unix:[2]", 12, 4, ",'flags':2"),
			  RECEIVES(3, 20, "unix:[2]", 14, 4, ",'flags':0")},
		.messages = "unix-stream 10>20 4 s1+0 r3+0 exact\n",
	},
	{
		/*
		 * A TCP connection's two sockets find each other by their addresses, however they
		 * are written.
		 */
		.name = "tcp_by_address",
		.lines = {CHANNEL("tcp:[1]", "tcp",
				  ",'local_address':'127.0.0.1:4000','peer_address':'127.0.0.1:80',"
				  "'network':5"),
			  CHANNEL("tcp:[2]", "tcp",
				  ",'local_address':'[::ffff:127.0.0.1]:80',"
				  "'peer_address':'[::ffff:127.0.0.1]:4000','network':5"),
			  CHANNEL("tcp:[3]", "tcp",
				  ",'local_address':'127.0.0.1:80',"
				  "'peer_address':'127.0.0.1:4000','network':6")},
		.calls = {SENDS(1, 10, "tcp:[1]", 10, 4, ""),
			  RECEIVES(2, 20, "tcp:[2]", 12, 4, "")},
		.messages = "tcp 10>20 4 s1+0 r2+0 exact\n",
	},
	{
		/* recvmmsg(2) with MSG_TRUNC (32) returns how many messages, not bytes, it took. */
		.name = "tcp_thrown_away_by_recvmmsg",
		.lines = {CHANNEL("tcp:[1]", "tcp", ",'peer':'tcp:[2]'"),
			  CHANNEL("tcp:[2]", "tcp", "")},
		.calls = {SENDS(1, 10, "tcp:[1]", 10, 9, ""),
			  {2, "recvmmsg", "receive", 20, 0, 5, "tcp:[2]", 12, 13, 2,
			   ",'requested':2,'flags':32,'lengths':[4,3]"},
			  RECEIVES(3, 20, "tcp:[2]", 14, 2, "")},
		.messages = "tcp 10>20 7 s1+0 r2+0 exact\n"
			    "tcp 10>20 2 s1+7 r3+0 exact\n",
	},
	{
		/* It took some, and only its caller knows how many. */
		.name = "tcp_taken_by_getsockopt",
		.lines = {CHANNEL("tcp:[1]", "tcp", ",'peer':'tcp:[2]'"),
			  CHANNEL("tcp:[2]", "tcp", "")},
		.calls = {SENDS(1, 10, "tcp:[1]", 10, 9, ""),
			  {2, "getsockopt", "control", 20, 0, 5, "tcp:[2]", 12, 13, 0,
			   ",'option':{'level':'IPPROTO_TCP','name':'TCP_ZEROCOPY_RECEIVE'}"},
			  SENDS(3, 10, "tcp:[1]", 14, 2, "")},
		.messages = "tcp 10>- 9 s1+0 - ambiguous unread\n"
			    "tcp 10>- 2 s3+0 - exact unread\n",
	},
	{
		.name = "peer_named_by_operation",
		.lines = {CHANNEL("unix:[1]", "unix-stream", ""),
			  CHANNEL("unix:[2]", "unix-stream", "")},
		.calls = {SENDS(1, 10, "unix:[1]", 10, 4, ",'to':'unix:[2]'"),
			  RECEIVES(2, 20, "unix:[2]", 12, 4, "")},
		.messages = "unix-stream 10>20 4 s1+0 r2+0 exact\n",
	},
	{
		/* Two sockets claim the same peer: only one can have it. */
		.name = "peers_are_pairs",
		.lines = {CHANNEL("unix:[1]", "unix-stream", ",'peer':'unix:[2]'"),
			  CHANNEL("unix:[2]", "unix-stream", ",'peer':'unix:[1]'"),
			  CHANNEL("unix:[3]", "unix-stream", ",'peer':'unix:[2]'")},
		.calls = {SENDS(1, 10, "unix:[1]", 10, 4, ""), SENDS(2, 30, "unix:[3]", 11, 4, ""),
			  RECEIVES(3, 20, "unix:[2]", 12, 4, "")},
		.messages = "unix-stream 10>20 4 s1+0 r3+0 exact\n"
			    "unix-stream 30>- 4 s2+0 - exact\n",
	},
};

#define TEST(function) cmocka_unit_test_setup_teardown(function, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(killed_writer),
		TEST(spliced_in_between),
		TEST(loss_makes_all_ambiguous),
		TEST(payload_slices),
		TEST(socketpair_both_ways),
		/* clang-format on */
	};

	return trace_shapes_run(shapes, sizeof(shapes) / sizeof(shapes[0]), trace_pipe_set_up) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
