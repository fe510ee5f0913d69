// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Signals: from whoever raised one to its handler's return. */
#include "tests/unit/trace_text.h"

#include <unistd.h>

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "parent");
	trace_fork(t, 10, 20, "child", 2);
	*state = t;
	return 0;
}

static void call_kill(struct trace_text *t, unsigned id, uint64_t enter, int64_t returned,
		      const char *args)
{
	trace_call(t, (struct call){id, "kill", "signal", 10, 0, -1, NULL, enter, enter + 3,
				    returned, args});
}

static void generate(struct trace_text *t, uint64_t at, const char *name, int number,
		     const char *more)
{
	trace_line(t,
		   "{'type':'signal','event':'generate','at_ns':%lu,'signal':'%s','number':%d,"
		   "'to':{'pid':20,'tid':20}%s}",
		   (unsigned long)at, name, number, more);
}

static void deliver(struct trace_text *t, uint64_t at, const char *name, int number,
		    const char *action, const char *more)
{
	trace_line(t,
		   "{'type':'signal','event':'deliver','at_ns':%lu,'signal':'%s','number':%d,"
		   "'to':{'pid':20,'tid':20},'action':'%s'%s}",
		   (unsigned long)at, name, number, action, more);
}

static void give_back(struct trace_text *t, uint64_t at, const char *name, int number,
		      const char *more)
{
	trace_line(t,
		   "{'type':'signal','event':'return','at_ns':%lu,'signal':'%s','number':%d,"
		   "'to':{'pid':20,'tid':20}%s}",
		   (unsigned long)at, name, number, more);
}

#define BY_KILL                                                                                    \
	",'origin':'kill','from':{'pid':10,'tid':10},'group':true,'result':'queued','operation':1"

static void handled(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR1", 10, BY_KILL);
	call_kill(t, 1, 10, 0, ",'args':{'pid':20,'sig':10}");
	deliver(t, 15, "SIGUSR1", 10, "handler", "");
	give_back(t, 19, "SIGUSR1", 10, "");
	assert_string_equal(trace_messages(t), "SIGUSR1 10>20 0 s1+0 15..19 exact handled\n");
}

static void interrupted_read(void **state)
{
	struct trace_text *t = *state;
	const struct viz_signal *signal;

	trace_pipe(t, 10, "pipe:[1]");
	trace_call(t, (struct call){7, "read", "receive", 20, 0, 3, "pipe:[1]", 5, 15, -4,
				    ",'error':'EINTR'"});
	generate(t, 11, "SIGUSR1", 10, BY_KILL);
	deliver(t, 15, "SIGUSR1", 10, "handler", ",'operation':7");
	give_back(t, 19, "SIGUSR1", 10, ",'interrupted':'restart'");
	signal = trace_pair(t)->signals[0];
	assert_int_equal(signal->interrupted->id, 7);
	assert_true(signal->restarted);
}

static void ignored(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR1", 10, ",'origin':'kill','group':true,'result':'ignored'");
	assert_string_equal(trace_messages(t), "SIGUSR1 ->20 0 - - exact ignored\n");
}

static void coalesced(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR1", 10, ",'group':true,'result':'queued'");
	generate(t, 12, "SIGUSR1", 10, ",'group':true,'result':'coalesced'");
	deliver(t, 15, "SIGUSR1", 10, "handler", "");
	assert_string_equal(trace_messages(t), "SIGUSR1 ->20 0 - 15..-1 exact handled\n"
					       "SIGUSR1 ->20 0 - - exact coalesced\n");
}

/* Real-time signals queue up, one after the other; another number does not disturb them. */
static void realtime(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGRTMIN+1", 35, ",'group':true,'result':'queued'");
	generate(t, 12, "SIGRTMIN+1", 35, ",'group':true,'result':'queued'");
	generate(t, 13, "SIGRTMIN", 34, ",'group':true,'result':'queued'");
	deliver(t, 20, "SIGRTMIN", 34, "handler", "");
	deliver(t, 21, "SIGRTMIN+1", 35, "handler", "");
	give_back(t, 22, "SIGRTMIN+1", 35, "");
	give_back(t, 23, "SIGRTMIN", 34, "");
	trace_messages(t);
	assert_string_equal(t->shown, "SIGRTMIN+1 ->20 0 - 21..22 exact handled\n"
				      "SIGRTMIN ->20 0 - 20..23 exact handled\n"
				      "SIGRTMIN+1 ->20 0 - - exact pending\n");
	assert_int_equal(t->pairing->messages[0]->signal->generate->at_ns, 11);
}

/* A thread takes what was sent to itself before what was sent to its process. */
static void own_before_shared(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR1", 10, ",'group':true,'result':'queued'");
	generate(t, 12, "SIGUSR1", 10, ",'result':'queued'");
	deliver(t, 20, "SIGUSR1", 10, "handler", "");
	trace_pair(t);
	assert_null(t->pairing->signals[0]->deliver);
	assert_int_equal(t->pairing->signals[1]->deliver->at_ns, 20);
}

