// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whole messages: datagrams, queues, and the counters that resemble them. */
#include "trace_text.h"

#include <stdio.h>

static void two_dgram_sockets(struct trace_text *t)
{
	trace_channel(t, "unix:[1]", "unix-dgram", "");
	trace_channel(t, "unix:[2]", "unix-dgram", ",'name':'/tmp/s'");
	trace_channel(t, "unix:[3]", "unix-dgram", "");
}

static void dgram_by_name(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 5, ",'peer_address':'/tmp/s'");
	trace_socket(t, 2, true, 10, "unix:[1]", 12, 6, ",'peer_address':'/tmp/s'");
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 5, "");
	trace_socket(t, 4, false, 20, "unix:[2]", 16, 6, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 5 s1+0 r3+0 exact\n"
					       "unix-dgram 10>20 6 s2+0 r4+0 exact\n");
	assert_string_equal(t->pairing->messages[0]->channel->id.data, "unix:[2]");
}

static void dgram_of_no_bytes(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 0, ",'to':'unix:[2]'");
	trace_socket(t, 2, false, 20, "unix:[2]", 14, 0, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 0 s1+0 r2+0 exact\n");
}

/* The receives name the sending sockets, so it does not matter that the sends overlap. */
static void dgram_from_named_senders(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 5, ",'to':'unix:[2]'");
	trace_socket(t, 2, true, 30, "unix:[3]", 10, 5, ",'to':'unix:[2]'");
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 5, ",'from':'unix:[3]'");
	trace_socket(t, 4, false, 20, "unix:[2]", 16, 5, ",'from':'unix:[1]'");
	assert_string_equal(trace_messages(t), "unix-dgram 30>20 5 s2+0 r3+0 exact\n"
					       "unix-dgram 10>20 5 s1+0 r4+0 exact\n");
}

static void dgram_from_somebody(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 5, ",'to':'unix:[2]'");
	trace_socket(t, 2, true, 30, "unix:[3]", 10, 5, ",'to':'unix:[2]'");
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 5, "");
	trace_socket(t, 4, false, 20, "unix:[2]", 16, 5, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 5 s1+0 r3+0 ambiguous\n"
					       "unix-dgram 30>20 5 s2+0 r4+0 ambiguous\n");
}

static void dgram_cut(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 50, ",'to':'unix:[2]'");
	trace_socket(t, 2, false, 20, "unix:[2]", 14, 50, ",'flags':32,'transferred':8");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 8 s1+0 r2+0 exact truncated\n");
	assert_int_equal(t->pairing->messages[0]->cut, 42);
}

/* The kernel keeps datagrams whole: a larger one than sent is another one. */
static void dgram_larger_than_sent(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 5, ",'to':'unix:[2]'");
	trace_socket(t, 2, false, 20, "unix:[2]", 14, 8, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 8 s1+0 r2+0 ambiguous\n");
}

static void many_at_once(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_call(t, (struct call){1, "sendmmsg", "send", 10, 0, 5, "unix:[1]", 10, 11, 3,
				    ",'to':'unix:[2]','lengths':[3,0,4],'transferred':7"});
	trace_call(t, (struct call){2, "recvmmsg", "receive", 20, 0, 6, "unix:[2]", 12, 13, 2,
				    ",'lengths':[3,0]"});
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 4, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 3 s1+0 r2+0 exact\n"
					       "unix-dgram 10>20 0 s1+3 r2+3 exact\n"
					       "unix-dgram 10>20 4 s1+3 r3+0 exact\n");
	assert_int_equal(t->pairing->messages[2]->from.message, 2);
}

/* The trace has not all lengths: what it lacks is no empty message, and nobody's for certain. */
static void many_of_unknown_length(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_call(t, (struct call){1, "sendmmsg", "send", 10, 0, 5, "unix:[1]", 10, 11, 2,
				    ",'to':'unix:[2]','lengths':[3],'lengths_cut':true"});
	trace_socket(t, 2, false, 20, "unix:[2]", 14, 3, "");
	trace_socket(t, 3, false, 20, "unix:[2]", 16, 4, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 3 s1+0 r2+0 exact\n"
					       "unix-dgram 10>20 4 s1+3 r3+0 ambiguous\n");
}

