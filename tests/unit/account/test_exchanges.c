// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Requests and responses of small traces: 801 asks by one pipe, 802 answers by another. What is
 * found is shown as the ids of their sends, "10>12" or, of two sends, "10,11>12".
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/trace_text.h"
#include "viz/account/exchanges.h"

#define THERE "pipe:[1]"
#define BACK "pipe:[2]"
#define MORE "pipe:[3]"

enum { CALLS_MOST = 12 };

/* Calls of 10 ns. */
#define PUT(id, pid, pipe, at_ns)                                                                  \
	{                                                                                          \
		id, "write", "send", pid, 0, 4, pipe, at_ns, (at_ns) + 10, 5, NULL                 \
	}
#define GET(id, pid, pipe, at_ns)                                                                  \
	{                                                                                          \
		id, "read", "receive", pid, 0, 3, pipe, at_ns, (at_ns) + 10, 5, NULL               \
	}
#define GET_TWO(id, pid, pipe, at_ns)                                                              \
	{                                                                                          \
		id, "read", "receive", pid, 0, 3, pipe, at_ns, (at_ns) + 10, 10, NULL              \
	}

static struct trace_text *begin(bool server_before)
{
	struct trace_text *t = trace_new();

	trace_process(t, 801, "client");
	for (unsigned i = 1; i <= 3; i++) {
		trace_line(t, "{'type':'channel','id':'pipe:[%u]','at_ns':1,'mechanism':'pipe'}",
			   i);
		trace_line(t,
			   "{'type':'operation','id':%u,'syscall':'pipe2','role':'open','pid':801,"
			   "'tid':801,'enter_ns':%u,'exit_ns':%u,'returned':0,'new_fds':["
			   "{'fd':%u,'channel':'pipe:[%u]','access':'read'},"
			   "{'fd':%u,'channel':'pipe:[%u]','access':'write'}]}",
			   1000 + i, 2 * i, 2 * i + 1, 10 * i, i, 10 * i + 1, i);
	}
	if (server_before)
		trace_process(t, 802, "server");
	else
		trace_fork(t, 801, 802, "server", 20);
	return t;
}

static void show(struct trace_text *t, char *text, size_t size)
{
	struct arena *arena = arena_new();
	const struct viz_pairing *pairing = trace_pair(t);
	struct account_exchanges found = account_find_exchanges(t->model, pairing, arena);
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < found.count; i++) {
		const struct account_exchange *e = &found.items[i];

		for (size_t k = 0; k < e->count; k++)
			len += (size_t)snprintf(text + len, size - len, "%s%u",
						k == e->request_count ? ">"
						: k		      ? ","
						: len		      ? " "
								      : "",
						(unsigned)e->messages[k]->from.operation->id);
	}
	arena_free(arena);
}

struct talk {
	const char *name, *wanted;
	bool server_before;
	unsigned lost_ns; /* 0: no record was lost */
	struct call calls[CALLS_MOST];
};

