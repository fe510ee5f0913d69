// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ends of streams and beginnings of connections. */
#include "tests/unit/trace_text.h"

#include <string.h>

static void put(struct trace_text *t, unsigned id, uint32_t pid, uint64_t at)
{
	trace_put(t, id, pid, at, at + 1, 5, "");
}

/* With the last reading end goes what nobody has read. */
static void thrown_away(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 20, 10);
	trace_close(t, 2, 10, 3, TRACE_PIPE, 12, "");
	trace_close(t, 3, 20, 3, TRACE_PIPE, 14, "");
	trace_exit(t, 30, "'exit_code':0", 16);
	assert_string_equal(trace_messages(t), "pipe 20>- 5 s1+0 - exact discarded\n");
	assert_int_equal(t->pairing->unread, 1);
}

static void still_to_be_read(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 20, 10);
	trace_close(t, 2, 10, 3, TRACE_PIPE, 12, "");
	trace_exit(t, 30, "'exit_code':0", 16);
	assert_string_equal(trace_messages(t), "pipe 20>- 5 s1+0 - exact unread\n");
}

/* A descriptor under way keeps the pipe alive, though nobody has it. */
static void under_way(void **state)
{
	struct trace_text *t = *state;

	put(t, 1, 20, 10);
	trace_channel(t, "unix:[1]", "unix-dgram", "");
	trace_call(t, (struct call){2, "sendmsg", "send", 10, 0, 9, "unix:[1]", 11, 12, 0,
				    ",'fds':[3]"});
	trace_exit(t, 10, "'exit_code':0", 16);
	trace_exit(t, 20, "'exit_code':0", 16);
	trace_exit(t, 30, "'exit_code':0", 16);
	assert_non_null(strstr(trace_messages(t), "pipe 20>- 5 s1+0 - exact unread\n"));
}

static void last_exit_ends_it(void **state)
{
	struct trace_text *t = *state;
	const struct viz_eof *eof;

	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_close(t, 2, 30, 4, TRACE_PIPE, 12, "");
	trace_exit(t, 20, "'exit_code':0", 14);
	trace_find_end(t, 3, 30, TRACE_PIPE, 20);
	assert_int_equal(trace_pair(t)->eof_count, 1);
	eof = t->pairing->eofs[0];
	assert_int_equal(eof->process->pid, 20);
	assert_int_equal(eof->ended->pid, 20);
	assert_null(eof->closed_by);
	assert_int_equal(eof->cause, HOLDING_EXIT);
	assert_int_equal(eof->match, MATCH_EXACT);
	assert_int_equal(eof->at_ns, 14);
}

static void last_close_ends_it(void **state)
{
	struct trace_text *t = *state;
	const struct viz_eof *eof;

	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_exit(t, 20, "'exit_code':0", 14);
	trace_close(t, 2, 30, 4, TRACE_PIPE, 16, "");
	trace_find_end(t, 3, 30, TRACE_PIPE, 20);
	eof = trace_pair(t)->eofs[0];
	assert_int_equal(eof->closed_by->id, 2);
	assert_int_equal(eof->process->pid, 30);
	assert_null(eof->ended);
}

/* Somebody still holds a writing end as far as we know: then the cause is not known. */
static void end_without_cause(void **state)
{
	struct trace_text *t = *state;

	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_find_end(t, 3, 30, TRACE_PIPE, 20);
	assert_null(trace_pair(t)->eofs[0]->process);
	assert_int_equal(t->pairing->eofs[0]->match, MATCH_AMBIGUOUS);
}

/* ls executes something until 30, which closes its ends on the way; sh closes the other one. */
static const struct viz_eof *end_by_exec(struct trace_text *t, uint64_t closed, uint64_t read,
					 const char *slept)
{
	trace_close(t, 1, 30, 4, TRACE_PIPE, 8, "");
	trace_close(t, 2, 10, 4, TRACE_PIPE, closed, "");
	trace_line(t, "{'type':'process','event':'exec','at_ns':30,'pid':20,'tid':20,'comm':'x'}");
	trace_line(t, "{'type':'descriptors','event':'exec','at_ns':30,'pid':20,'fds':[]}");
	trace_call(t, (struct call){3, "read", "receive", 30, 0, 3, TRACE_PIPE, read, read + 5, 0,
				    slept});
	assert_int_equal(trace_pair(t)->eof_count, 1);
	return t->pairing->eofs[0];
}

