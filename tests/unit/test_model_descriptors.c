// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who held which end when. */
#include "trace_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "sh");
	trace_pipe(t, 10, TRACE_PIPE);
	*state = t;
	return 0;
}

/* All holdings, a line each: "pid:fd access since-until start/end". */
static const char *holdings(struct trace_text *t)
{
	static const char *const causes[] = {"unknown", "call", "fork", "exec", "exit"};
	const struct viz_model *model = t->model ? t->model : trace_model(t);

	t->shown[0] = '\0';
	for (size_t i = 0; i < model->holding_count; i++) {
		const struct viz_holding *h = model->holdings[i];
		size_t used = strlen(t->shown);

		snprintf(t->shown + used, sizeof(t->shown) - used,
			 "%u:%d %s %" PRIu64 "-%" PRId64 " %s/%s\n", h->process->pid, h->fd,
			 access_name(h->access), h->since_ns, (int64_t)h->until_ns,
			 causes[h->start], causes[h->end]);
	}
	return t->shown;
}

#define CALL(t, id, syscall, role, fd, at, returned, more)                                         \
	trace_call(t, (struct call){id, syscall, role, 10, 0, fd, TRACE_PIPE, at, (at) + 1,        \
				    returned, more})

static void made_and_closed(void **state)
{
	struct trace_text *t = *state;

	CALL(t, 1, "close", "close", 3, 10, 0, "");
	CALL(t, 2, "close", "close", 4, 12, -9, ",'error':'EBADF'");
	assert_string_equal(holdings(t), "10:3 read 2-10 call/call\n"
					 "10:4 write 2--1 call/unknown\n");
	assert_true(t->model->channels[0]->created_in_trace);
	assert_true(
		viz_channel_held(t->model->channels[0], t->model->processes[0], ACCESS_READ, 9));
	assert_false(
		viz_channel_held(t->model->channels[0], t->model->processes[0], ACCESS_READ, 10));
}

static void inherited(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 20, "sh", 5);
	CALL(t, 1, "close", "close", 3, 10, 0, "");
	trace_exit(t, 20, "'exit_code':0", 20);
	assert_string_equal(holdings(t), "10:3 read 2-10 call/call\n"
					 "10:4 write 2--1 call/unknown\n"
					 "20:3 read 5-20 fork/exit\n"
					 "20:4 write 5-20 fork/exit\n");
}

/* CLONE_FILES: one table; what one closes, the other has closed. */
static void shared(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'fork','at_ns':5,'pid':20,'tid':20,'ppid':10,"
		      "'comm':'sh','shares_fds':true}");
	CALL(t, 1, "close", "close", 3, 10, 0, "");
	trace_exit(t, 20, "'exit_code':0", 20);
	CALL(t, 2, "close", "close", 4, 30, 0, "");
	assert_string_equal(holdings(t), "10:3 read 2-10 call/call\n"
					 "10:4 write 2-30 call/call\n"
					 "20:3 read 5-10 fork/call\n"
					 "20:4 write 5-20 fork/exit\n");
}

/* exec ends the sharing: from then on each closes for itself. */
static void shared_until_exec(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'fork','at_ns':5,'pid':20,'tid':20,'ppid':10,"
		      "'comm':'sh','shares_fds':true}");
	trace_line(t, "{'type':'process','event':'exec','at_ns':6,'pid':20,'tid':20,'comm':'ls'}");
	CALL(t, 1, "close", "close", 3, 10, 0, "");
	assert_string_equal(holdings(t), "10:3 read 2-10 call/call\n"
					 "10:4 write 2--1 call/unknown\n"
					 "20:3 read 5--1 fork/unknown\n"
					 "20:4 write 5--1 fork/unknown\n");
}

static void duplicated(void **state)
{
	struct trace_text *t = *state;

	CALL(t, 1, "dup2", "control", 4, 10, 1,
	     ",'new_fds':[{'fd':1,'channel':'" TRACE_PIPE "','access':'write'}]");
	CALL(t, 2, "dup2", "control", 3, 12, 1, "");
	CALL(t, 3, "fcntl", "control", 3, 14, 9, ",'args':{'cmd':1030,'arg':9}");
	CALL(t, 4, "fcntl", "control", 3, 16, 1, ",'args':{'cmd':1,'arg':0}");
	CALL(t, 5, "dup", "control", 4, 18, -24, "");
	assert_string_equal(holdings(t), "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2--1 call/unknown\n"
					 "10:1 write 11-12 call/call\n"
					 "10:1 read 13--1 call/unknown\n"
					 "10:9 read 15--1 call/unknown\n");
}

