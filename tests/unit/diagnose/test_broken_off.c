// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A wait that signals break off, and that is entered again, counts from its first begin. */
#include "tests/unit/trace_text.h"

#include "viz/diagnose/graph/wait_graph.h"

#define BROKEN_OFF "'error':'ERESTARTSYS'"

/* A read of process 20 from the pipe, which lasts for 9. */
static void reads(struct trace_text *t, unsigned id, int64_t returned, const char *error)
{
	trace_call(t, (struct call){.id = id,
				    .syscall = "read",
				    .role = "receive",
				    .pid = 20,
				    .fd = 3,
				    .channel = TRACE_PIPE,
				    .enter_ns = 10 * id,
				    .exit_ns = 10 * id + 9,
				    .returned = returned,
				    .more = error});
}

static void breaks_off(struct trace_text *t, unsigned id)
{
	reads(t, id, -512, "," BROKEN_OFF);
}

/* It writes to the pipe by that descriptor, between its reads. */
static void writes(struct trace_text *t, unsigned id, int fd)
{
	trace_call(t, (struct call){.id = id,
				    .syscall = "write",
				    .role = "send",
				    .pid = 20,
				    .fd = fd,
				    .channel = TRACE_PIPE,
				    .enter_ns = 10 * id,
				    .exit_ns = 10 * id + 1,
				    .returned = 1,
				    .more = ""});
}

/* When the only wait began that lasts when the trace ends. */
static uint64_t since_at_end(struct trace_text *t)
{
	struct arena *arena = arena_new();
	const struct viz_pairing *pairing;
	struct wait_graph *graph;
	uint64_t since_ns;

	trace_trailer(t, 900);
	pairing = trace_pair(t);
	graph = wait_graph_new(arena, t->model, pairing);
	assert_int_equal(graph->count, 1);
	since_ns = graph->waits[0]->since_ns;
	arena_free(arena);
	return since_ns;
}

/* The same, of a last read from this descriptor. */
static uint64_t began_ns(struct trace_text *t, unsigned id, int fd)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'read','role':'receive','pid':20,"
		   "'tid':20,'fd':%d,'channel':'" TRACE_PIPE "','enter_ns':%u,'state':'pending',"
		   "'at_ns':900}",
		   id, fd, 10 * id);
	return since_at_end(t);
}

static void asks_again(void **state)
{
	for (unsigned id = 1; id < 5; id++)
		breaks_off(*state, id);
	assert_int_equal(began_ns(*state, 5, 3), 10);
}

static void fails_with_eintr(void **state)
{
	reads(*state, 1, -4, ",'error':'EINTR'");
	assert_int_equal(began_ns(*state, 2, 3), 10);
}

static void got_something(void **state)
{
	breaks_off(*state, 1);
	reads(*state, 2, 0, "");
	breaks_off(*state, 3);
	assert_int_equal(began_ns(*state, 4, 3), 30);
}

static void got_the_last(void **state)
{
	breaks_off(*state, 1);
	reads(*state, 2, 0, "");
	assert_int_equal(began_ns(*state, 3, 3), 30);
}

static void failed_otherwise(void **state)
{
	breaks_off(*state, 1);
	reads(*state, 2, -11, ",'error':'EAGAIN'");
	assert_int_equal(began_ns(*state, 3, 3), 30);
}

static void prints_meanwhile(void **state)
{
	breaks_off(*state, 1);
	writes(*state, 2, 2);
	breaks_off(*state, 3);
	writes(*state, 4, 1);
	assert_int_equal(began_ns(*state, 5, 3), 10);
}

static void did_something_else(void **state)
{
	breaks_off(*state, 1);
	writes(*state, 2, 4);
	assert_int_equal(began_ns(*state, 3, 3), 30);
}

static void asks_for_another(void **state)
{
	breaks_off(*state, 1);
	assert_int_equal(began_ns(*state, 2, 7), 20);
}

/* What is missing may have been an answer. */
static void lost_records(void **state)
{
	breaks_off(*state, 1);
	trace_lost(*state, 15, 1);
	breaks_off(*state, 2);
	assert_int_equal(began_ns(*state, 3, 3), 30);
}

/* One that waits for a lock. */
static void asks_for_lock(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "file-lock:[9]", "file-lock", "");
	for (unsigned id = 1; id < 4; id++)
		trace_call(t, (struct call){id, "flock", "control", 20, 0, 5, "file-lock:[9]",
					    10 * id, 10 * id + 9, -512, "," BROKEN_OFF});
	trace_line(t, "{'type':'operation','id':4,'syscall':'flock','role':'control','pid':20,"
		      "'tid':20,'fd':5,'channel':'file-lock:[9]','enter_ns':40,'state':'pending',"
		      "'at_ns':900}");
	assert_int_equal(since_at_end(t), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_again, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(fails_with_eintr, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(got_something, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(got_the_last, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(failed_otherwise, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(prints_meanwhile, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(did_something_else, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(asks_for_another, trace_pipe_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(asks_for_lock, trace_pipe_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(lost_records, trace_pipe_set_up, trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