static void many_to_several(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_channel(t, "unix:[3]", "unix-dgram", ",'name':'/tmp/t'");
	trace_call(t, (struct call){1, "sendmmsg", "send", 10, 0, 5, "unix:[1]", 10, 11, 3,
				    ",'to':'unix:[2]','lengths':[3,5,4],"
				    "'addresses':['/tmp/s','/tmp/t','/tmp/s']"});
	trace_socket(t, 2, false, 30, "unix:[3]", 14, 5, "");
	trace_socket(t, 3, false, 20, "unix:[2]", 16, 3, "");
	trace_socket(t, 4, false, 20, "unix:[2]", 18, 4, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>30 5 s1+3 r2+0 exact\n"
					       "unix-dgram 10>20 3 s1+0 r3+0 exact\n"
					       "unix-dgram 10>20 4 s1+8 r4+0 exact\n");
}

static void seqpacket_end(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-seqpacket", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-seqpacket", "");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 4, "");
	trace_socket(t, 2, true, 10, "unix:[1]", 12, 0, "");
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 4, "");
	trace_socket(t, 4, false, 20, "unix:[2]", 16, 0, "");
	trace_socket(t, 5, false, 20, "unix:[2]", 18, 0, "");
	assert_string_equal(trace_messages(t), "unix-seqpacket 10>20 4 s1+0 r3+0 exact\n"
					       "unix-seqpacket 10>20 0 s2+0 r4+0 exact\n");
	assert_int_equal(t->pairing->eof_count, 1);
	assert_int_equal(t->pairing->eofs[0]->receive->id, 5);
}

/* SO_REUSEPORT on a kernel that does not say which socket it chose. */
static void udp_shared_address(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "udp:[1]", "udp", ",'local_address':'127.0.0.1:4000','network':1");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'127.0.0.1:53','network':1");
	trace_channel(t, "udp:[3]", "udp", ",'local_address':'127.0.0.1:53','network':1");
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 2, false, 30, "udp:[3]", 14, 5, ",'peer_address':'127.0.0.1:4000'");
	trace_pair(t);
	for (size_t i = 0; i < t->pairing->message_count; i++)
		assert_int_equal(t->pairing->messages[i]->match, MATCH_AMBIGUOUS);
}

/* A connected socket at the same address takes what comes from its peer. */
static void udp_connected_at_shared_address(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "udp:[1]", "udp", ",'local_address':'127.0.0.1:4000','network':1");
	trace_channel(
		t, "udp:[2]", "udp",
		",'local_address':'127.0.0.1:53','peer_address':'127.0.0.1:4000','network':1");
	trace_channel(t, "udp:[3]", "udp", ",'local_address':'127.0.0.1:53','network':1");
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 2, false, 30, "udp:[2]", 14, 5, ",'peer_address':'127.0.0.1:4000'");
	assert_string_equal(trace_messages(t), "udp 10>30 5 s1+0 r2+0 exact\n");
}

static void udp_sockets(struct trace_text *t)
{
	trace_channel(t, "udp:[1]", "udp", ",'local_address':'0.0.0.0:4000','network':1");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'0.0.0.0:53','network':1");
}

static void udp_by_address(void **state)
{
	struct trace_text *t = *state;

	udp_sockets(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 5, ",'peer_address':'127.0.0.1:4000'");
	trace_socket(t, 3, true, 20, "udp:[2]", 14, 6, ",'peer_address':'127.0.0.1:4000'");
	trace_socket(t, 4, false, 10, "udp:[1]", 16, 6, ",'peer_address':'127.0.0.1:53'");
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1+0 r2+0 exact\n"
					       "udp 20>10 6 s3+0 r4+0 exact\n");
}

static void udp_outside(void **state)
{
	struct trace_text *t = *state;

	udp_sockets(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'peer_address':'192.0.2.1:53'");
	trace_socket(t, 2, true, 10, "udp:[1]", 12, 5, ",'peer_address':'127.0.0.1:54'");
	trace_socket(t, 3, false, 10, "udp:[1]", 14, 7, ",'peer_address':'192.0.2.1:55'");
	assert_string_equal(trace_messages(t), "udp ->10 7 - r3+0 exact\n"
					       "udp 10>- 5 s1+0 - exact\n"
					       "udp 10>- 5 s2+0 - exact\n");
}

/* The same address in another network namespace is another socket. */
static void udp_elsewhere(void **state)
{
	struct trace_text *t = *state;

	udp_sockets(t);
	trace_channel(t, "udp:[3]", "udp", ",'local_address':'127.0.0.1:53','network':2");
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 5, "");
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1+0 r2+0 exact\n");
}

/* Fewer came than went, and the kernel says which were queued. */
static void udp_dropped(void **state)
{
	struct trace_text *t = *state;

	udp_sockets(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'to':'udp:[2]'");
	trace_socket(t, 2, true, 10, "udp:[1]", 12, 6, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 3, true, 10, "udp:[1]", 14, 7, ",'to':'udp:[2]'");
	trace_socket(t, 4, false, 20, "udp:[2]", 16, 5, "");
	trace_socket(t, 5, false, 20, "udp:[2]", 18, 7, "");
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1+0 r4+0 exact\n"
					       "udp 10>20 7 s3+0 r5+0 exact\n"
					       "udp 10>- 6 s2+0 - exact dropped\n");
}

