// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Several receivers of one UDP socket: what proves who has taken which, and what leaves it open. */
#include "trace_text.h"

#include <stdio.h>

#define SOCKET "udp:[2]"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	t->len = 0;
	trace_line(t, "{'type':'header','format':'ipclens-trace','version':1,'tool':'0',"
		      "'kernel':'6','machine':'x86_64','clock':'CLOCK_MONOTONIC','start_ns':1,"
		      "'realtime_offset_ns':0,'processors':2,'options':{},"
		      "'hooks':{'sk_data_ready':true,'udp_fail_queue_rcv_skb':true}}");
	trace_process(t, 10, "sender");
	trace_fork(t, 10, 20, "one", 5);
	trace_fork(t, 10, 30, "other", 6);
	trace_channel(t, "udp:[1]", "udp", ",'local_address':'127.0.0.1:1'");
	trace_channel(t, SOCKET, "udp", ",'local_address':'127.0.0.1:2'");
	*state = t;
	return 0;
}

static void put(struct trace_text *t, unsigned id, uint64_t at_ns)
{
	trace_call(t, (struct call){id, "write", "send", 10, 0, 5, "udp:[1]", at_ns, at_ns + 2, 5,
				    ",'to':'" SOCKET "'"});
}

static void get(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns,
		uint64_t exit_ns, const char *chunks)
{
	trace_call(t, (struct call){id, "read", "receive", pid, 0, 6, SOCKET, enter_ns, exit_ns, 5,
				    chunks});
}

#define CHUNKS(list) ",'chunks':[" list "]"
#define NAMES(send) "{'operation':" #send "}"
#define PROVES(send) "{'operation':" #send ",'proved':true}"

/* Who saw what another one has for certain took the next that it saw. */
static void proof_beats_what_was_seen(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	put(t, 1105, 30); /* or this one, as far as times tell */
	get(t, 1112, 20, 40, 50, CHUNKS("{'operation':1101,'or':[" NAMES(1103) "]}"));
	get(t, 1114, 30, 41, 51, CHUNKS(PROVES(1101)));
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1103+0 r1112+0 exact\n"
					       "udp 10>30 5 s1101+0 r1114+0 exact\n"
					       "udp 10>- 5 s1105+0 - exact unread\n");
}

/* Both prove what they took, whatever they were there for at once. */
static void two_proofs(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	get(t, 1112, 20, 40, 50, CHUNKS(PROVES(1103)));
	get(t, 1114, 30, 41, 51, CHUNKS(PROVES(1101)));
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1103+0 r1112+0 exact\n"
					       "udp 10>30 5 s1101+0 r1114+0 exact\n");
}

/* Two saw nothing. The first was over before what came before the last send was taken. */
static void first_come_first_taken(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	put(t, 1105, 30);
	get(t, 1112, 20, 45, 50, "");
	get(t, 1114, 30, 46, 90, "");
	get(t, 1116, 20, 60, 70, CHUNKS(PROVES(1103)));
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1101+0 r1112+0 exact\n"
					       "udp 10>20 5 s1103+0 r1116+0 exact\n"
					       "udp 10>30 5 s1105+0 r1114+0 exact\n");
}

static void get_two(struct trace_text *t, unsigned id, uint64_t enter_ns, uint64_t exit_ns,
		    const char *chunks)
{
	char more[200];

	snprintf(more, sizeof(more), ",'lengths':[5,5]%s", chunks);
	trace_call(t, (struct call){id, "recvmmsg", "receive", 20, 0, 6, SOCKET, enter_ns, exit_ns,
				    2, more});
}

/* Of two messages of one call the first came first, and nobody else was there to take it. */
static void messages_of_a_call_in_turn(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	put(t, 1105, 30);
	get_two(t, 1112, 40, 60, CHUNKS(NAMES(0) "," NAMES(0)));
	get(t, 1114, 30, 41, 51, CHUNKS(PROVES(1101)));
	assert_string_equal(trace_messages(t), "udp 10>30 5 s1101+0 r1114+0 exact\n"
					       "udp 10>20 5 s1103+0 r1112+0 exact\n"
					       "udp 10>20 5 s1105+0 r1112+5 exact\n");
}

/* The second message of the call may be what the other one took, the first was taken before. */
static void messages_of_a_call_have_times(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	put(t, 1105, 30);
	get_two(t, 1112, 40, 70,
		CHUNKS("{'operation':1101,'at_ns':45},{'operation':1103,'at_ns':69}"));
	get(t, 1114, 30, 50, 60, "");
	assert_string_equal(trace_messages(t), "udp 10>30 5 s1105+0 r1114+0 ambiguous\n"
					       "udp 10>20 5 s1101+0 r1112+0 exact\n"
					       "udp 10>20 5 s1103+0 r1112+5 ambiguous\n");
}

/* What a receive proves is no other one's, in a later round too. */
static void proof_of_a_round_before(void **state)
{
	const uint64_t ms = 1000000;
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	put(t, 1105, 30);
	get(t, 1114, 30, 41, 51, CHUNKS(PROVES(1101)));
	get(t, 1112, 20, 40, 250 * ms, CHUNKS("{'operation':1101,'or':[" NAMES(1103) "]}"));
	put(t, 1121, 300 * ms);
	get(t, 1122, 30, 301 * ms, 302 * ms, CHUNKS(PROVES(1105)));
	put(t, 1123, 900 * ms);
	get(t, 1124, 30, 901 * ms, 902 * ms, CHUNKS(PROVES(1121)));
	assert_string_equal(trace_messages(t), "udp 10>30 5 s1101+0 r1114+0 exact\n"
					       "udp 10>20 5 s1103+0 r1112+0 exact\n"
					       "udp 10>30 5 s1105+0 r1122+0 exact\n"
					       "udp 10>30 5 s1121+0 r1124+0 exact\n"
					       "udp 10>- 5 s1123+0 - exact unread\n");
}

/* What was seen waiting after a receive had returned, it has not taken, nor what came later. */
static void seen_later(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	put(t, 1105, 30);
	get(t, 1112, 20, 40, 90, CHUNKS(NAMES(1101)));
	get(t, 1114, 30, 45, 50, CHUNKS(NAMES(1101)));
	get(t, 1116, 30, 60, 65, CHUNKS(NAMES(1103)));
	assert_string_equal(trace_messages(t), "udp 10>30 5 s1101+0 r1114+0 exact\n"
					       "udp 10>30 5 s1103+0 r1116+0 ambiguous\n"
					       "udp 10>20 5 s1105+0 r1112+0 ambiguous\n");
}

/*
 * Nobody knows whether the second send got there: order alone says nothing then. But the receive
 * that saw nothing returned before that one began.
 */
static void one_may_be_lost(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	get(t, 1112, 20, 11, 15, "");
	trace_call(t, (struct call){1103, "write", "send", 10, 0, 5, "udp:[1]", 20, 22, 5,
				    ",'peer_address':'127.0.0.1:2'"});
	put(t, 1105, 30);
	get(t, 1114, 30, 41, 51, CHUNKS(PROVES(1105)));
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1101+0 r1112+0 exact\n"
					       "udp 10>30 5 s1105+0 r1114+0 exact\n"
					       "udp 10>- 5 s1103+0 - ambiguous unread\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(proof_beats_what_was_seen),
		TEST(two_proofs),
		TEST(first_come_first_taken),
		TEST(messages_of_a_call_in_turn),
		TEST(messages_of_a_call_have_times),
		TEST(proof_of_a_round_before),
		TEST(one_may_be_lost),
		TEST(seen_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
