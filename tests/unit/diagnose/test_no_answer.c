// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A client that asks: what must end its wait so that it is said to have got no answer. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

#define MS UINT64_C(1000000)
#define CLIENT "tcp:[21]"
#define WAITS ",'waits_for':[{'fd':8,'channel':'" CLIENT "','events':['in']}]"
#define NOTHING ",'timeout_ns':900000000,'off_cpu_ns':900000000,'ready':[]"
#define READY ",'off_cpu_ns':900000000,'ready':[{'fd':8,'channel':'" CLIENT "','events':['in']}]"

/* 10 has a connection to 10.0.0.5:80 in descriptor 8. */
static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "client");
	trace_channel(t, CLIENT, "tcp", ",'local_address':'10.0.0.9:4000','network':1");
	trace_line(t, "{'type':'operation','id':1,'syscall':'socket','role':'open','pid':10,"
		      "'tid':10,'enter_ns':10,'exit_ns':11,'returned':8,'new_fds':["
		      "{'fd':8,'channel':'" CLIENT "','access':'both'}]}");
	*state = t;
	return 0;
}

/* A call of 10 on its connection, which takes no time. */
static void act(struct trace_text *t, struct call call, uint64_t at_ns)
{
	call.pid = 10;
	call.fd = 8;
	call.channel = CLIENT;
	call.enter_ns = at_ns;
	call.exit_ns = at_ns + 1;
	trace_call(t, call);
}

static void connects(struct trace_text *t)
{
	act(t,
	    (struct call){.id = 2,
			  .syscall = "connect",
			  .role = "open",
			  .more = ",'peer_address':'10.0.0.5:80'"},
	    MS);
}

static void asks(struct trace_text *t, unsigned id, uint64_t at_ns)
{
	act(t, (struct call){.id = id, .syscall = "sendto", .role = "send", .returned = 5}, at_ns);
}

static void hears(struct trace_text *t, unsigned id, uint64_t at_ns)
{
	act(t, (struct call){.id = id, .syscall = "recvfrom", .role = "receive", .returned = 5},
	    at_ns);
}

static void polls(struct trace_text *t, unsigned id, uint64_t at_ns, int64_t returned,
		  const char *more)
{
	trace_call(t, (struct call){id, "poll", "wait", 10, 0, 0, NULL, at_ns, at_ns + 900 * MS,
				    returned, more});
}

static void closes(struct trace_text *t, uint64_t at_ns)
{
	act(t, (struct call){.id = 90, .syscall = "close", .role = "close", .more = ",'last':true"},
	    at_ns);
}

/* "warning", "note", or "" if nothing is told; the trace has so many operations. */
static const char *told(struct trace_text *t, unsigned operations, const char *why)
{
	trace_ends(t, 2000 * MS, why, operations);
	return trace_severity(t, "no-answer", NULL);
}

static void gives_up(void **state)
{
	connects(*state);
	asks(*state, 3, 10 * MS);
	polls(*state, 4, 20 * MS, 0, WAITS NOTHING);
	closes(*state, 921 * MS);
	assert_string_equal(told(*state, 5, "finished"), "warning");
}

static void gives_up_and_ends_well(void **state)
{
	connects(*state);
	asks(*state, 3, 10 * MS);
	polls(*state, 4, 20 * MS, 0, WAITS NOTHING);
	closes(*state, 921 * MS);
	trace_exit(*state, 10, "'exit_code':0", 930 * MS);
	assert_string_equal(told(*state, 5, "finished"), "note");
}

static void answered_before(void **state)
{
	connects(*state);
	asks(*state, 3, 10 * MS);
	hears(*state, 4, 11 * MS);
	asks(*state, 5, 12 * MS);
	polls(*state, 6, 20 * MS, 0, WAITS NOTHING);
	closes(*state, 921 * MS);
	assert_string_equal(told(*state, 7, "finished"), "note");
}

static void answered(void **state)
{
	connects(*state);
	asks(*state, 3, 10 * MS);
	hears(*state, 4, 11 * MS);
	polls(*state, 5, 20 * MS, 0, WAITS NOTHING);
	closes(*state, 921 * MS);
	assert_string_equal(told(*state, 6, "finished"), "");
}

