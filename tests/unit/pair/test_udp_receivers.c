// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Several receivers of one UDP socket: what proves who has taken which, and what leaves it open. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

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

/* Of [5, 0, 5] the first one's record is missing: the other two are not those with bytes. */
static void messages_of_a_call_without_one(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 10);
	put(t, 1103, 20);
	put(t, 1105, 30);
	trace_call(t, (struct call){1112, "recvmmsg", "receive", 20, 0, 6, SOCKET, 40, 60, 3,
				    ",'lengths':[5,0,5]" CHUNKS(PROVES(1103) "," PROVES(1105))});
	assert_null(strstr(trace_messages(t), "s1103+0 r1112+0 exact"));
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

#define MEMBER "udp:[3]"
#define HEARD ",'peer_address':'127.0.0.1:1'"

/* Made within the trace, with the group's port: nobody tells whether it is of the group. */
static void add_member(struct trace_text *t)
{
	trace_channel(t, MEMBER, "udp", ",'local_address':'0.0.0.0:9'");
	trace_line(t, "{'type':'operation','id':1000,'syscall':'socket','role':'open','pid':20,"
		      "'tid':20,'enter_ns':2,'exit_ns':3,'returned':8,"
		      "'new_fds':[{'fd':8,'channel':'" MEMBER "','access':'both'}]}");
}

/* The kernel tells of the first socket alone that it was queued on. */
static void put_all(struct trace_text *t, unsigned id, uint64_t at_ns)
{
	trace_call(t, (struct call){id, "sendto", "send", 10, 0, 5, "udp:[1]", at_ns, at_ns + 2, 5,
				    ",'delivered':[0],'peer_address':'239.1.1.1:9','to':'" SOCKET
				    "'"});
}

static void get_copy(struct trace_text *t, unsigned id, uint64_t at_ns, const char *more)
{
	trace_call(t, (struct call){id, "recvfrom", "receive", 20, 0, 8, MEMBER, at_ns, at_ns + 2,
				    5, more});
}

/* What names nothing took what its sender's other datagrams here leave. */
static void of_a_group_by_elimination(void **state)
{
	struct trace_text *t = *state;

	add_member(t);
	put_all(t, 1101, 10);
	put_all(t, 1103, 20);
	put_all(t, 1105, 30);
	get_copy(t, 1112, 40, HEARD CHUNKS(PROVES(1101)));
	get_copy(t, 1114, 50, HEARD);
	get_copy(t, 1116, 60, HEARD CHUNKS(PROVES(1105)));
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1101+0 r1112+0 exact\n"
					       "udp 10>20 5 s1103+0 r1114+0 exact\n"
					       "udp 10>20 5 s1105+0 r1116+0 exact\n"
					       "udp 10>- 5 s1101+0 - exact\n"
					       "udp 10>- 5 s1103+0 - exact\n"
					       "udp 10>- 5 s1105+0 - exact\n");
}

/* Without an address it may come from elsewhere, and the send not have come here at all. */
static void of_a_group_from_anybody(void **state)
{
	struct trace_text *t = *state;

	add_member(t);
	put_all(t, 1101, 10);
	get_copy(t, 1112, 40, "");
	put_all(t, 1103, 50);
	get_copy(t, 1114, 60, HEARD CHUNKS(PROVES(1103)));
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1101+0 r1112+0 ambiguous\n"
					       "udp 10>20 5 s1103+0 r1114+0 exact\n"
					       "udp 10>- 5 s1101+0 - exact\n"
					       "udp 10>- 5 s1103+0 - exact\n");
}

/*
 * The socket may have joined the group between the two: that is tentative, and spoils what comes
 * until something is known that was sent later.
 */
static void of_a_group_either(void **state)
{
	struct trace_text *t = *state;
	const uint64_t s = 1000000000;

	add_member(t);
	put_all(t, 1101, 10);
	put_all(t, 1103, 20);
	get_copy(t, 1112, 40, HEARD);
	put_all(t, 1105, 10 * s);
	get_copy(t, 1114, 11 * s, HEARD CHUNKS(PROVES(1105)));
	put_all(t, 1107, 20 * s);
	get_copy(t, 1116, 21 * s, HEARD);
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1101+0 r1112+0 ambiguous\n"
					       "udp 10>20 5 s1105+0 r1114+0 exact\n"
					       "udp 10>20 5 s1107+0 r1116+0 exact\n"
					       "udp 10>- 5 s1101+0 - exact\n"
					       "udp 10>- 5 s1103+0 - exact\n"
					       "udp 10>- 5 s1105+0 - exact\n"
					       "udp 10>- 5 s1107+0 - exact\n");
}

/* The second of two who send there at once may be the one that the first receive took. */
static void of_a_group_after_a_tentative_match(void **state)
{
	struct trace_text *t = *state;
	const uint64_t s = 1000000000;

	add_member(t);
	put_all(t, 1101, 10);
	put_all(t, 1103, 11);
	get_copy(t, 1112, 40, HEARD);
	get_copy(t, 1114, 10 * s, HEARD);
	assert_null(strstr(trace_messages(t), "r1112+0 exact"));
	assert_null(strstr(trace_messages(t), "r1114+0 exact"));
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
		TEST(messages_of_a_call_without_one),
		TEST(proof_of_a_round_before),
		TEST(one_may_be_lost),
		TEST(seen_later),
		TEST(of_a_group_by_elimination),
		TEST(of_a_group_from_anybody),
		TEST(of_a_group_either),
		TEST(of_a_group_after_a_tentative_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