/* The kernel shows a fatal SIGTERM as delivery of SIGKILL; the process's end names the truth. */
static void fatal_default(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGTERM", 15, BY_KILL);
	call_kill(t, 1, 10, 0, ",'args':{'pid':20,'sig':15}");
	deliver(t, 15, "SIGKILL", 9, "default", "");
	trace_exit(t, 20, "'signal':'SIGTERM'", 16);
	assert_string_equal(trace_messages(t), "SIGTERM 10>20 0 s1+0 15..15 exact default\n");
	assert_true(t->pairing->signals[0]->killed);
}

static void killed(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGKILL", 9, BY_KILL);
	deliver(t, 15, "SIGKILL", 9, "default", "");
	trace_exit(t, 20, "'signal':'SIGKILL'", 16);
	assert_string_equal(trace_messages(t), "SIGKILL 10>20 0 - 15..15 exact default\n");
}

static void no_process(void **state)
{
	struct trace_text *t = *state;

	call_kill(t, 1, 10, -3, ",'error':'ESRCH','args':{'pid':99,'sig':15}");
	call_kill(t, 2, 20, 0, ",'args':{'pid':20,'sig':0}");
	call_kill(t, 3, 30, -1, ",'error':'EPERM','args':{'pid':1,'sig':15}");
	assert_string_equal(trace_messages(t), "SIGTERM 10>- 0 s1+0 - exact no-process\n");
}

/* Sent to a process that is not traced: it arrived, but what came of it is not known. */
static void to_outside(void **state)
{
	struct trace_text *t = *state;

	call_kill(t, 1, 10, 0, ",'args':{'pid':99,'sig':12}");
	assert_string_equal(trace_messages(t), "SIGUSR2 10>- 0 s1+0 - exact\n");
}

static void to_a_parent_outside(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'signal','event':'generate','at_ns':9,'signal':'SIGCHLD',"
		      "'number':17,'origin':'child','from':{'pid':10,'tid':10},"
		      "'to':{'pid':1,'tid':1},'group':true,'result':'queued'}");
	assert_string_equal(trace_messages(t), "SIGCHLD 10>1 0 - - exact\n");
}

static void child_ended(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'signal','event':'generate','at_ns':9,'signal':'SIGCHLD',"
		      "'number':17,'origin':'child','from':{'pid':20,'tid':20},"
		      "'to':{'pid':10,'tid':10},'group':true,'result':'ignored'}");
	assert_string_equal(trace_messages(t), "SIGCHLD 20>10 0 - - exact ignored\n");
}

/* A pid used again is another process: what was pending for the first is not the second's. */
static void pid_used_again(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR1", 10, ",'group':true,'result':'queued'");
	trace_exit(t, 20, "'exit_code':0", 12);
	trace_fork(t, 10, 20, "another", 13);
	deliver(t, 15, "SIGUSR1", 10, "handler", "");
	trace_pair(t);
	assert_int_equal(t->pairing->signal_count, 2);
	assert_null(t->pairing->signals[0]->deliver);
	assert_null(t->pairing->signals[1]->generate);
}

/* sigwaitinfo takes a pending signal without any delivery. */
static void waited_for(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR1", 10, BY_KILL);
	call_kill(t, 1, 10, 0, ",'args':{'pid':20,'sig':10}");
	trace_call(t, (struct call){2, "rt_sigtimedwait", "wait", 20, 0, -1, NULL, 5, 15, 10, ""});
	assert_string_equal(trace_messages(t), "SIGUSR1 10>20 0 s1+0 r2+0 exact handled\n");
	assert_int_equal(t->pairing->signals[0]->accepted_by->id, 2);
}

/* A damaged trace: the call that sent it began when its wait had returned. */
static void received_too_early(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR1", 10, BY_KILL);
	trace_call(t, (struct call){2, "rt_sigtimedwait", "wait", 20, 0, -1, NULL, 5, 15, 10, ""});
	call_kill(t, 1, 16, 0, ",'args':{'pid':20,'sig':10}");
	assert_string_equal(trace_messages(t), "SIGUSR1 10>20 0 s1+0 r2+0 ambiguous handled\n");
}

/* A read of a signalfd takes them; the trace keeps only the first one's number. */
static void read_from_signalfd(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR2", 12, ",'group':true,'result':'queued'");
	generate(t, 12, "SIGUSR1", 10, ",'group':true,'result':'queued'");
	generate(t, 13, "SIGTERM", 15, ",'group':true,'result':'queued'");
	trace_channel(t, "signalfd:[1]", "signalfd", "");
	trace_call(t, (struct call){2, "read", "receive", 20, 0, 5, "signalfd:[1]", 20, 21, 256,
				    ",'payload':{'base64':'CgAAAA=='}"});
	assert_string_equal(trace_messages(t), "SIGUSR2 ->20 0 - r2+0 ambiguous handled\n"
					       "SIGUSR1 ->20 0 - r2+0 exact handled\n"
					       "SIGTERM ->20 0 - - ambiguous pending\n");
}