#define SLEPT ",'off_cpu_ns':2,'resumed_ns':24"

static void exec_ends_it(void **state)
{
	const struct viz_eof *eof = end_by_exec(*state, 10, 20, SLEPT); /* before exec is told of */

	assert_int_equal(eof->process->pid, 20);
	assert_int_equal(eof->cause, HOLDING_EXEC);
	assert_int_equal(eof->match, MATCH_EXACT);
}

/* It did not sleep: the close that came while exec ran may have been the last. */
static void exec_or_close_ends_it(void **state)
{
	const struct viz_eof *eof = end_by_exec(*state, 18, 20, "");

	assert_int_equal(eof->process->pid, 20);
	assert_int_equal(eof->match, MATCH_AMBIGUOUS);
}

static void exec_or_close_ended_it(void **state)
{
	const struct viz_eof *eof = end_by_exec(*state, 18, 40, "");

	assert_int_equal(eof->process->pid, 20);
	assert_int_equal(eof->match, MATCH_AMBIGUOUS);
}

static void close_behind_exec_ends_it(void **state)
{
	const struct viz_eof *eof = end_by_exec(*state, 35, 40, "");

	assert_int_equal(eof->closed_by->id, 2);
	assert_int_equal(eof->match, MATCH_EXACT);
}

/* Two close the last ends at once; more: what is told of the read that found the end. */
static const struct viz_eof *end_by_two(struct trace_text *t, uint64_t first_exit, const char *more)
{
	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_call(t,
		   (struct call){2, "close", "close", 20, 0, 4, TRACE_PIPE, 20, first_exit, 0, ""});
	trace_call(t, (struct call){3, "close", "close", 30, 0, 4, TRACE_PIPE, 25, 35, 0, ""});
	trace_call(t, (struct call){4, "read", "receive", 10, 0, 3, TRACE_PIPE, 15, 40, 0, more});
	return trace_pair(t)->eofs[0];
}

static void close_before_close(void **state)
{
	const struct viz_eof *eof = end_by_two(*state, 24, ",'requested':10");

	assert_int_equal(eof->closed_by->id, 3);
	assert_int_equal(eof->match, MATCH_EXACT);
}

static void two_closes_at_once(void **state)
{
	assert_int_equal(end_by_two(*state, 30, ",'requested':10")->match, MATCH_AMBIGUOUS);
}

static void two_closes_and_who_woke_the_reader(void **state)
{
	const struct viz_eof *eof = end_by_two(*state, 30,
					       ",'requested':10,'off_cpu_ns':9,'resumed_ns':33,"
					       "'woken_by':{'pid':30,'tid':30,'operation':3,"
					       "'at_ns':32}");

	assert_int_equal(eof->closed_by->id, 3);
	assert_int_equal(eof->match, MATCH_EXACT);
}

static void another_one_woke_the_reader(void **state)
{
	const struct viz_eof *eof = end_by_two(*state, 24,
					       ",'requested':10,'off_cpu_ns':9,'resumed_ns':33,"
					       "'woken_by':{'pid':20,'tid':20,'operation':2,"
					       "'at_ns':32}");

	assert_int_equal(eof->match, MATCH_AMBIGUOUS);
}

/* 20 and 30 exit, 20's parent is told of it at `told`: by then its files are closed. */
static const struct viz_eof *end_by_two_exits(struct trace_text *t, uint64_t told)
{
	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_exit(t, 20, "'exit_code':0", 20);
	if (told)
		trace_line(t,
			   "{'type':'signal','event':'generate','at_ns':%lu,'signal':'SIGCHLD',"
			   "'number':17,'origin':'child','code':1,'from':{'pid':20,'tid':20},"
			   "'to':{'pid':10,'tid':10}}",
			   (unsigned long)told);
	trace_exit(t, 30, "'exit_code':0", 30);
	trace_call(t, (struct call){4, "read", "receive", 10, 0, 3, TRACE_PIPE, 15, 40, 0,
				    ",'requested':10"});
	return trace_pair(t)->eofs[0];
}

