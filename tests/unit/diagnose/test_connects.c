// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Connects that nobody accepts, that go on, or that are given up: which of them is a fault. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

#define END_NS 2000000000u

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "ping");
	*state = t;
	return 0;
}

static void asleep(struct trace_text *t, unsigned id, const char *call, uint32_t pid,
		   const char *more)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'%s','role':'wait','pid':%u,'tid':%u,"
		   "'enter_ns':100,'state':'pending','at_ns':%u%s}",
		   id, call, pid, pid, END_NS, more);
}

static void time_out(struct trace_text *t, unsigned operations)
{
	trace_ends(t, END_NS, "timeout", operations);
}

/* A listener at all addresses of this machine, and a connection to that port of `host`. */
static const char *connected_to(struct trace_text *t, const char *host)
{
	char more[128];

	trace_channel(t, "tcp:[20]", "tcp",
		      ",'listening':true,'local_address':'0.0.0.0:80','network':1");
	trace_line(t, "{'type':'operation','id':40,'syscall':'socket','role':'open','pid':10,"
		      "'tid':10,'enter_ns':10,'exit_ns':11,'returned':7,'new_fds':["
		      "{'fd':7,'channel':'tcp:[20]','access':'both'}]}");
	trace_channel(t, "tcp:[21]", "tcp", ",'local_address':'10.0.0.9:4000','network':1");
	snprintf(more, sizeof(more), ",'peer_address':'%s:80'", host);
	trace_call(t, (struct call){41, "connect", "open", 10, 0, 8, "tcp:[21]", 20, 21, 0, more});
	time_out(t, 2);
	return trace_findings(t, SEVERITY_WARNING);
}

static void never_accepted(void **state)
{
	assert_string_equal(connected_to(*state, "10.0.0.9"), "never-accepted 10\n");
}

/* Who listens here never sees what goes to another machine. */
static void accepted_elsewhere(void **state)
{
	assert_string_equal(connected_to(*state, "10.0.0.5"), "");
}

/* A child listens, and sleeps in this call; its parent polls for a connect that goes on. */
static const char *connecting_to(struct trace_text *t, const char *call, const char *more)
{
	trace_channel(t, "tcp:[20]", "tcp",
		      ",'listening':true,'local_address':'10.0.0.9:80','network':1");
	trace_fork(t, 10, 20, "server", 5);
	trace_line(t, "{'type':'operation','id':40,'syscall':'socket','role':'open','pid':20,"
		      "'tid':20,'enter_ns':10,'exit_ns':11,'returned':7,'new_fds':["
		      "{'fd':7,'channel':'tcp:[20]','access':'both'}]}");
	trace_line(t, "{'type':'operation','id':39,'syscall':'socket','role':'open','pid':10,"
		      "'tid':10,'enter_ns':12,'exit_ns':13,'returned':8,'new_fds':["
		      "{'fd':8,'channel':'tcp:[21]','access':'both'}]}");
	trace_channel(t, "tcp:[21]", "tcp", ",'local_address':'10.0.0.9:4000','network':1");
	trace_call(t, (struct call){41, "connect", "open", 10, 0, 8, "tcp:[21]", 20, 21, -115,
				    ",'error':'EINPROGRESS','peer_address':'10.0.0.9:80'"});
	asleep(t, 42, "poll", 10, ",'waits_for':[{'fd':8,'channel':'tcp:[21]','events':['out']}]");
	asleep(t, 43, call, 20, more);
	time_out(t, 3);
	return trace_findings(t, SEVERITY_WARNING);
}

static void never_connected(void **state)
{
	assert_string_equal(connecting_to(*state, "nanosleep", ""), "never-accepted 10 20\n");
}

/* A server that waits for connections takes any that come: what is lost on the way is no fault. */
static void connecting_to_acceptor(void **state)
{
	const char *listener = ",'waits_for':[{'fd':7,'channel':'tcp:[20]','events':['in']}]";

	assert_string_equal(connecting_to(*state, "poll", listener), "");
}

/* A connect that goes on; a child closes its copy, or the process the only one, 800 ms later. */
static const char *connecting_when_closed(struct trace_text *t, uint32_t closer, const char *last)
{
	trace_fork(t, 10, 20, "child", 5);
	trace_channel(t, "tcp:[21]", "tcp", ",'local_address':'10.0.0.9:4000','network':1");
	trace_call(t, (struct call){41, "connect", "open", 10, 0, 8, "tcp:[21]", 20, 21, -115,
				    ",'error':'EINPROGRESS','peer_address':'10.0.0.5:80'"});
	trace_call(t, (struct call){42, "close", "close", closer, 0, 8, "tcp:[21]", 800000000,
				    800000001, 0, last});
	time_out(t, 2);
	return trace_findings(t, SEVERITY_WARNING);
}

static void connect_given_up(void **state)
{
	assert_string_equal(connecting_when_closed(*state, 10, ",'last':true"),
			    "connection-failed 10\n");
}

static void copy_of_connecting_socket_closed(void **state)
{
	assert_string_equal(connecting_when_closed(*state, 20, ",'last':false"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(never_accepted, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(accepted_elsewhere, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(never_connected, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(connecting_to_acceptor, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(connect_given_up, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(copy_of_connecting_socket_closed, set_up,
						trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