static void range_closed(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){1, "close_range", "close", 10, 0, -1, NULL, 10, 11, 0,
				    ",'flags':4,'args':{'first':0,'last':4294967295}"});
	trace_call(t, (struct call){2, "close_range", "close", 10, 0, -1, NULL, 12, 13, 0,
				    ",'flags':0,'args':{'first':4,'last':4294967295}"});
	assert_string_equal(holdings(t), "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2-12 call/call\n");
}

/* A table is one's own again: what one closes then, the other one keeps. */
static void unshared(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'fork','at_ns':5,'pid':20,'tid':20,'ppid':10,"
		      "'comm':'sh','shares_fds':true}");
	trace_call(t, (struct call){1, "unshare", "control", 20, 0, -1, NULL, 6, 7, 0,
				    ",'flags':1024"});
	CALL(t, 2, "close", "close", 3, 10, 0, "");
	assert_string_equal(holdings(t), "10:3 read 2-10 call/call\n"
					 "10:4 write 2--1 call/unknown\n"
					 "20:3 read 5--1 fork/unknown\n"
					 "20:4 write 5--1 fork/unknown\n");
}

static void range_unshared(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'fork','at_ns':5,'pid':20,'tid':20,'ppid':10,"
		      "'comm':'sh','shares_fds':true}");
	trace_call(t, (struct call){1, "close_range", "close", 20, 0, -1, NULL, 6, 7, 0,
				    ",'flags':6,'args':{'first':3,'last':4}"});
	CALL(t, 2, "close", "close", 3, 10, 0, "");
	assert_string_equal(holdings(t), "10:3 read 2-10 call/call\n"
					 "10:4 write 2--1 call/unknown\n"
					 "20:3 read 5--1 fork/unknown\n"
					 "20:4 write 5--1 fork/unknown\n");
}

/* The line at exec is the truth: what it does not name was closed, what it does was held. */
static void exec_tells(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'exec','at_ns':9,'pid':10,'tid':10,'comm':'ls'}");
	trace_line(t, "{'type':'descriptors','event':'exec','at_ns':9,'pid':10,'more':true,"
		      "'fds':[{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}");
	trace_line(t, "{'type':'descriptors','event':'exec','at_ns':9,'pid':10,"
		      "'fds':[{'fd':0,'channel':'" TRACE_PIPE "','access':'read'}]}");
	assert_string_equal(holdings(t), "10:3 read 2-9 call/exec\n"
					 "10:4 write 2--1 call/unknown\n"
					 "10:0 read 9--1 exec/unknown\n");
}

static void exec_tells_in_part(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'descriptors','event':'exec','at_ns':9,'pid':10,'cut':true,"
		      "'fds':[{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}");
	assert_string_equal(holdings(t), "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2--1 call/unknown\n");
	assert_true(t->model->descriptors_cut);
}

/* The line at exit tells of what nothing else told; it may come behind the exit itself. */
static void exit_tells(void **state)
{
	struct trace_text *t = *state;

	trace_exit(t, 10, "'exit_code':0", 20);
	trace_line(t, "{'type':'descriptors','event':'exit','at_ns':21,'pid':10,'fds':["
		      "{'fd':4,'channel':'" TRACE_PIPE "','access':'write'},"
		      "{'fd':8,'channel':'" TRACE_PIPE "','access':'write'}]}");
	assert_string_equal(holdings(t), "10:8 write 1-20 unknown/exit\n"
					 "10:3 read 2-20 call/exit\n"
					 "10:4 write 2-20 call/exit\n");
	assert_int_equal(t->model->process_count, 1);
}

/* A call on a descriptor that nothing told of: the process has held it from the start. */
static void learnt_from_use(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "pipe:[8]", "pipe", "");
	trace_call(t, (struct call){1, "write", "send", 10, 0, 1, "pipe:[8]", 10, 11, 5, ""});
	trace_call(t, (struct call){2, "close", "close", 10, 0, 1, "pipe:[8]", 20, 21, 0, ""});
	assert_string_equal(holdings(t), "10:1 write 1-20 unknown/call\n"
					 "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2--1 call/unknown\n");
	assert_false(t->model->channels[1]->created_in_trace);
}

static void received_by_message(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 30, "other");
	trace_channel(t, "unix:[1]", "unix-stream", "");
	trace_call(t, (struct call){1, "recvmsg", "receive", 30, 0, 5, "unix:[1]", 10, 11, 1,
				    ",'new_fds':[{'fd':7,'channel':'" TRACE_PIPE
				    "','access':'read'}]"});
	assert_string_equal(holdings(t), "30:5 both 1--1 unknown/unknown\n"
					 "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2--1 call/unknown\n"
					 "30:7 read 11--1 call/unknown\n");
}