static void exit_before_exit(void **state)
{
	const struct viz_eof *eof = end_by_two_exits(*state, 25);

	assert_int_equal(eof->process->pid, 30);
	assert_int_equal(eof->match, MATCH_EXACT);
}

static void two_exits_at_once(void **state)
{
	assert_int_equal(end_by_two_exits(*state, 35)->match, MATCH_AMBIGUOUS);
}

static void an_exit_of_which_no_parent_was_told(void **state)
{
	assert_int_equal(end_by_two_exits(*state, 0)->match, MATCH_AMBIGUOUS);
}

/* A FIFO can be opened by anybody: the last one that we saw need not have been the last. */
static void end_of_a_fifo(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "fifo:[1]", "fifo", ",'name':'/tmp/f'");
	trace_open_fifo(t, 1, 20, "fifo:[1]", 10);
	trace_close(t, 2, 20, 8, "fifo:[1]", 12, "");
	trace_find_end(t, 3, 30, "fifo:[1]", 20);
	assert_int_equal(trace_pair(t)->eofs[0]->closed_by->id, 2);
	assert_int_equal(t->pairing->eofs[0]->match, MATCH_AMBIGUOUS);
}

static void write_fifo(struct trace_text *t, unsigned id, uint64_t at, const char *counts)
{
	trace_call(t,
		   (struct call){id, "write", "send", 20, 0, 8, "fifo:[1]", at, at + 1, 2, counts});
}

static enum match end_of_counted_fifo(struct trace_text *t, const char *before, const char *after)
{
	trace_channel(t, "fifo:[1]", "fifo", ",'name':'/tmp/f'");
	trace_open_fifo(t, 1, 20, "fifo:[1]", 10);
	write_fifo(t, 2, 12, before);
	trace_close(t, 3, 20, 8, "fifo:[1]", 14, "");
	trace_call(t, (struct call){4, "read", "receive", 30, 0, 3, "fifo:[1]", 16, 17, 2, ""});
	trace_call(t, (struct call){5, "read", "receive", 30, 0, 3, "fifo:[1]", 18, 19, 0, after});
	assert_int_equal(trace_pair(t)->eof_count, 1);
	assert_int_equal(t->pairing->eofs[0]->closed_by->id, 3);
	return t->pairing->eofs[0]->match;
}

/* One writing end before the close and none after it: nobody else had it open. */
static void counts_prove_the_end_of_a_fifo(void **state)
{
	assert_int_equal(
		end_of_counted_fifo(*state, ",'readers':1,'writers':1", ",'readers':1,'writers':0"),
		MATCH_EXACT);
}

static void a_stranger_wrote_too(void **state)
{
	assert_int_equal(
		end_of_counted_fifo(*state, ",'readers':1,'writers':2", ",'readers':1,'writers':0"),
		MATCH_AMBIGUOUS);
}

/* Written by another before ours was opened: that count says nothing of ours. */
static void count_of_another_time(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "fifo:[1]", "fifo", ",'name':'/tmp/f'");
	trace_call(t, (struct call){1, "read", "receive", 30, 0, 3, "fifo:[1]", 8, 9, 2,
				    ",'readers':1,'writers':1"});
	trace_open_fifo(t, 2, 20, "fifo:[1]", 10);
	trace_close(t, 3, 20, 8, "fifo:[1]", 14, "");
	trace_call(t, (struct call){5, "read", "receive", 30, 0, 3, "fifo:[1]", 18, 19, 0,
				    ",'readers':1,'writers':0"});
	assert_int_equal(trace_pair(t)->eofs[0]->match, MATCH_AMBIGUOUS);
}

static void reading_nothing_is_no_end(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){3, "read", "receive", 30, 0, 3, TRACE_PIPE, 20, 21, 0,
				    ",'requested':0"});
	assert_int_equal(trace_pair(t)->eof_count, 0);
}

