// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sockets of different network namespaces: whose addresses are no proof, and what is. */
#include "tests/unit/trace_text.h"

/* Where TCP stands: what it writes next, and what it reads next. */
#define PLACE(written, copied)                                                                     \
	"{'write_seq':" #written ",'copied_seq':" #copied ",'rcv_nxt':" #copied                    \
	",'snd_una':" #written "}"
#define STANDS(written, copied) ",'at_entry':" PLACE(written, copied)
#define LEAVES(written, copied) ",'at_exit':" PLACE(written, copied)

/* tcp:[1] in network 5, and the same connection seen from networks 6 and 7. */
static void three_machines(struct trace_text *t)
{
	trace_channel(t, "tcp:[1]", "tcp",
		      ",'local_address':'10.0.0.1:4000','peer_address':'10.0.0.2:80','network':5");
	trace_channel(t, "tcp:[2]", "tcp",
		      ",'local_address':'10.0.0.2:80','peer_address':'10.0.0.1:4000','network':6");
	trace_channel(t, "tcp:[3]", "tcp",
		      ",'local_address':'10.0.0.2:80','peer_address':'10.0.0.1:4000','network':7");
}

static void tcp_to_the_only_one(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "tcp:[1]", "tcp",
		      ",'local_address':'10.0.0.1:4000','peer_address':'10.0.0.2:80','network':5");
	trace_channel(t, "tcp:[2]", "tcp",
		      ",'local_address':'10.0.0.2:80','peer_address':'10.0.0.1:4000','network':6");
	trace_socket(t, 1, true, 10, "tcp:[1]", 10, 4, "");
	trace_socket(t, 2, false, 20, "tcp:[2]", 12, 4, "");
	assert_string_equal(trace_messages(t), "tcp 10>20 4 s1+0 r2+0 exact\n");
}

static void tcp_among_twins(void **state)
{
	struct trace_text *t = *state;

	three_machines(t);
	trace_socket(t, 1, true, 10, "tcp:[1]", 10, 4, STANDS(1000, 5000));
	trace_socket(t, 2, false, 20, "tcp:[2]", 12, 4, STANDS(700000000, 900000000));
	trace_socket(t, 3, false, 30, "tcp:[3]", 12, 4, STANDS(5000, 1000));
	assert_string_equal(trace_messages(t), "tcp ->20 4 - r2+0 exact\n"
					       "tcp 10>30 4 s1+0 r3+0 exact\n");
}

/* Some bytes were on their way when each was first seen. */
static void tcp_seen_late(void **state)
{
	struct trace_text *t = *state;

	three_machines(t);
	trace_socket(t, 1, true, 10, "tcp:[1]", 10, 4, STANDS(1100, 5000) LEAVES(1104, 5000));
	trace_socket(t, 2, false, 20, "tcp:[2]", 12, 4, STANDS(700000000, 900000000));
	trace_socket(t, 3, false, 30, "tcp:[3]", 14, 104, STANDS(5020, 1000) LEAVES(5020, 1104));
	assert_null(strstr(trace_messages(t), "10>20"));
	assert_non_null(strstr(trace_messages(t), "10>30 4 s1+0 r3+100 exact"));
}

static void tcp_nobody_can_tell(void **state)
{
	struct trace_text *t = *state;

	three_machines(t);
	trace_socket(t, 1, true, 10, "tcp:[1]", 10, 4, "");
	trace_socket(t, 2, false, 20, "tcp:[2]", 12, 4, "");
	trace_socket(t, 3, false, 30, "tcp:[3]", 12, 4, "");
	assert_null(strstr(trace_messages(t), "10>20"));
	assert_null(strstr(trace_messages(t), "10>30"));
}

static void tcp_translated(void **state)
{
	struct trace_text *t = *state;

	trace_channel(
		t, "tcp:[1]", "tcp",
		",'local_address':'10.0.0.1:4000','peer_address':'192.0.2.1:8080','network':5");
	trace_channel(
		t, "tcp:[2]", "tcp",
		",'local_address':'172.17.0.2:80','peer_address':'172.17.0.1:39000','network':6");
	trace_socket(t, 1, true, 10, "tcp:[1]", 10, 4, STANDS(1000, 5000));
	trace_socket(t, 2, false, 20, "tcp:[2]", 12, 4, STANDS(5000, 1000));
	assert_string_equal(trace_messages(t), "tcp 10>20 4 s1+0 r2+0 exact\n");
}

/* Sends that failed before a connection was made are of no connection at all. */
static void tcp_not_connected_yet(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "tcp:[1]", "tcp", ",'network':5");
	trace_channel(t, "tcp:[2]", "tcp", ",'network':5");
	trace_socket(t, 1, true, 10, "tcp:[1]", 10, -32, STANDS(0, 0));
	trace_socket(t, 2, true, 20, "tcp:[2]", 10, -32, STANDS(0, 0));
	trace_socket(t, 3, true, 10, "tcp:[1]", 20, 4, STANDS(1000, 5000));
	trace_socket(t, 4, false, 20, "tcp:[2]", 22, 4, STANDS(700000000, 900000000));
	assert_null(strstr(trace_messages(t), "10>20"));
}

/* udp:[1] is bound to all addresses of network 5, udp:[2] and udp:[3] are in network 6. */
static void udp_machines(struct trace_text *t)
{
	trace_channel(t, "udp:[1]", "udp", ",'local_address':'0.0.0.0:4000','network':5");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'10.0.0.2:53','network':6");
}

