// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who ended a stream, where the kernel has counted those who were left. */
#include "tests/unit/trace_text.h"

/* 20's and 30's closes overlap, and what the kernel's count says of each. */
static const struct viz_eof *end_by_counts(struct trace_text *t, const char *of_20,
					   const char *of_30)
{
	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_call(t, (struct call){2, "close", "close", 20, 0, 4, TRACE_PIPE, 20, 34, 0, of_20});
	trace_call(t, (struct call){3, "close", "close", 30, 0, 4, TRACE_PIPE, 25, 35, 0, of_30});
	trace_find_end(t, 4, 10, TRACE_PIPE, 40);
	return trace_pair(t)->eofs[0];
}

static void counted_as_the_last(void **state)
{
	const struct viz_eof *eof = end_by_counts(*state, ",'last':true", "");

	assert_int_equal(eof->closed_by->id, 2);
	assert_int_equal(eof->match, MATCH_EXACT);
}

static void others_were_left(void **state)
{
	const struct viz_eof *eof = end_by_counts(*state, "", ",'last':false");

	assert_int_equal(eof->closed_by->id, 2);
	assert_int_equal(eof->match, MATCH_EXACT);
}

/* Both saw an end behind them: somebody else had it, of whom the trace does not tell. */
static void a_third_was_left(void **state)
{
	const struct viz_eof *eof = end_by_counts(*state, ",'last':false", ",'last':false");

	assert_int_not_equal(eof->match, MATCH_EXACT);
}

/* 20 was the last before somebody opened it again. */
static void counted_before_an_open(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "fifo:[1]", "fifo", ",'name':'/tmp/f'");
	trace_open_fifo(t, 1, 20, "fifo:[1]", 10);
	trace_close(t, 2, 20, 8, "fifo:[1]", 14, ",'last':true");
	trace_open_fifo(t, 3, 30, "fifo:[1]", 16);
	trace_close(t, 4, 30, 8, "fifo:[1]", 18, "");
	trace_find_end(t, 5, 10, "fifo:[1]", 20);
	assert_int_equal(trace_pair(t)->eofs[0]->closed_by->id, 4);
	assert_int_equal(t->pairing->eofs[0]->match, MATCH_AMBIGUOUS);
}

/* What dup2() puts there is none of ours: it is told for what it closes. */
static void replaced_by_a_file(void **state)
{
	struct trace_text *t = *state;

	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_close(t, 2, 20, 4, TRACE_PIPE, 12, "");
	trace_call(t, (struct call){3, "dup2", "control", 30, 0, 9, NULL, 14, 15, 4,
				    ",'args':{'oldfd':9,'newfd':4},'replaced':[{'fd':4,"
				    "'channel':'pipe:[7]','access':'write'}],'last':true"});
	trace_find_end(t, 4, 10, TRACE_PIPE, 20);
	assert_int_equal(trace_pair(t)->eofs[0]->closed_by->id, 3);
	assert_int_equal(t->pairing->eofs[0]->match, MATCH_EXACT);
}

static void counted_at_an_exit(void **state)
{
	struct trace_text *t = *state;

	trace_close(t, 1, 10, 4, TRACE_PIPE, 10, "");
	trace_line(t, "{'type':'descriptors','event':'exit','at_ns':20,'pid':20,'fds':["
		      "{'fd':4,'channel':'pipe:[7]','access':'write','last':true}]}");
	trace_exit(t, 20, "'exit_code':0", 20);
	trace_exit(t, 30, "'exit_code':0", 19);
	trace_find_end(t, 4, 10, TRACE_PIPE, 40);
	assert_int_equal(trace_pair(t)->eofs[0]->process->pid, 20);
	assert_int_equal(t->pairing->eofs[0]->match, MATCH_EXACT);
}

/* 20 executes from `began` until 30; 30 has closed at 8, 10's end went by an exec from 9 to 12. */
static enum match end_by_execs(struct trace_text *t, unsigned began)
{
	trace_close(t, 1, 30, 4, TRACE_PIPE, 8, "");
	trace_line(t, "{'type':'descriptors','event':'exec','at_ns':12,'began_ns':9,'pid':10,"
		      "'fds':[{'fd':3,'channel':'pipe:[7]','access':'read'}]}");
	trace_line(t,
		   "{'type':'descriptors','event':'exec','at_ns':30,'began_ns':%u,'pid':20,"
		   "'fds':[]}",
		   began);
	trace_find_end(t, 4, 30, TRACE_PIPE, 40);
	assert_int_equal(trace_pair(t)->eofs[0]->process->pid, 20);
	return t->pairing->eofs[0]->match;
}

static void exec_after_exec(void **state)
{
	assert_int_equal(end_by_execs(*state, 20), MATCH_EXACT);
}

static void exec_beside_exec(void **state)
{
	assert_int_equal(end_by_execs(*state, 11), MATCH_AMBIGUOUS);
}

/* A message that holds an end may be thrown away at any time. */
static void an_end_was_under_way(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-dgram", "");
	trace_call(t, (struct call){1, "sendmsg", "send", 20, 0, 9, "unix:[1]", 5, 6, 0,
				    ",'fds':[4]"});
	trace_close(t, 2, 20, 4, TRACE_PIPE, 8, "");
	trace_close(t, 3, 30, 4, TRACE_PIPE, 10, "");
	trace_close(t, 4, 10, 4, TRACE_PIPE, 12, "");
	trace_find_end(t, 5, 10, TRACE_PIPE, 40);
	assert_int_equal(trace_pair(t)->eofs[0]->match, MATCH_AMBIGUOUS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(counted_as_the_last),
		TEST(others_were_left),
		TEST(a_third_was_left),
		TEST(counted_before_an_open),
		TEST(replaced_by_a_file),
		TEST(counted_at_an_exit),
		TEST(exec_after_exec),
		TEST(exec_beside_exec),
		TEST(an_end_was_under_way),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