static const struct talk talks[] = {
	{"two rounds", "10>12 20>22",
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, BACK, 140),
		   GET(13, 801, BACK, 160), PUT(20, 801, THERE, 200), GET(21, 802, THERE, 220),
		   PUT(22, 802, BACK, 240), GET(23, 801, BACK, 260)}},
	{"a request in two sends, read at once", "10,11>13",
	 .calls = {PUT(10, 801, THERE, 100), PUT(11, 801, THERE, 111), GET_TWO(12, 802, THERE, 122),
		   PUT(13, 802, BACK, 140), GET(14, 801, BACK, 160)}},
	{"two requests on the way at once, then one", "20>22",
	 .calls = {PUT(10, 801, THERE, 100), PUT(11, 801, THERE, 111), GET(12, 802, THERE, 122),
		   PUT(13, 802, BACK, 133), GET(14, 802, THERE, 144), PUT(15, 802, BACK, 155),
		   GET_TWO(16, 801, BACK, 166), PUT(20, 801, THERE, 200), GET(21, 802, THERE, 220),
		   PUT(22, 802, BACK, 240), GET(23, 801, BACK, 260)}},
	{"a second request before the first response has come", "",
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, BACK, 140),
		   PUT(13, 801, THERE, 155), GET(14, 801, BACK, 170), GET(15, 802, THERE, 190),
		   PUT(16, 802, BACK, 210), GET(17, 801, BACK, 230)}},
	{"an answer that was sent before the question had come", "",
	 .calls = {PUT(10, 801, THERE, 100), PUT(11, 802, BACK, 115), GET(12, 802, THERE, 130),
		   GET(13, 801, BACK, 145)}},
	{"a greeting, and then rounds: the one who greets asks", "9>10",
	 .calls = {PUT(9, 802, BACK, 70), GET(8, 801, BACK, 85), PUT(10, 801, THERE, 100),
		   GET(11, 802, THERE, 120)}},
	{"both were there before the trace: the first one seen may be a response", "",
	 .server_before = true,
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, BACK, 140),
		   GET(13, 801, BACK, 160)}},
	{"records were lost: who asked is not known", "", .lost_ns = 50,
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, BACK, 140),
		   GET(13, 801, BACK, 160)}},
	{"two pipes there: which of them was answered is not known", "",
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, BACK, 140),
		   GET(13, 801, BACK, 160), PUT(20, 801, MORE, 200), GET(21, 802, MORE, 220),
		   PUT(22, 802, BACK, 240), GET(23, 801, BACK, 260)}},
	{"one pipe there and back: tokens, and no answers", "",
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, THERE, 140),
		   GET(13, 801, THERE, 160)}},
	{"a request that nobody answers", "",
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120)}},
	{"a response that nobody receives", "",
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, BACK, 140)}},
	{"a third process takes the response", "",
	 .calls = {PUT(10, 801, THERE, 100), GET(11, 802, THERE, 120), PUT(12, 802, BACK, 140),
		   GET(13, 803, BACK, 160)}},
};

static void requests_have_the_responses_that_are_certain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(*talks); i++) {
		struct trace_text *t = begin(talks[i].server_before);
		char text[256];

		trace_fork(t, 801, 803, "other", 21);
		for (size_t k = 0; k < CALLS_MOST && talks[i].calls[k].id; k++)
			trace_call(t, talks[i].calls[k]);
		if (talks[i].lost_ns)
			trace_lost(t, talks[i].lost_ns, 1);
		show(t, text, sizeof(text));
		if (strcmp(text, talks[i].wanted) != 0)
			fail_msg("%s: %s, not %s", talks[i].name, text, talks[i].wanted);
		trace_free(t);
	}
}

/* The server greets; then 801, who connected, asks once. */
static void connection(struct trace_text *t)
{
	trace_process(t, 801, "client");
	trace_process(t, 802, "server");
	trace_tcp(t);
	trace_line(t, "{'type':'operation','id':5,'syscall':'connect','role':'connect','pid':801,"
		      "'tid':801,'fd':5,'channel':'tcp:[1]','enter_ns':10,'exit_ns':12,"
		      "'returned':0,'peer_address':'127.0.0.1:80'}");
	trace_line(t, "{'type':'operation','id':6,'syscall':'accept','role':'accept','pid':802,"
		      "'tid':802,'fd':3,'enter_ns':11,'exit_ns':15,'returned':5,'new_fds':["
		      "{'fd':5,'channel':'tcp:[2]','access':'both'}]}");
	trace_socket(t, 7, true, 802, "tcp:[2]", 20, 3, SEQUENCES(0, 0, 3, 0));
	trace_socket(t, 8, false, 801, "tcp:[1]", 30, 3, SEQUENCES(0, 0, 0, 3));
	trace_socket(t, 10, true, 801, "tcp:[1]", 40, 5, SEQUENCES(0, 3, 5, 3));
	trace_socket(t, 11, false, 802, "tcp:[2]", 50, 5, SEQUENCES(3, 0, 3, 5));
	trace_socket(t, 12, true, 802, "tcp:[2]", 60, 4, SEQUENCES(3, 5, 7, 5));
	trace_socket(t, 13, false, 801, "tcp:[1]", 70, 4, SEQUENCES(5, 3, 5, 7));
}