/* Something came, although the client did not read it. */
static void something_came(void **state)
{
	connects(*state);
	asks(*state, 3, 10 * MS);
	polls(*state, 4, 20 * MS, 1, WAITS READY);
	closes(*state, 921 * MS);
	assert_string_equal(told(*state, 5, "finished"), "");
}

/* A signal broke its last wait off: it closes for that reason. */
static void interrupted(void **state)
{
	connects(*state);
	asks(*state, 3, 10 * MS);
	polls(*state, 4, 20 * MS, 0, WAITS NOTHING);
	polls(*state, 5, 921 * MS, -4, WAITS ",'error':'EINTR','off_cpu_ns':1");
	closes(*state, 1822 * MS);
	assert_string_equal(told(*state, 6, "finished"), "");
}

/* It did something else for as long as it had waited, and closed then. */
static void closes_late(void **state)
{
	connects(*state);
	asks(*state, 3, 10 * MS);
	polls(*state, 4, 20 * MS, 0, WAITS NOTHING);
	closes(*state, 1900 * MS);
	assert_string_equal(told(*state, 5, "finished"), "");
}

/* Who was accepted serves: it sends an answer, waits for the next request, and closes. */
static void server_closes_idle_connection(void **state)
{
	hears(*state, 3, 9 * MS);
	asks(*state, 4, 10 * MS);
	polls(*state, 5, 20 * MS, 0, WAITS NOTHING);
	closes(*state, 921 * MS);
	assert_string_equal(told(*state, 5, "finished"), "");
}

static void still_waits(struct trace_text *t)
{
	connects(t);
	asks(t, 3, 10 * MS);
	polls(t, 4, 20 * MS, 0, WAITS NOTHING);
	polls(t, 5, 921 * MS, 0, WAITS NOTHING);
}

static void waits_when_the_limit_fires(void **state)
{
	still_waits(*state);
	assert_string_equal(told(*state, 5, "timeout"), "warning");
}

/* It was greeted, and asks: a log that is written one way begins like that, too. */
static const char *waits_though_greeted(struct trace_text *t)
{
	connects(t);
	hears(t, 3, 5 * MS);
	asks(t, 4, 10 * MS);
	polls(t, 5, 20 * MS, 0, WAITS NOTHING);
	polls(t, 6, 921 * MS, 0, WAITS NOTHING);
	return told(t, 6, "timeout");
}

static void greeted_client_waits(void **state)
{
	assert_string_equal(waits_though_greeted(*state), "note");
}

static void greeted_asker_waits(void **state)
{
	trace_line(*state, "{'type':'process','event':'exec','at_ns':6,'pid':10,'tid':10,"
			   "'comm':'mysql','path':'/usr/bin/mysql'}");
	assert_string_equal(waits_though_greeted(*state), "warning");
}

static void waits_when_tracing_ends(void **state)
{
	still_waits(*state);
	assert_string_equal(told(*state, 5, "interrupted"), "");
}

#define EPOLL "epoll:[9]"

/* As nginx does: the socket is in the set before it is connected. */
static void is_in_a_set_before_it_connects(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, EPOLL, "epoll", "");
	trace_call(t, (struct call){20, "epoll_ctl", "control", 10, 0, 5, EPOLL, 12, 13, 0, WAITS});
	connects(t);
	asks(t, 3, 10 * MS);
	trace_call(t, (struct call){4, "epoll_wait", "wait", 10, 0, 5, EPOLL, 20 * MS, 920 * MS, 0,
				    ",'off_cpu_ns':1"});
	closes(t, 921 * MS);
	assert_string_equal(told(t, 6, "finished"), "warning");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_up),
		TEST(gives_up_and_ends_well),
		TEST(answered_before),
		TEST(answered),
		TEST(something_came),
		TEST(interrupted),
		TEST(closes_late),
		TEST(server_closes_idle_connection),
		TEST(waits_when_the_limit_fires),
		TEST(greeted_client_waits),
		TEST(greeted_asker_waits),
		TEST(waits_when_tracing_ends),
		TEST(is_in_a_set_before_it_connects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