static void udp_queued_there(void **state)
{
	struct trace_text *t = *state;

	udp_machines(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4,
		     ",'peer_address':'10.0.0.2:53','to':'udp:[2]'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 4, ",'peer_address':'10.0.0.1:4000'");
	assert_string_equal(trace_messages(t), "udp 10>20 4 s1+0 r2+0 exact\n");
}

static void udp_translated(void **state)
{
	struct trace_text *t = *state;

	udp_machines(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4,
		     ",'peer_address':'192.0.2.1:5353','to':'udp:[2]'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 4, ",'peer_address':'172.17.0.1:39000'");
	assert_string_equal(trace_messages(t), "udp 10>20 4 s1+0 r2+0 ambiguous\n");
}

/* Neither address tells anything, but the buffer is the same. */
static void udp_same_buffer(void **state)
{
	struct trace_text *t = *state;

	udp_machines(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4, ",'peer_address':'192.0.2.1:5353'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 4,
		     ",'peer_address':'172.17.0.1:39000','chunks':[{'operation':1}]");
	assert_string_equal(trace_messages(t), "udp 10>20 4 s1+0 r2+0 exact\n");
}

/* It was queued later, in somebody else's interrupt, and its buffer was not followed. */
static void udp_nothing_told(void **state)
{
	struct trace_text *t = *state;

	udp_machines(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4, ",'peer_address':'192.0.2.1:5353'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 4, ",'peer_address':'172.17.0.1:39000'");
	assert_string_equal(trace_messages(t), "udp ->20 4 - r2+0 ambiguous\n"
					       "udp 10>- 4 s1+0 - ambiguous\n");
}

/* It was queued at a port that it was not sent to: the stranger who received it may be the one. */
static void udp_translated_port(void **state)
{
	struct trace_text *t = *state;

	udp_machines(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4,
		     ",'peer_address':'192.0.2.1:5353','delivered':[0]");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 4, ",'peer_address':'172.17.0.1:39000'");
	assert_string_equal(trace_messages(t), "udp ->20 4 - r2+0 ambiguous\n"
					       "udp 10>- 4 s1+0 - ambiguous\n");
}

/* The kernel did not say where it was queued: an address alone may mean another machine. */
static void udp_by_address_alone(void **state)
{
	struct trace_text *t = *state;

	udp_machines(t);
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4, ",'peer_address':'10.0.0.2:53'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 4, ",'peer_address':'10.0.0.1:4000'");
	assert_string_equal(trace_messages(t), "udp 10>20 4 s1+0 r2+0 ambiguous\n");
}

static void udp_loopback_is_ones_own(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "udp:[1]", "udp", ",'local_address':'127.0.0.1:4000','network':5");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'127.0.0.1:53','network':6");
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 2, false, 20, "udp:[2]", 12, 4, ",'peer_address':'127.0.0.1:4000'");
	assert_null(strstr(trace_messages(t), "10>20"));
}

/* Sent to a group: the kernel names one that got it, and the other one may have. */
static void udp_to_a_group(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "udp:[1]", "udp", ",'local_address':'0.0.0.0:4000'");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'0.0.0.0:53'");
	trace_channel(t, "udp:[3]", "udp", ",'local_address':'[::]:53'");
	trace_channel(t, "udp:[4]", "udp", ",'local_address':'127.0.0.1:53'");
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4,
		     ",'peer_address':'239.0.0.1:53','to':'udp:[2]'");
	trace_socket(t, 2, true, 10, "udp:[1]", 20, 4,
		     ",'peer_address':'127.0.0.1:53','to':'udp:[3]'");
	trace_socket(t, 3, false, 20, "udp:[2]", 30, 4, "");
	trace_socket(t, 4, false, 20, "udp:[3]", 32, 4, "");
	trace_socket(t, 5, false, 20, "udp:[3]", 34, 4, "");
	assert_string_equal(trace_messages(t), "udp 10>20 4 s1+0 r3+0 exact\n"
					       "udp 10>20 4 s1+0 r4+0 ambiguous\n"
					       "udp 10>20 4 s2+0 r5+0 ambiguous\n");
}

/* What one of them has not received need not have come there. */
static void udp_to_all(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "udp:[1]", "udp", ",'local_address':'0.0.0.0:4000'");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'0.0.0.0:53'");
	trace_channel(t, "udp:[3]", "udp", ",'local_address':'0.0.0.0:53'");
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 4, ",'peer_address':'10.0.0.255:53'");
	trace_socket(t, 3, false, 20, "udp:[2]", 30, 4, "");
	assert_string_equal(trace_messages(t), "udp 10>20 4 s1+0 r3+0 ambiguous\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_three_set_up, trace_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(tcp_to_the_only_one),
		TEST(tcp_among_twins),
		TEST(tcp_seen_late),
		TEST(tcp_nobody_can_tell),
		TEST(tcp_translated),
		TEST(tcp_not_connected_yet),
		TEST(udp_queued_there),
		TEST(udp_translated),
		TEST(udp_same_buffer),
		TEST(udp_nothing_told),
		TEST(udp_translated_port),
		TEST(udp_by_address_alone),
		TEST(udp_loopback_is_ones_own),
		TEST(udp_to_a_group),
		TEST(udp_to_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
