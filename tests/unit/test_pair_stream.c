// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Streams: pipes and connections. */
#include "trace_text.h"

static void one_to_one(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 24, "");
	trace_get(t, 2, 20, 12, 13, 24, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 24 s1+0 r2+0 exact\n");
}

static void split_and_joined(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 10, "");
	trace_get(t, 2, 20, 12, 13, 4, "");
	trace_put(t, 3, 10, 14, 15, 5, "");
	trace_get(t, 4, 20, 16, 17, 11, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 4 s1+0 r2+0 exact\n"
					       "pipe 10>20 6 s1+4 r4+0 exact\n"
					       "pipe 10>20 5 s3+0 r4+6 exact\n");
}

static void large_write_read_before_it_ends(void **state)
{
	struct trace_text *t = *state;

	trace_get(t, 2, 20, 9, 20, 65536, "");
	trace_get(t, 3, 20, 21, 30, 65536, "");
	trace_put(t, 1, 10, 10, 40, 131072, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 65536 s1+0 r2+0 exact\n"
					       "pipe 10>20 65536 s1+65536 r3+0 exact\n");
}

static void failed_calls_move_nothing(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, -11, ",'error':'EAGAIN'");
	trace_get(t, 2, 20, 12, 13, -4, ",'error':'EINTR'");
	trace_put(t, 3, 10, 14, 15, 5, "");
	trace_get(t, 4, 20, 16, 17, 5, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s3+0 r4+0 exact\n");
}

static void rest_is_unread(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 10, "");
	trace_get(t, 2, 20, 12, 13, 4, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 4 s1+0 r2+0 exact\n"
					       "pipe 10>- 6 s1+4 - exact unread\n");
	assert_int_equal(t->pairing->unread, 1);
}

/* What is read before anybody here wrote came from elsewhere; the write's place is behind it. */
static void read_before_it_was_written(void **state)
{
	struct trace_text *t = *state;

	trace_get(t, 1, 20, 10, 11, 4, "");
	trace_put(t, 2, 10, 12, 13, 10, "");
	trace_get(t, 3, 20, 14, 15, 10, "");
	assert_string_equal(trace_messages(t), "pipe ->20 4 - r1+0 ambiguous\n"
					       "pipe 10>20 10 s2+0 r3+0 ambiguous\n");
}

/* Two writers, one after the other: the order is certain. */
static void writers_in_turn(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_put(t, 2, 30, 12, 13, 6, "");
	trace_get(t, 3, 20, 14, 15, 11, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r3+0 exact\n"
					       "pipe 30>20 6 s2+0 r3+5 exact\n");
}

/* At the same time: who was first? What comes before and after them is certain all the same. */
static void writers_at_once(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 1, 2, 1, "");
	trace_put(t, 2, 10, 10, 15, 5, "");
	trace_put(t, 3, 30, 12, 14, 6, "");
	trace_put(t, 4, 30, 20, 21, 1, "");
	trace_get(t, 5, 20, 30, 31, 13, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 1 s1+0 r5+0 exact\n"
					       "pipe 30>20 6 s3+0 r5+1 ambiguous\n"
					       "pipe 10>20 5 s2+0 r5+7 ambiguous\n"
					       "pipe 30>20 1 s4+0 r5+12 exact\n");
	assert_int_equal(t->pairing->ambiguous, 2);
}

/* The first writer is preempted in its call after its bytes were read: it was first. */
static void writer_returns_late(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 50, 5, "");
	trace_get(t, 2, 20, 12, 20, 5, "");
	trace_put(t, 3, 30, 30, 40, 6, "");
	trace_get(t, 4, 20, 41, 45, 6, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 exact\n"
					       "pipe 30>20 6 s3+0 r4+0 exact\n");
}

/* Two readers wait at once, and there is one message at a time: each takes what there is. */
static void readers_wait_in_turn(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_get(t, 2, 20, 2, 12, 5, "");
	trace_put(t, 3, 10, 20, 21, 6, "");
	trace_get(t, 4, 30, 3, 22, 6, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 exact\n"
					       "pipe 10>30 6 s3+0 r4+0 exact\n");
}

static void readers_at_once(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 12, "");
	trace_get(t, 2, 20, 20, 25, 6, "");
	trace_get(t, 3, 30, 21, 24, 6, "");
	assert_string_equal(trace_messages(t), "pipe 10>30 6 s1+0 r3+0 ambiguous\n"
					       "pipe 10>20 6 s1+6 r2+0 ambiguous\n");
}

