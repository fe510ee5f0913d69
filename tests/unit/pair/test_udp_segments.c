// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* UDP: one send of several datagrams, one receive of several, and senders that are gone. */
#include "tests/unit/trace_text.h"

#define TO ",'peer_address':'127.0.0.1:53'"
#define FROM ",'peer_address':'127.0.0.1:4000'"

static void two_sockets(struct trace_text *t)
{
	trace_channel(t, "udp:[1]", "udp", ",'local_address':'127.0.0.1:4000','network':5");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'127.0.0.1:53','network':5");
}

static void received_one_by_one(void **state)
{
	struct trace_text *t = *state;

	two_sockets(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 25, TO ",'segment_bytes':[10]");
	trace_socket(t, 2, false, 20, "udp:[2]", 14, 10, FROM);
	trace_socket(t, 3, false, 20, "udp:[2]", 16, 10, FROM);
	trace_socket(t, 4, false, 20, "udp:[2]", 18, 5, FROM);
	assert_string_equal(trace_messages(t), "udp 10>20 10 s1+0 r2+0 exact\n"
					       "udp 10>20 10 s1+10 r3+0 exact\n"
					       "udp 10>20 5 s1+20 r4+0 exact\n");
}

static void received_at_once(void **state)
{
	struct trace_text *t = *state;

	two_sockets(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 15, TO ",'segment_bytes':[10]");
	trace_socket(t, 2, false, 20, "udp:[2]", 14, 15,
		     FROM ",'segment_bytes':[10],'chunks':[{'operation':1}]");
	assert_string_equal(trace_messages(t), "udp 10>20 10 s1+0 r2+0 exact\n"
					       "udp 10>20 5 s1+10 r2+10 exact\n");
}

/* One that is no longer than a segment is one datagram. */
static void short_enough(void **state)
{
	struct trace_text *t = *state;

	two_sockets(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 10, TO ",'segment_bytes':[10]");
	trace_socket(t, 2, false, 20, "udp:[2]", 14, 10, FROM);
	assert_string_equal(trace_messages(t), "udp 10>20 10 s1+0 r2+0 exact\n");
}

/* The datagrams of a call are numbered through, and its messages are told of. */
static void several_messages(void **state)
{
	struct trace_text *t = *state;

	two_sockets(t);
	trace_call(t, (struct call){1, "sendmmsg", "send", 10, 0, 5, "udp:[1]", 10, 12, 3,
				    TO ",'lengths':[5,0,15],'segment_bytes':[0,0,10],"
				       "'delivered':[0,1,2,3]"});
	trace_socket(t, 2, false, 20, "udp:[2]", 14, 5, FROM);
	trace_socket(t, 3, false, 20, "udp:[2]", 16, 0, FROM);
	trace_socket(t, 4, false, 20, "udp:[2]", 18, 10,
		     FROM ",'chunks':[{'operation':1,'message':2}]");
	trace_socket(t, 5, false, 20, "udp:[2]", 20, 5,
		     FROM ",'chunks':[{'operation':1,'message':3}]");
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1+0 r2+0 exact\n"
					       "udp 10>20 0 s1+5 r3+0 exact\n"
					       "udp 10>20 10 s1+5 r4+0 exact\n"
					       "udp 10>20 5 s1+15 r5+0 exact\n");
	assert_int_equal(viz_message_of(t->pairing->messages[3]->from.operation, 3), 2);
}

static void closes(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		   uint64_t at_ns)
{
	trace_call(t, (struct call){id, "close", "close", pid, 0, 5, channel, at_ns, at_ns + 1, 0,
				    ""});
}

static void opens(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		  uint64_t at_ns)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'socket','role':'open','pid':%u,"
		   "'tid':%u,'enter_ns':%lu,'exit_ns':%lu,'returned':5,"
		   "'new_fds':[{'fd':5,'channel':'%s','access':'both'}]}",
		   id, pid, pid, (unsigned long)at_ns, (unsigned long)at_ns, channel);
}

static void sender_is_gone(void **state)
{
	struct trace_text *t = *state;

	two_sockets(t);
	opens(t, 1, 10, "udp:[1]", 5);
	trace_socket(t, 2, true, 10, "udp:[1]", 10, 7, TO);
	closes(t, 3, 10, "udp:[1]", 12);
	trace_socket(t, 4, false, 20, "udp:[2]", 20, 7, FROM);
	assert_string_equal(trace_messages(t), "udp 10>20 7 s2+0 r4+0 exact\n");
}

/* Both had that port, one after the other: who came first was taken first. */
static void another_has_its_port(void **state)
{
	struct trace_text *t = *state;

	two_sockets(t);
	opens(t, 1, 10, "udp:[1]", 5);
	trace_socket(t, 2, true, 10, "udp:[1]", 10, 7, TO);
	closes(t, 3, 10, "udp:[1]", 12);
	opens(t, 4, 30, "udp:[3]", 14);
	trace_channel(t, "udp:[3]", "udp", ",'local_address':'127.0.0.1:4000','network':5");
	trace_socket(t, 5, true, 30, "udp:[3]", 16, 8, TO);
	trace_socket(t, 6, false, 20, "udp:[2]", 20, 7, FROM);
	trace_socket(t, 7, false, 20, "udp:[2]", 22, 8, FROM);
	assert_string_equal(trace_messages(t), "udp 10>20 7 s2+0 r6+0 exact\n"
					       "udp 30>20 8 s5+0 r7+0 exact\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_three_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(received_one_by_one), TEST(received_at_once), TEST(short_enough),
		TEST(several_messages),	   TEST(sender_is_gone),   TEST(another_has_its_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