static void connected_sockets(struct trace_text *t)
{
	trace_tcp(t);
	trace_channel(t, "tcp:[3]", "tcp", ",'local_address':'127.0.0.1:80','listening':true");
	trace_line(t, "{'type':'operation','id':50,'syscall':'socket','role':'open','pid':20,"
		      "'tid':20,'enter_ns':10,'exit_ns':11,'returned':5,'new_fds':["
		      "{'fd':5,'channel':'tcp:[1]','access':'both'}]}");
	trace_call(t, (struct call){51, "connect", "open", 20, 0, 5, "tcp:[1]", 12, 15, 0, ""});
	trace_line(t, "{'type':'operation','id':52,'syscall':'accept4','role':'open','pid':30,"
		      "'tid':30,'fd':9,'channel':'tcp:[3]','enter_ns':11,'exit_ns':16,'returned':8,"
		      "'new_fds':[{'fd':8,'channel':'tcp:[2]','access':'both'}]}");
}

static void connect_meets_accept(void **state)
{
	struct trace_text *t = *state;
	const struct viz_connection *connection;

	connected_sockets(t);
	assert_int_equal(trace_pair(t)->connection_count, 1);
	connection = t->pairing->connections[0];
	assert_int_equal(connection->connect->id, 51);
	assert_int_equal(connection->accept->id, 52);
	assert_string_equal(connection->server->id.data, "tcp:[2]");
}

/* TCP Fast Open: the first send makes the connection. */
static void a_send_that_connects_meets_accept(void **state)
{
	struct trace_text *t = *state;

	trace_tcp(t);
	trace_call(t, (struct call){51, "sendto", "send", 20, 0, 5, "tcp:[1]", 12, 15, 4,
				    ",'flags':536870912"});
	trace_line(t, "{'type':'operation','id':52,'syscall':'accept4','role':'open','pid':30,"
		      "'tid':30,'fd':4,'enter_ns':11,'exit_ns':16,'returned':6,"
		      "'new_fds':[{'fd':6,'channel':'tcp:[2]','access':'both'}]}");
	trace_trailer(t, 100);
	assert_int_equal(trace_pair(t)->connection_count, 1);
	assert_int_equal(t->pairing->connections[0]->connect->id, 51);
	assert_int_equal(t->pairing->connections[0]->accept->id, 52);
}

/* Where a connection begins, which its client and its server tell the other way round. */
#define BEGINS(written, copied) ",'at_exit':{'write_seq':" #written ",'copied_seq':" #copied "}"

static void accept(struct trace_text *t, unsigned id, const char *channel, uint64_t at,
		   const char *more)
{
	trace_line(t,
		   "{'type':'channel','id':'%s','at_ns':%lu,'mechanism':'tcp',"
		   "'local_address':'127.0.0.1:80','peer_address':'127.0.0.1:4000'}",
		   channel, (unsigned long)at);
	trace_line(
		t,
		"{'type':'operation','id':%u,'syscall':'accept4','role':'open','pid':30,'tid':30,"
		"'fd':9,'channel':'tcp:[3]','enter_ns':%lu,'exit_ns':%lu,'returned':8,'new_fds':["
		"{'fd':8,'channel':'%s','access':'both'}]%s}",
		id, (unsigned long)at - 1, (unsigned long)at, channel, more);
}

/* One client is gone before two connections with its addresses are accepted. */
static void accept_late(struct trace_text *t, const char *client, const char *first,
			const char *second)
{
	trace_channel(t, "tcp:[1]", "tcp",
		      ",'local_address':'127.0.0.1:4000','peer_address':'127.0.0.1:80'");
	trace_channel(t, "tcp:[3]", "tcp", ",'local_address':'127.0.0.1:80','listening':true");
	trace_line(t, "{'type':'operation','id':50,'syscall':'socket','role':'open','pid':20,"
		      "'tid':20,'enter_ns':10,'exit_ns':11,'returned':5,'new_fds':["
		      "{'fd':5,'channel':'tcp:[1]','access':'both'}]}");
	trace_call(t, (struct call){51, "connect", "open", 20, 0, 5, "tcp:[1]", 12, 15, 0, client});
	trace_call(t, (struct call){52, "write", "send", 20, 0, 5, "tcp:[1]", 16, 17, 4, ""});
	trace_close(t, 53, 20, 5, "tcp:[1]", 18, "");
	accept(t, 54, "tcp:[2]", 30, first);
	trace_call(t, (struct call){55, "read", "receive", 30, 0, 8, "tcp:[2]", 31, 32, 4, ""});
	trace_close(t, 56, 30, 8, "tcp:[2]", 40, "");
	accept(t, 57, "tcp:[4]", 50, second);
	trace_call(t, (struct call){58, "read", "receive", 30, 0, 8, "tcp:[4]", 51, 52, 4, ""});
}

