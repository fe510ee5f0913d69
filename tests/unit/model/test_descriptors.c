// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who held which end when. */
#include "tests/unit/trace_text.h"

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

enum { STEPS_MAX = 6 };

/* A test as a row of a table: what the trace tells, in this order, and the holdings. */
struct history {
	const char *name;
	struct step {
		const char *line; /* as trace_line() has it; NULL: a call */
		struct call call;
	} steps[STEPS_MAX];
	const char *holdings;
};

/* clang-format off */
#define CALLS(id, syscall, role, fd, at_ns, returned, more)                                        \
	{.call = {id, syscall, role, 10, 0, fd, TRACE_PIPE, at_ns, (at_ns) + 1, returned, more}}
#define CLOSES(id, tid, fd, at_ns)                                                                 \
	{.call = {id, "close", "close", 10, tid, fd, TRACE_PIPE, at_ns, (at_ns) + 1, 0, ""}}
#define PROCESS_LINE(event, at_ns, pid, tid, more)                                                 \
	{.line = "{'type':'process','event':'" event "','at_ns':" #at_ns                           \
		 ",'pid':" #pid ",'tid':" #tid more "}"}
#define PROCESS(pid, comm) PROCESS_LINE("snapshot", 1, pid, pid, ",'comm':'" comm "'")
#define FORK(parent, pid, comm, at_ns)                                                             \
	PROCESS_LINE("fork", at_ns, pid, pid, ",'ppid':" #parent ",'comm':'" comm "'")
#define SHARING_FORK(parent, pid, at_ns)                                                           \
	PROCESS_LINE("fork", at_ns, pid, pid,                                                      \
		     ",'ppid':" #parent ",'comm':'sh','shares_fds':true")
#define EXIT(pid, status, at_ns)                                                                   \
	PROCESS_LINE("exit", at_ns, pid, pid, ",'comm':'x','last':true," status)
#define THREAD(tid, maker, at_ns, more)                                                            \
	PROCESS_LINE("fork", at_ns, 10, tid, ",'ppid':1,'comm':'sh','maker_tid':" #maker more)
#define THREAD_EXIT(tid, at_ns) PROCESS_LINE("exit", at_ns, 10, tid, ",'comm':'sh'")
/* clang-format on */

static const struct history histories[] = {
	{.name = "inherited",
	 .steps = {FORK(10, 20, "sh", 5), CALLS(1, "close", "close", 3, 10, 0, ""),
		   EXIT(20, "'exit_code':0", 20)},
	 .holdings = "10:3 read 2-10 call/call\n"
		     "10:4 write 2--1 call/unknown\n"
		     "20:3 read 5-20 fork/exit\n"
		     "20:4 write 5-20 fork/exit\n"},
	/* CLONE_FILES: one table; what one closes, the other has closed. */
	{.name = "shared",
	 .steps = {SHARING_FORK(10, 20, 5), CALLS(1, "close", "close", 3, 10, 0, ""),
		   EXIT(20, "'exit_code':0", 20), CALLS(2, "close", "close", 4, 30, 0, "")},
	 .holdings = "10:3 read 2-10 call/call\n"
		     "10:4 write 2-30 call/call\n"
		     "20:3 read 5-10 fork/call\n"
		     "20:4 write 5-20 fork/exit\n"},
	/* exec ends the sharing: from then on each closes for itself. */
	{.name = "shared_until_exec",
	 .steps = {SHARING_FORK(10, 20, 5),
		   {.line = "{'type':'process','event':'exec','at_ns':6,'pid':20,'tid':20,'comm':'"
			    "ls'}"},
		   CALLS(1, "close", "close", 3, 10, 0, "")},
	 .holdings = "10:3 read 2-10 call/call\n"
		     "10:4 write 2--1 call/unknown\n"
		     "20:3 read 5--1 fork/unknown\n"
		     "20:4 write 5--1 fork/unknown\n"},
	{.name = "duplicated",
	 .steps = {CALLS(1, "dup2", "control", 4, 10, 1,
			 ",'new_fds':[{'fd':1,'channel':'" TRACE_PIPE "','access':'write'}]"),
		   CALLS(2, "dup2", "control", 3, 12, 1, ""),
		   CALLS(3, "fcntl", "control", 3, 14, 9, ",'args':{'cmd':1030,'arg':9}"),
		   CALLS(4, "fcntl", "control", 3, 16, 1, ",'args':{'cmd':1,'arg':0}"),
		   CALLS(5, "dup", "control", 4, 18, -24, "")},
	 .holdings = "10:3 read 2--1 call/unknown\n"
		     "10:4 write 2--1 call/unknown\n"
		     "10:1 write 11-12 call/call\n"
		     "10:1 read 13--1 call/unknown\n"
		     "10:9 read 15--1 call/unknown\n"},
	{.name = "range_closed",
	 .steps = {{.call = {1, "close_range", "close", 10, 0, -1, NULL, 10, 11, 0,
			     ",'flags':4,'args':{'first':0,'last':4294967295}"}},
		   {.call = {2, "close_range", "close", 10, 0, -1, NULL, 12, 13, 0,
			     ",'flags':0,'args':{'first':4,'last':4294967295}"}}},
	 .holdings = "10:3 read 2--1 call/unknown\n"
		     "10:4 write 2-12 call/call\n"},
	/* A table is one's own again: what one closes then, the other one keeps. */
	{.name = "unshared",
	 .steps = {SHARING_FORK(10, 20, 5),
		   {.call = {1, "unshare", "control", 20, 0, -1, NULL, 6, 7, 0, ",'flags':1024"}},
		   CALLS(2, "close", "close", 3, 10, 0, "")},
	 .holdings = "10:3 read 2-10 call/call\n"
		     "10:4 write 2--1 call/unknown\n"
		     "20:3 read 5--1 fork/unknown\n"
		     "20:4 write 5--1 fork/unknown\n"},
	{.name = "range_unshared",
	 .steps = {SHARING_FORK(10, 20, 5),
		   {.call = {1, "close_range", "close", 20, 0, -1, NULL, 6, 7, 0,
			     ",'flags':6,'args':{'first':3,'last':4}"}},
		   CALLS(2, "close", "close", 3, 10, 0, "")},
	 .holdings = "10:3 read 2-10 call/call\n"
		     "10:4 write 2--1 call/unknown\n"
		     "20:3 read 5--1 fork/unknown\n"
		     "20:4 write 5--1 fork/unknown\n"},
	/* The line at exec is complete: what it does not name was closed. */
	{.name = "exec_tells",
	 .steps = {{.line = "{'type':'process','event':'exec','at_ns':9,'pid':10,'tid':10,'comm':'"
			    "ls'}"},
		   {.line = "{'type':'descriptors','event':'exec','at_ns':9,'pid':10,'more':true,"
			    "'fds':[{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}"},
		   {.line = "{'type':'descriptors','event':'exec','at_ns':9,'pid':10,"
			    "'fds':[{'fd':0,'channel':'" TRACE_PIPE "','access':'read'}]}"}},
	 .holdings = "10:3 read 2-9 call/exec\n"
		     "10:4 write 2--1 call/unknown\n"
		     "10:0 read 9--1 exec/unknown\n"},
	{.name = "received_by_message",
	 .steps = {PROCESS(30, "other"),
		   {.line = CHANNEL("unix:[1]", "unix-stream", "")},
		   {.call = {1, "recvmsg", "receive", 30, 0, 5, "unix:[1]", 10, 11, 1,
			     ",'new_fds':[{'fd':7,'channel':'" TRACE_PIPE "','access':'read'}]"}}},
	 .holdings = "30:5 both 1--1 unknown/unknown\n"
		     "10:3 read 2--1 call/unknown\n"
		     "10:4 write 2--1 call/unknown\n"
		     "30:7 read 11--1 call/unknown\n"},
	/* clone without CLONE_FILES: what the thread closes, its process still has. */
	{.name = "thread_apart",
	 .steps = {THREAD(11, 10, 5, ""), CLOSES(1, 11, 3, 10), CLOSES(2, 10, 4, 12),
		   THREAD_EXIT(11, 20)},
	 .holdings = "10:3 read 2--1 call/unknown\n"
		     "10:4 write 2-12 call/call\n"
		     "10:3 read 5-10 fork/call\n"
		     "10:4 write 5-20 fork/exit\n"},
	/* Two threads share a table that their process does not: with the second one it goes. */
	{.name = "threads_apart",
	 .steps = {THREAD(11, 10, 5, ""), THREAD(12, 11, 6, ",'shares_fds':true"),
		   CLOSES(1, 12, 3, 10), CLOSES(2, 10, 4, 12), THREAD_EXIT(11, 20),
		   THREAD_EXIT(12, 22)},
	 .holdings = "10:3 read 2--1 call/unknown\n"
		     "10:4 write 2-12 call/call\n"
		     "10:3 read 5-10 fork/call\n"
		     "10:4 write 5-22 fork/exit\n"},
	/* It forks: the child has what the thread had, not what the rest of its process has. */
	{.name = "thread_apart_forks",
	 .steps = {THREAD(11, 10, 5, ""),
		   CLOSES(1, 11, 3, 10),
		   {.line = "{'type':'process','event':'fork','at_ns':14,'pid':20,'tid':20,'ppid':"
			    "10,"
			    "'comm':'sh','maker_tid':11}"}},
	 .holdings = "10:3 read 2--1 call/unknown\n"
		     "10:4 write 2--1 call/unknown\n"
		     "10:3 read 5-10 fork/call\n"
		     "10:4 write 5--1 fork/unknown\n"
		     "20:4 write 14--1 fork/unknown\n"},
	/* The first thread ends, and its table with it; exec ends the tables of threads. */
	{.name = "first_thread_ends",
	 .steps = {THREAD(11, 10, 5, ""),
		   THREAD_EXIT(10, 8),
		   {.line = "{'type':'process','event':'exec','at_ns':9,'pid':10,'tid':10,'comm':'"
			    "ls'}"},
		   {.line = "{'type':'descriptors','event':'exec','at_ns':9,'pid':10,"
			    "'fds':[{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}"}},
	 .holdings = "10:3 read 2-8 call/exit\n"
		     "10:4 write 2-8 call/exit\n"
		     "10:3 read 5-9 fork/exec\n"
		     "10:4 write 5-9 fork/exec\n"
		     "10:4 write 9--1 exec/unknown\n"},
	/* Found at the start with a table of its own: its calls say nothing of its process's. */
	{.name = "thread_found_apart",
	 .steps = {{.line = "{'type':'process','event':'snapshot','at_ns':5,'pid':10,'tid':11,"
			    "'comm':'sh'}"},
		   {.line = "{'type':'descriptors','event':'snapshot','at_ns':5,'pid':10,'tid':11,"
			    "'fds':[{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}"},
		   CLOSES(1, 11, 4, 10)},
	 .holdings = "10:3 read 2--1 call/unknown\n"
		     "10:4 write 2--1 call/unknown\n"
		     "10:4 write 5-10 exec/call\n"},
};

static void check_history(void **state)
{
	const struct history *history = *state;
	void *trace;

	set_up(&trace);
	for (size_t i = 0; i < STEPS_MAX; i++) {
		const struct step *step = &history->steps[i];

		if (step->line)
			trace_line(trace, "%s", step->line);
		else if (step->call.syscall)
			trace_call(trace, step->call);
	}
	assert_string_equal(holdings(trace), history->holdings);
	trace_free(trace);
}

/* --- what the holdings do not show --- */

static void made_and_closed(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){1, "close", "close", 10, 0, 3, TRACE_PIPE, 10, 10 + 1, 0, ""});
	trace_call(t, (struct call){2, "close", "close", 10, 0, 4, TRACE_PIPE, 12, 12 + 1, -9,
				    ",'error':'EBADF'"});
	assert_string_equal(holdings(t), "10:3 read 2-10 call/call\n"
					 "10:4 write 2--1 call/unknown\n");
	assert_true(t->model->channels[0]->created_in_trace);
	assert_true(
		viz_channel_held(t->model->channels[0], t->model->processes[0], ACCESS_READ, 9));
	assert_false(
		viz_channel_held(t->model->channels[0], t->model->processes[0], ACCESS_READ, 10));
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
	trace_close(t, 2, 10, 1, "pipe:[8]", 20, "");
	assert_string_equal(holdings(t), "10:1 write 1-20 unknown/call\n"
					 "10:3 read 2--1 call/unknown\n"
					 "10:4 write 2--1 call/unknown\n");
	assert_false(t->model->channels[1]->created_in_trace);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(made_and_closed),
		TEST(exec_tells_in_part),
		TEST(exit_tells),
		TEST(learnt_from_use),
		/* clang-format on */
	};

	struct CMUnitTest rows[sizeof(histories) / sizeof(histories[0])];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		rows[i] = (struct CMUnitTest){.name = histories[i].name,
					      .test_func = check_history,
					      .initial_state = (void *)&histories[i]};
	return cmocka_run_group_tests(rows, NULL, NULL) + cmocka_run_group_tests(tests, NULL, NULL);
}