/*
 * Which of these was taken without a number is unknown, as which are waited for is: a later one is
 * found by what its taker was told, and certain no more. A thread's own come first.
 */
static void after_unknown_record(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGRTMIN", 34, ",'group':true,'result':'queued','code':0");
	generate(t, 12, "SIGRTMIN", 34, ",'group':true,'result':'queued','code':-1,'value':5");
	generate(t, 13, "SIGRTMIN+1", 35, ",'group':false,'result':'queued','code':-6");
	generate(t, 14, "SIGRTMIN+2", 36, ",'group':false,'result':'queued','code':-6");
	trace_channel(t, "signalfd:[1]", "signalfd", "");
	trace_call(t, (struct call){2, "read", "receive", 20, 0, 5, "signalfd:[1]", 20, 21, 256,
				    ",'payload':{'base64':'IwAAAA=='}"});
	trace_call(t, (struct call){3, "read", "receive", 20, 0, 5, "signalfd:[1]", 22, 23, 128,
				    ",'payload':{'base64':'IgAAAAAAAAD/////AAAAAAAAAAAAAAAA"
				    "AAAAAAAAAAAAAAAAAAAAAAAAAAAFAAAA'}"});
	assert_string_equal(trace_messages(t), "SIGRTMIN+1 ->20 0 - r2+0 exact handled\n"
					       "SIGRTMIN+2 ->20 0 - r2+0 ambiguous handled\n"
					       "SIGRTMIN ->20 0 - r3+0 ambiguous handled\n"
					       "SIGRTMIN ->20 0 - - ambiguous\n");
}

/* It says that it got more of them than there ever were; alarm(2) ends who counts them all. */
static void read_of_impossible_length(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGUSR2", 12, ",'group':true,'result':'queued'");
	trace_channel(t, "signalfd:[1]", "signalfd", "");
	trace_call(t, (struct call){2, "read", "receive", 20, 0, 5, "signalfd:[1]", 20, 21,
				    (int64_t)1 << 52, ""});
	alarm(30);
	assert_string_equal(trace_messages(t), "SIGUSR2 ->20 0 - r2+0 ambiguous handled\n");
	alarm(0);
}

/* SIGCONT is reported as ignored, and resumes its target all the same. */
static void continued(void **state)
{
	struct trace_text *t = *state;

	generate(t, 11, "SIGCONT", 18, ",'group':true,'result':'ignored'");
	assert_string_equal(trace_messages(t), "SIGCONT ->20 0 - 11..11 exact default\n");
}

static void found_pending(struct trace_text *t, uint64_t at)
{
	trace_line(t,
		   "{'type':'signal','event':'pending','at_ns':%lu,'signal':'SIGRTMIN','number':34,"
		   "'to':{'pid':20,'tid':20},'group':true}",
		   (unsigned long)at);
}

/*
 * A signal is on the kernel's list a moment before it is recorded: the last one of the list may be
 * the next one recorded, but for one whose call began after the list was read.
 */
static void waited_already(void **state)
{
	struct trace_text *t = *state;

	found_pending(t, 11);
	generate(t, 13, "SIGRTMIN", 34, BY_KILL);
	call_kill(t, 1, 10, 0, ",'args':{'pid':20,'sig':34}");
	deliver(t, 20, "SIGRTMIN", 34, "ignore", "");
	deliver(t, 21, "SIGRTMIN", 34, "ignore", "");
	assert_string_equal(trace_messages(t), "SIGRTMIN ->20 0 - 20..20 ambiguous ignored\n"
					       "SIGRTMIN 10>20 0 s1+0 21..21 ambiguous ignored\n");
}

static void sent_since(void **state)
{
	struct trace_text *t = *state;

	found_pending(t, 11);
	generate(t, 13, "SIGRTMIN", 34, BY_KILL);
	call_kill(t, 1, 12, 0, ",'args':{'pid':20,'sig':34}");
	deliver(t, 20, "SIGRTMIN", 34, "ignore", "");
	deliver(t, 21, "SIGRTMIN", 34, "ignore", "");
	assert_string_equal(trace_messages(t), "SIGRTMIN ->20 0 - 20..20 exact ignored\n"
					       "SIGRTMIN 10>20 0 s1+0 21..21 exact ignored\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(handled),
		TEST(interrupted_read),
		TEST(ignored),
		TEST(coalesced),
		TEST(realtime),
		TEST(own_before_shared),
		TEST(fatal_default),
		TEST(killed),
		TEST(no_process),
		TEST(to_outside),
		TEST(to_a_parent_outside),
		TEST(child_ended),
		TEST(pid_used_again),
		TEST(waited_for),
		TEST(received_too_early),
		TEST(read_from_signalfd),
		TEST(after_unknown_record),
		TEST(read_of_impossible_length),
		TEST(continued),
		TEST(waited_already),
		TEST(sent_since),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