/* The same on a kernel that does not say it: any of them may be the one. */
static void udp_dropped_who_knows(void **state)
{
	struct trace_text *t = *state;

	udp_sockets(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 2, true, 10, "udp:[1]", 12, 5, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 3, false, 20, "udp:[2]", 16, 5, "");
	assert_string_equal(trace_messages(t), "udp 10>20 5 s1+0 r3+0 ambiguous\n"
					       "udp 10>- 5 s2+0 - ambiguous unread\n");
}

static void mq_send(struct trace_text *t, unsigned id, uint64_t at, unsigned bytes,
		    const char *more)
{
	char all[128];

	snprintf(all, sizeof(all), ",'requested':%u%s", bytes, more);
	trace_call(t, (struct call){id, "mq_timedsend", "send", 10, 0, 3, "posix-mq:[9]", at,
				    at + 1, 0, all});
}

static void mq_get(struct trace_text *t, unsigned id, uint64_t at, int64_t bytes, const char *more)
{
	trace_call(t, (struct call){id, "mq_timedreceive", "receive", 20, 0, 4, "posix-mq:[9]", at,
				    at + 1, bytes, more});
}

static void mq_priorities(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "posix-mq:[9]", "posix-mq", ",'name':'/q'");
	mq_send(t, 1, 10, 5, ",'priority':1");
	mq_send(t, 2, 12, 6, ",'priority':9");
	mq_send(t, 3, 14, 7, ",'priority':1");
	mq_get(t, 4, 16, 6, ",'priority':9");
	mq_get(t, 5, 18, 5, ",'priority':1");
	assert_string_equal(trace_messages(t), "posix-mq 10>20 6 s2+0 r4+0 exact\n"
					       "posix-mq 10>20 5 s1+0 r5+0 exact\n"
					       "posix-mq 10>- 7 s3+0 - exact unread\n");
	assert_int_equal(t->pairing->messages[0]->type, 9);
}

/* mq_receive with NULL for the priority: with one priority there is nothing to choose. */
static void mq_priority_not_asked(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "posix-mq:[9]", "posix-mq", "");
	mq_send(t, 1, 10, 5, ",'priority':3");
	mq_get(t, 2, 12, 5, "");
	mq_send(t, 3, 14, 5, ",'priority':4");
	mq_get(t, 4, 16, 5, "");
	assert_string_equal(trace_messages(t), "posix-mq 10>20 5 s1+0 r2+0 exact\n"
					       "posix-mq 10>20 5 s3+0 r4+0 exact\n");
}

static void mq_highest_first(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "posix-mq:[9]", "posix-mq", "");
	mq_send(t, 1, 10, 5, ",'priority':3");
	mq_send(t, 2, 12, 5, ",'priority':4");
	mq_get(t, 3, 16, 5, "");
	assert_string_equal(trace_messages(t), "posix-mq 10>20 5 s2+0 r3+0 ambiguous\n"
					       "posix-mq 10>- 5 s1+0 - ambiguous unread\n");
}

/* Two of the same priority came out, and only the second can be the one that we saw go in. */
static void mq_before_it_was_sent(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "posix-mq:[9]", "posix-mq", "");
	mq_get(t, 1, 10, 5, ",'priority':3");
	mq_send(t, 2, 12, 5, ",'priority':3");
	mq_get(t, 3, 14, 5, ",'priority':3");
	mq_send(t, 4, 16, 6, ",'priority':3");
	assert_string_equal(trace_messages(t), "posix-mq ->20 5 - r1+0 ambiguous\n"
					       "posix-mq 10>20 5 s2+0 r3+0 ambiguous\n"
					       "posix-mq 10>- 6 s4+0 - ambiguous unread\n");
}

#define SYSV(t, id, send, pid, at, returned, more)                                                 \
	trace_call(t, (struct call){id, (send) ? "msgsnd" : "msgrcv", (send) ? "send" : "receive", \
				    pid, 0, -1, "sysv-msg:[3]", at, (at) + 1, returned, more})

static void sysv_removed(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "sysv-msg:[3]", "sysv-msg", ",'key':'0x0000002a'");
	SYSV(t, 1, true, 10, 10, 0, ",'requested':5,'message_type':1");
	trace_call(t, (struct call){2, "msgctl", "control", 20, 0, -1, "sysv-msg:[3]", 12, 13, 0,
				    ",'args':{'msqid':3,'cmd':0}"});
	assert_string_equal(trace_messages(t), "sysv-msg 10>- 5 s1+0 - exact discarded\n");
}