/* A killed writer left no end record: what was read and nobody else wrote may be its. */
static void killed_writer(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_line(t,
		   "{'type':'operation','id':2,'state':'pending','syscall':'write','role':'send',"
		   "'pid':10,'tid':10,'fd':4,'channel':'" TRACE_PIPE "','enter_ns':12,'at_ns':90,"
		   "'requested':1048576}");
	trace_get(t, 3, 20, 13, 14, 5, "");
	trace_get(t, 4, 20, 15, 16, 65536, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r3+0 exact\n"
					       "pipe 10>20 65536 s2+0 r4+0 ambiguous\n");
}

static void from_outside(void **state)
{
	struct trace_text *t = *state;

	trace_get(t, 1, 20, 10, 11, 7, "");
	assert_string_equal(trace_messages(t), "pipe ->20 7 - r1+0 exact\n");
	assert_int_equal(t->pairing->foreign, 1);
}

/* More came out than went in: nobody can say which bytes were a stranger's. */
static void from_outside_too(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_get(t, 2, 20, 12, 13, 8, "");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 ambiguous\n"
					       "pipe ->20 3 - r2+5 ambiguous\n");
}

/* Received before it was sent: what really came is not in the trace. */
static void effect_before_cause(void **state)
{
	struct trace_text *t = *state;

	trace_get(t, 1, 20, 10, 11, 5, "");
	trace_put(t, 2, 10, 20, 21, 5, "");
	assert_string_equal(trace_messages(t), "pipe ->20 5 - r1+0 ambiguous\n"
					       "pipe 10>- 5 s2+0 - ambiguous unread\n");
}

static void payload_contradicts(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, ",'payload':'hello'");
	trace_put(t, 2, 10, 12, 13, 5, ",'payload':'world'");
	trace_get(t, 3, 20, 14, 15, 5, ",'payload':'world'");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r3+0 ambiguous\n"
					       "pipe 10>- 5 s2+0 - ambiguous unread\n");
}

#define DIGEST(text) ",'digest':'" text "','digest_len':5"

static void digest_contradicts(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, DIGEST("00000000000000aa"));
	trace_put(t, 2, 10, 12, 13, 5, DIGEST("00000000000000bb"));
	trace_get(t, 3, 20, 14, 15, 5, DIGEST("00000000000000bb"));
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r3+0 ambiguous\n"
					       "pipe 10>- 5 s2+0 - ambiguous unread\n");
}

/* Of two lengths, digests say nothing. */
static void digest_of_other_length(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 9, DIGEST("00000000000000aa"));
	trace_get(t, 2, 20, 14, 15, 9, ",'digest':'00000000000000bb','digest_len':9");
	assert_string_equal(trace_messages(t), "pipe 10>20 9 s1+0 r2+0 exact\n");
}

/* The kernel's count of what lies in the pipe tells of bytes that moved unseen (splice). */
static void content_contradicts(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, ",'queued':9");
	trace_get(t, 2, 20, 2000000, 2000001, 5, ",'queued':4");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 ambiguous\n");
}

static void content_agrees(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, ",'queued':5");
	trace_get(t, 2, 20, 2000000, 2000001, 3, ",'queued':2");
	assert_string_equal(trace_messages(t), "pipe 10>20 3 s1+0 r2+0 exact\n"
					       "pipe 10>- 2 s1+3 - exact unread\n");
}

/* The reader is under way when the sample is taken: it proves nothing. */
static void content_sampled_too_early(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, ",'queued':0");
	trace_get(t, 2, 20, 12, 13, 5, ",'queued':0");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 exact\n");
}

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

/* tee gives the bytes and leaves them where they are. */
static void teed_in_between(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "pipe:[8]", "pipe", "");
	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_call(t, (struct call){2, "tee", "transfer", 20, 0, 3, "pipe:[7]", 12, 13, 5,
				    ",'fd_out':4,'channel_out':'pipe:[8]'"});
	trace_get(t, 3, 30, 14, 15, 5, "");
	trace_call(t, (struct call){4, "read", "receive", 40, 0, 3, "pipe:[8]", 16, 17, 5, ""});
	assert_string_equal(trace_messages(t), "pipe 10>30 5 s1+0 r3+0 exact\n"
					       "pipe 20>40 5 s2+0 r4+0 exact\n");
}