/* What it sent is received all the same; but the next one with its addresses is a stranger. */
static void client_is_gone_before_it_is_accepted(void **state)
{
	struct trace_text *t = *state;

	accept_late(t, BEGINS(1000, 5000), BEGINS(5000, 1000), BEGINS(5300, 1300));
	assert_string_equal(trace_messages(t), "tcp 20>30 4 s52+0 r55+0 exact\n"
					       "tcp ->30 4 - r58+0 exact\n");
	assert_int_equal(t->pairing->connection_count, 2);
	assert_int_equal(t->pairing->connections[0]->connect->id, 51);
	assert_null(t->pairing->connections[1]->connect);
}

/* The stranger may have been first. */
static void stranger_is_accepted_first(void **state)
{
	struct trace_text *t = *state;

	accept_late(t, BEGINS(1000, 5000), BEGINS(4700, 700), BEGINS(5000, 1000));
	assert_string_equal(trace_messages(t), "tcp ->30 4 - r55+0 exact\n"
					       "tcp 20>30 4 s52+0 r58+0 exact\n");
}

static void nobody_tells_who_was_accepted(void **state)
{
	struct trace_text *t = *state;

	accept_late(t, "", "", "");
	assert_string_equal(trace_messages(t), "tcp ->30 4 - r55+0 ambiguous\n"
					       "tcp ->30 4 - r58+0 ambiguous\n"
					       "tcp 20>- 4 s52+0 - ambiguous\n");
}

static void shutdown_ends_it(void **state)
{
	struct trace_text *t = *state;

	connected_sockets(t);
	trace_call(t, (struct call){60, "shutdown", "close", 20, 0, 5, "tcp:[1]", 20, 21, 0,
				    ",'args':{'how':1}"});
	trace_close(t, 61, 20, 5, "tcp:[1]", 30, "");
	trace_call(t, (struct call){62, "recvfrom", "receive", 30, 0, 8, "tcp:[2]", 40, 41, 0, ""});
	assert_int_equal(trace_pair(t)->eofs[0]->closed_by->id, 60);
	assert_int_equal(t->pairing->eofs[0]->match, MATCH_EXACT);
}

static void close_ends_a_connection(void **state)
{
	struct trace_text *t = *state;

	connected_sockets(t);
	trace_close(t, 61, 20, 5, "tcp:[1]", 30, "");
	trace_call(t, (struct call){62, "recvfrom", "receive", 30, 0, 8, "tcp:[2]", 40, 41, 0, ""});
	assert_int_equal(trace_pair(t)->eofs[0]->closed_by->id, 61);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(thrown_away),
		TEST(still_to_be_read),
		TEST(under_way),
		TEST(last_exit_ends_it),
		TEST(last_close_ends_it),
		TEST(end_without_cause),
		TEST(exec_ends_it),
		TEST(exec_or_close_ends_it),
		TEST(exec_or_close_ended_it),
		TEST(close_behind_exec_ends_it),
		TEST(close_before_close),
		TEST(two_closes_at_once),
		TEST(two_closes_and_who_woke_the_reader),
		TEST(another_one_woke_the_reader),
		TEST(exit_before_exit),
		TEST(two_exits_at_once),
		TEST(an_exit_of_which_no_parent_was_told),
		TEST(end_of_a_fifo),
		TEST(counts_prove_the_end_of_a_fifo),
		TEST(a_stranger_wrote_too),
		TEST(count_of_another_time),
		TEST(reading_nothing_is_no_end),
		TEST(connect_meets_accept),
		TEST(a_send_that_connects_meets_accept),
		TEST(client_is_gone_before_it_is_accepted),
		TEST(stranger_is_accepted_first),
		TEST(nobody_tells_who_was_accepted),
		TEST(shutdown_ends_it),
		TEST(close_ends_a_connection),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