static void thread(struct trace_text *t, uint32_t tid, uint32_t maker, uint64_t at_ns,
		   const char *more)
{
	trace_line(t,
		   "{'type':'process','event':'fork','at_ns':%" PRIu64
		   ",'pid':10,'tid':%u,'ppid':1,'comm':'sh','maker_tid':%u%s}",
		   at_ns, tid, maker, more);
}

static void thread_exit(struct trace_text *t, uint32_t tid, uint64_t at_ns)
{
	trace_line(t,
		   "{'type':'process','event':'exit','at_ns':%" PRIu64
		   ",'pid':10,'tid':%u,'comm':'sh'}",
		   at_ns, tid);
}

static void closes(struct trace_text *t, uint64_t id, uint32_t tid, int fd, uint64_t at_ns)
{
	trace_call(t, (struct call){id, "close", "close", 10, tid, fd, TRACE_PIPE, at_ns, at_ns + 1,
				    0, ""});
}

/* clone without CLONE_FILES: what the thread closes, its process has, and the other way round. */
static void thread_apart(void **state)
{
	struct trace_text *t = *state;

	thread(t, 11, 10, 5, "");
	closes(t, 1, 11, 3, 10);
	closes(t, 2, 10, 4, 12);
	thread_exit(t, 11, 20);
	assert_string_equal(holdings(t), "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2-12 call/call\n"
					 "10:3 read 5-10 fork/call\n"
					 "10:4 write 5-20 fork/exit\n");
}

/* Two threads share a table that their process does not: with the second one it goes. */
static void threads_apart(void **state)
{
	struct trace_text *t = *state;

	thread(t, 11, 10, 5, "");
	thread(t, 12, 11, 6, ",'shares_fds':true");
	closes(t, 1, 12, 3, 10);
	closes(t, 2, 10, 4, 12);
	thread_exit(t, 11, 20);
	thread_exit(t, 12, 22);
	assert_string_equal(holdings(t), "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2-12 call/call\n"
					 "10:3 read 5-10 fork/call\n"
					 "10:4 write 5-22 fork/exit\n");
}

/* It forks: the child has what the thread had, not what the rest of its process has. */
static void thread_apart_forks(void **state)
{
	struct trace_text *t = *state;

	thread(t, 11, 10, 5, "");
	closes(t, 1, 11, 3, 10);
	trace_line(t, "{'type':'process','event':'fork','at_ns':14,'pid':20,'tid':20,'ppid':10,"
		      "'comm':'sh','maker_tid':11}");
	assert_string_equal(holdings(t), "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2--1 call/unknown\n"
					 "10:3 read 5-10 fork/call\n"
					 "10:4 write 5--1 fork/unknown\n"
					 "20:4 write 14--1 fork/unknown\n");
}

/* The first thread ends, and nobody is left to use its table; exec ends the threads' own. */
static void first_thread_ends(void **state)
{
	struct trace_text *t = *state;

	thread(t, 11, 10, 5, "");
	thread_exit(t, 10, 8);
	trace_line(t, "{'type':'process','event':'exec','at_ns':9,'pid':10,'tid':10,'comm':'ls'}");
	trace_line(t, "{'type':'descriptors','event':'exec','at_ns':9,'pid':10,"
		      "'fds':[{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}");
	assert_string_equal(holdings(t), "10:3 read 2-8 call/exit\n"
					 "10:4 write 2-8 call/exit\n"
					 "10:3 read 5-9 fork/exec\n"
					 "10:4 write 5-9 fork/exec\n"
					 "10:4 write 9--1 exec/unknown\n");
}

/* Found at the start with a table of its own: its calls say nothing of its process's. */
static void thread_found_apart(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'snapshot','at_ns':5,'pid':10,'tid':11,"
		      "'comm':'sh'}");
	trace_line(t, "{'type':'descriptors','event':'snapshot','at_ns':5,'pid':10,'tid':11,"
		      "'fds':[{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}");
	closes(t, 1, 11, 4, 10);
	assert_string_equal(holdings(t), "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2--1 call/unknown\n"
					 "10:4 write 5-10 exec/call\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(made_and_closed),
		TEST(inherited),
		TEST(shared),
		TEST(shared_until_exec),
		TEST(duplicated),
		TEST(range_closed),
		TEST(unshared),
		TEST(range_unshared),
		TEST(exec_tells),
		TEST(exec_tells_in_part),
		TEST(exit_tells),
		TEST(learnt_from_use),
		TEST(received_by_message),
		TEST(thread_apart),
		TEST(threads_apart),
		TEST(thread_apart_forks),
		TEST(first_thread_ends),
		TEST(thread_found_apart),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