/* From a file there is no source in the trace; into a file it is a receive like any other. */
static void between_file_and_pipe(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){1, "sendfile", "transfer", 10, 0, 3, NULL, 10, 11, 5,
				    ",'fd_out':4,'channel_out':'pipe:[7]'"});
	trace_call(t, (struct call){2, "splice", "transfer", 20, 0, 3, "pipe:[7]", 12, 13, 5,
				    ",'fd_out':9"});
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 exact\n");
}

static void loss_makes_all_ambiguous(void **state)
{
	struct trace_text *t = *state;

	trace_put(t, 1, 10, 10, 11, 5, "");
	trace_get(t, 2, 20, 12, 13, 5, "");
	trace_line(t, "{'type':'lost','at_ns':20,'where':'ring','count':3}");
	assert_string_equal(trace_messages(t), "pipe 10>20 5 s1+0 r2+0 ambiguous\n");
}

/* A pipe that nobody in the trace made or reads leads outside: that is not unread. */
static void to_outside(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "pipe:[8]", "pipe", "");
	trace_call(t, (struct call){1, "write", "send", 10, 0, 1, "pipe:[8]", 10, 11, 5, ""});
	assert_string_equal(trace_messages(t), "pipe 10>- 5 s1+0 - exact\n");
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

static void peeking_takes_nothing(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", "");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 4, "");
	trace_socket(t, 2, false, 20, "unix:[2]", 12, 4, ",'flags':2");
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 4, ",'flags':0");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 4 s1+0 r3+0 exact\n");
}

/* A TCP connection's two sockets find each other by their addresses, however they are written. */
static void tcp_by_address(void **state)
{
	struct trace_text *t = *state;

	trace_channel(
		t, "tcp:[1]", "tcp",
		",'local_address':'127.0.0.1:4000','peer_address':'127.0.0.1:80','network':5");
	trace_channel(t, "tcp:[2]", "tcp",
		      ",'local_address':'[::ffff:127.0.0.1]:80',"
		      "'peer_address':'[::ffff:127.0.0.1]:4000','network':5");
	trace_channel(
		t, "tcp:[3]", "tcp",
		",'local_address':'127.0.0.1:80','peer_address':'127.0.0.1:4000','network':6");
	trace_socket(t, 1, true, 10, "tcp:[1]", 10, 4, "");
	trace_socket(t, 2, false, 20, "tcp:[2]", 12, 4, "");
	assert_string_equal(trace_messages(t), "tcp 10>20 4 s1+0 r2+0 exact\n");
}

static void peer_named_by_operation(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-stream", "");
	trace_channel(t, "unix:[2]", "unix-stream", "");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 4, ",'to':'unix:[2]'");
	trace_socket(t, 2, false, 20, "unix:[2]", 12, 4, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 4 s1+0 r2+0 exact\n");
}

/* Two sockets claim the same peer: only one can have it. */
static void peers_are_pairs(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", ",'peer':'unix:[1]'");
	trace_channel(t, "unix:[3]", "unix-stream", ",'peer':'unix:[2]'");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 4, "");
	trace_socket(t, 2, true, 30, "unix:[3]", 11, 4, "");
	trace_socket(t, 3, false, 20, "unix:[2]", 12, 4, "");
	assert_string_equal(trace_messages(t), "unix-stream 10>20 4 s1+0 r3+0 exact\n"
					       "unix-stream 30>- 4 s2+0 - exact\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(one_to_one),
		TEST(split_and_joined),
		TEST(large_write_read_before_it_ends),
		TEST(failed_calls_move_nothing),
		TEST(rest_is_unread),
		TEST(read_before_it_was_written),
		TEST(writers_in_turn),
		TEST(writers_at_once),
		TEST(writer_returns_late),
		TEST(readers_wait_in_turn),
		TEST(readers_at_once),
		TEST(killed_writer),
		TEST(from_outside),
		TEST(from_outside_too),
		TEST(effect_before_cause),
		TEST(payload_contradicts),
		TEST(digest_contradicts),
		TEST(digest_of_other_length),
		TEST(content_contradicts),
		TEST(content_agrees),
		TEST(content_sampled_too_early),
		TEST(spliced_in_between),
		TEST(teed_in_between),
		TEST(between_file_and_pipe),
		TEST(loss_makes_all_ambiguous),
		TEST(to_outside),
		TEST(payload_slices),
		TEST(socketpair_both_ways),
		TEST(peeking_takes_nothing),
		TEST(tcp_by_address),
		TEST(peer_named_by_operation),
		TEST(peers_are_pairs),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