static void check_connection(unsigned lost_ns, const char *wanted)
{
	struct trace_text *t = trace_new();
	char text[256];

	connection(t);
	if (lost_ns) {
		trace_lost(t, lost_ns, 1);
		trace_line(t, "{'type':'trailer','at_ns':100,'why':'finished','operations':8,"
			      "'signals':0,'lost':1}");
	}
	show(t, text, sizeof(text));
	assert_string_equal(text, wanted);
	trace_free(t);
}

static void who_connected_asks(void **state)
{
	(void)state;
	check_connection(0, "10>12");
}

static void no_record_was_lost_meanwhile(void **state)
{
	(void)state;
	check_connection(35, "10>12");
	check_connection(55, "");
}

/* A connection that the server hands on while it answers. */
static void a_response_is_of_who_was_asked(void **state)
{
	struct trace_text *t = trace_new();
	char text[256];

	(void)state;
	connection(t);
	trace_fork(t, 802, 803, "worker", 80);
	trace_socket(t, 20, true, 801, "tcp:[1]", 90, 5, SEQUENCES(5, 7, 10, 7));
	trace_socket(t, 21, false, 802, "tcp:[2]", 100, 5, SEQUENCES(7, 5, 7, 10));
	trace_socket(t, 22, true, 803, "tcp:[2]", 110, 4, SEQUENCES(7, 10, 11, 10));
	trace_socket(t, 23, false, 801, "tcp:[1]", 120, 4, SEQUENCES(10, 7, 10, 11));
	show(t, text, sizeof(text));
	assert_string_equal(text, "10>12");
	trace_free(t);
}

static void datagram_socket(struct trace_text *t, unsigned number, uint32_t pid)
{
	trace_line(t, "{'type':'channel','id':'unix:[%u]','at_ns':1,'mechanism':'unix-dgram'}",
		   number);
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'socket','role':'open','pid':%u,'tid':%u,"
		   "'enter_ns':%u,'exit_ns':%u,'returned':5,'new_fds':["
		   "{'fd':5,'channel':'unix:[%u]','access':'both'}]}",
		   number, pid, pid, 2 * number, 2 * number + 1, number);
}

/* The client asks once more (20): nothing came, or the answer (12) got lost. */
static void check_datagrams(bool answered, const char *wanted)
{
	struct trace_text *t = trace_new();
	char text[256];

	trace_process(t, 801, "client");
	trace_process(t, 802, "server");
	datagram_socket(t, 1, 801);
	datagram_socket(t, 2, 802);
	trace_socket(t, 10, true, 801, "unix:[1]", 40, 5, ",'to':'unix:[2]'");
	trace_socket(t, 11, false, 802, "unix:[2]", 50, 5, ",'from':'unix:[1]'");
	if (answered)
		trace_socket(t, 12, true, 802, "unix:[2]", 60, 4, "");
	trace_socket(t, 20, true, 801, "unix:[1]", 70, 6, ",'to':'unix:[2]'");
	trace_socket(t, 21, false, 802, "unix:[2]", 80, 6, ",'from':'unix:[1]'");
	trace_socket(t, 22, true, 802, "unix:[2]", 90, 3, ",'to':'unix:[1]'");
	trace_socket(t, 23, false, 801, "unix:[1]", 100, 3, ",'from':'unix:[2]'");
	show(t, text, sizeof(text));
	assert_string_equal(text, wanted);
	trace_free(t);
}

static void no_datagram_was_dropped_meanwhile(void **state)
{
	(void)state;
	check_datagrams(false, "10,20>22");
	check_datagrams(true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_have_the_responses_that_are_certain),
		cmocka_unit_test(who_connected_asks),
		cmocka_unit_test(no_record_was_lost_meanwhile),
		cmocka_unit_test(a_response_is_of_who_was_asked),
		cmocka_unit_test(no_datagram_was_dropped_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