static void sysv_by_type(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "sysv-msg:[3]", "sysv-msg", ",'key':'0x0000002a'");
	SYSV(t, 1, true, 10, 10, 0, ",'requested':5,'message_type':1");
	SYSV(t, 2, true, 10, 12, 0, ",'transferred':6,'message_type':2");
	SYSV(t, 3, false, 30, 14, 6, ",'message_type':2,'flags':0");
	SYSV(t, 4, false, 20, 16, 5, ",'message_type':1,'flags':16384");
	SYSV(t, 5, false, 20, 18, 5, ",'message_type':1,'flags':0");
	assert_string_equal(trace_messages(t), "sysv-msg 10>30 6 s2+0 r3+0 exact\n"
					       "sysv-msg 10>20 5 s1+0 r5+0 exact\n");
}

/* Two workers wait for the same type; one message at a time, so each can only have had its own. */
static void workers_wait_in_turn(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "sysv-msg:[3]", "sysv-msg", "");
	trace_call(t, (struct call){1, "msgrcv", "receive", 20, 0, -1, "sysv-msg:[3]", 2, 12, 5,
				    ",'message_type':1"});
	trace_call(t, (struct call){2, "msgrcv", "receive", 30, 0, -1, "sysv-msg:[3]", 3, 22, 5,
				    ",'message_type':1"});
	SYSV(t, 3, true, 10, 10, 0, ",'requested':5,'message_type':1");
	SYSV(t, 4, true, 10, 20, 0, ",'requested':5,'message_type':1");
	assert_string_equal(trace_messages(t), "sysv-msg 10>20 5 s3+0 r1+0 exact\n"
					       "sysv-msg 10>30 5 s4+0 r2+0 exact\n");
}

static void event(struct trace_text *t, unsigned id, bool send, uint32_t pid, uint64_t at,
		  unsigned value)
{
	char payload[64];

	/* Eight little-endian bytes: 1, 128 or 256, in base64. */
	snprintf(payload, sizeof(payload), ",'payload':{'base64':'%s'}",
		 value == 1	? "AQAAAAAAAAA="
		 : value == 128 ? "gAAAAAAAAAA="
				: "AAEAAAAAAAA=");
	trace_call(t, (struct call){id, send ? "write" : "read", send ? "send" : "receive", pid, 0,
				    3, "eventfd:[7]", at, at + 1, 8, payload});
}

/* Types beyond what a JSON number holds exactly: two of them may look the same. */
static void sysv_huge_types(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "sysv-msg:[3]", "sysv-msg", "");
	SYSV(t, 1, true, 10, 10, 0, ",'requested':5,'message_type':9223372036854775806");
	SYSV(t, 2, false, 20, 12, 5, ",'message_type':9223372036854775807");
	trace_pair(t);
	assert_int_equal(t->pairing->message_count, 1);
	assert_int_equal(t->pairing->ambiguous, 1);
}

static void eventfd_sum(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "eventfd:[7]", "eventfd", "");
	event(t, 1, true, 10, 10, 128);
	event(t, 2, true, 30, 12, 128);
	event(t, 3, false, 20, 14, 256);
	event(t, 4, true, 10, 16, 1);
	event(t, 5, false, 20, 18, 1);
	event(t, 6, true, 10, 20, 1);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s1+0 r3+0 exact\n"
					       "eventfd 30>20 8 s2+0 r3+0 exact\n"
					       "eventfd 10>20 8 s4+0 r5+0 exact\n"
					       "eventfd 10>- 8 s6+0 - exact unread\n");
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, trace_three_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(dgram_by_name),
		TEST(dgram_of_no_bytes),
		TEST(dgram_from_named_senders),
		TEST(dgram_from_somebody),
		TEST(dgram_cut),
		TEST(dgram_larger_than_sent),
		TEST(many_at_once),
		TEST(many_of_unknown_length),
		TEST(many_to_several),
		TEST(udp_shared_address),
		TEST(udp_connected_at_shared_address),
		TEST(seqpacket_end),
		TEST(udp_by_address),
		TEST(udp_outside),
		TEST(udp_elsewhere),
		TEST(udp_dropped),
		TEST(udp_dropped_who_knows),
		TEST(mq_priorities),
		TEST(mq_priority_not_asked),
		TEST(mq_highest_first),
		TEST(mq_before_it_was_sent),
		TEST(sysv_removed),
		TEST(sysv_by_type),
		TEST(workers_wait_in_turn),
		TEST(sysv_huge_types),
		TEST(eventfd_sum),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
