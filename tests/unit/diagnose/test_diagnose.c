// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Findings in small traces: circles and chains of waits, locks, connections, ended children. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/core/finding_text.h"
#include "viz/diagnose/diagnose.h"

#define END_NS 2000000000u

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "ping");
	trace_pipe(t, 10, "pipe:[7]");
	trace_channel(t, "pipe:[8]", "pipe", "");
	trace_line(t, "{'type':'operation','id':1001,'syscall':'pipe2','role':'open','pid':10,"
		      "'tid':10,'enter_ns':3,'exit_ns':4,'returned':0,'new_fds':["
		      "{'fd':5,'channel':'pipe:[8]','access':'read'},"
		      "{'fd':6,'channel':'pipe:[8]','access':'write'}]}");
	*state = t;
	return 0;
}

static void close_fd(struct trace_text *t, unsigned id, uint32_t pid, int fd, const char *channel)
{
	trace_call(t,
		   (struct call){id, "close", "close", pid, 0, fd, channel, id, id + 1, 0, NULL});
}

static void asleep(struct trace_text *t, unsigned id, const char *call, uint32_t pid,
		   const char *more)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'%s','role':'%s','pid':%u,'tid':%u,"
		   "'enter_ns':100,'state':'pending','at_ns':%u%s}",
		   id, call,
		   strcmp(call, "read") == 0	? "receive"
		   : strcmp(call, "write") == 0 ? "send"
						: "wait",
		   pid, pid, END_NS, more);
}

static void time_out(struct trace_text *t, unsigned operations)
{
	trace_ends(t, END_NS, "timeout", operations);
}

/* 10 reads of 7, which 20 writes; 20 reads of 8, which 10 writes. */
static void two_in_a_circle(struct trace_text *t)
{
	trace_fork(t, 10, 20, "pong", 5);
	close_fd(t, 10, 10, 4, "pipe:[7]");
	close_fd(t, 11, 10, 5, "pipe:[8]");
	close_fd(t, 12, 20, 3, "pipe:[7]");
	close_fd(t, 13, 20, 6, "pipe:[8]");
	asleep(t, 20, "read", 10, ",'fd':3,'channel':'pipe:[7]'");
	asleep(t, 21, "read", 20, ",'fd':5,'channel':'pipe:[8]'");
}

static const char *findings_of(struct trace_text *t)
{
	return trace_findings(t, SEVERITY_WARNING);
}

/* Each keeps the writing ends of both pipes; the last one closes one of them. */
static void forgotten_by_many(void **state)
{
	struct trace_text *t = *state;
	const struct viz_pairing *pairing;
	struct diagnosis *d;

	for (unsigned pid = 20; pid < 24; pid++)
		trace_fork(t, 10, pid, "child", pid);
	close_fd(t, 101, 23, 4, "pipe:[7]");
	for (unsigned pid = 20; pid < 24; pid++)
		trace_line(t,
			   "{'type':'process','event':'exit','at_ns':%u,'pid':%u,'tid':%u,"
			   "'comm':'child','last':true,'exit_code':0}",
			   200 + pid, pid, pid);
	trace_ends(t, 300, "finished", 3);
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	assert_int_equal(d->count, 1);
	assert_string_equal(d->findings[0]->text,
			    "child[20], child[21], child[22] … (4 processes in all) kept fd 4 of "
			    "pipe:[7] (7 ends in all), inherited and never used, until the end");
	assert_int_equal(d->findings[0]->process_count, 4);
	diagnosis_free(d);
}

/* So many children of one name end by a fault of their own. */
static struct diagnosis *diagnose_crashes(struct trace_text *t, unsigned count)
{
	for (unsigned pid = 20; pid < 20 + count; pid++) {
		trace_fork(t, 10, pid, "child", pid);
		trace_line(t,
			   "{'type':'process','event':'exit','at_ns':%u,'pid':%u,'tid':%u,"
			   "'comm':'child','last':true,'signal':'SIGSEGV'}",
			   200 + pid, pid, pid);
	}
	time_out(t, 1);
	return diagnose(t->model, trace_pair(t), LANGUAGE_EN);
}

static void few_crashes_stay_apart(void **state)
{
	struct diagnosis *d = diagnose_crashes(*state, 3);

	assert_int_equal(d->severities[SEVERITY_ERROR], 3);
	assert_int_equal(finding_stands_for(d->findings[0]), 1);
	assert_null(strstr(d->findings[0]->text, "more like this"));
	diagnosis_free(d);
}

static void many_crashes_are_one_finding(void **state)
{
	struct diagnosis *d = diagnose_crashes(*state, 5);

	assert_int_equal(d->severities[SEVERITY_ERROR], 1);
	assert_int_equal(finding_stands_for(d->findings[0]), 5);
	assert_non_null(strstr(d->findings[0]->text, "(and 4 more like this: child)"));
	diagnosis_free(d);
}

static void circle(void **state)
{
	struct trace_text *t = *state;

	two_in_a_circle(t);
	time_out(t, 6);
	assert_string_equal(findings_of(t), "deadlock 10 20\n");
}

/* 10 writes to 7, which only 20 reads, and only 10 writes to 8. */
static void full_beside(struct trace_text *t, const char *read_of)
{
	trace_fork(t, 10, 20, "pong", 5);
	close_fd(t, 10, 10, 3, "pipe:[7]");
	close_fd(t, 11, 20, 4, "pipe:[7]");
	close_fd(t, 12, 20, 6, "pipe:[8]");
	asleep(t, 20, "write", 10,
	       ",'fd':4,'channel':'pipe:[7]','requested':8192,"
	       "'at_entry':{'head':16,'tail':0,'end':4096,'start':0,'bytes':65536}");
	asleep(t, 21, "read", 20, read_of);
	time_out(t, 5);
}

/* Nobody finds a pipe full and another one finds it empty: who came later woke the other. */
static void take_turns(void **state)
{
	full_beside(*state, ",'fd':3,'channel':'pipe:[7]'");
	assert_string_equal(findings_of(*state), "");
}

static void take_no_turns(void **state)
{
	full_beside(*state, ",'fd':5,'channel':'pipe:[8]'");
	assert_string_equal(findings_of(*state), "deadlock 10 20\n");
}

/* The tracer saw that 10 runs, though its call has not returned. */
static void circle_with_runner(void **state)
{
	struct trace_text *t = *state;

	two_in_a_circle(t);
	trace_line(t, "{'type':'state','at_ns':101,'pid':10,'tid':10,'state':'running'}");
	time_out(t, 6);
	assert_string_equal(findings_of(t), "");
}

/* Another thread of process 10, which has not run since `looked_ns`, or so `more` says. */
static void another_thread(struct trace_text *t, unsigned looked_ns, const char *more)
{
	trace_line(t,
		   "{'type':'state','at_ns':%u,'pid':10,'tid':11,'state':'blocked','since_ns':50,"
		   "'syscall':'futex'%s}",
		   looked_ns, more);
}

static bool is_deadlock_beside(struct trace_text *t, unsigned looked_ns, const char *more)
{
	two_in_a_circle(t);
	another_thread(t, looked_ns, more);
	time_out(t, 6);
	return strcmp(findings_of(t), "deadlock 10 20\n") == 0;
}

/* Only its own process can wake the thread, and that is stuck. */
static void circle_with_idle_thread(void **state)
{
	assert_true(is_deadlock_beside(*state, 101, ",'own':true"));
}

/* The process went on after the look, and may have woken the thread before it slept. */
static void circle_closed_after_look(void **state)
{
	assert_false(is_deadlock_beside(*state, 99, ",'own':true"));
}

static void circle_with_thread_at_clock(void **state)
{
	assert_false(is_deadlock_beside(*state, 101, ",'own':true,'timed':true"));
}

/* A semaphore that processes share: anybody may post it. */
static void circle_with_thread_at_semaphore(void **state)
{
	assert_false(is_deadlock_beside(*state, 101, ""));
}

/* One thread sleeps until its own process wakes it, and another one can. */
static void circle_with_worker(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'fork','at_ns':6,'pid':10,'tid':12,'ppid':1,"
		      "'comm':'ping','shares_fds':true}");
	assert_false(is_deadlock_beside(t, 101, ",'own':true"));
}

/* A third one holds both writing ends and runs: the circle may be broken. */
/* A thread of process 10 that sleeps since then on a mutex that another one holds. */
static void waits_for_mutex(struct trace_text *t, uint32_t tid, uint32_t owner, unsigned since_ns)
{
	trace_line(t,
		   "{'type':'state','at_ns':%u,'pid':10,'tid':%u,'state':'blocked','since_ns':%u,"
		   "'syscall':'futex','own':true,'lock':%u,'owner':%u}",
		   END_NS, tid, since_ns, 4096 + tid, owner);
}

static const char *findings_of_threads(struct trace_text *t, uint32_t owner, unsigned since_ns)
{
	waits_for_mutex(t, 11, 12, since_ns);
	waits_for_mutex(t, 12, owner, since_ns);
	time_out(t, 2);
	return findings_of(t);
}

static void threads_in_a_circle(void **state)
{
	assert_string_equal(findings_of_threads(*state, 11, 50), "thread-lock 10\n");
}

static void thread_holds_its_own_lock(void **state)
{
	assert_string_equal(findings_of_threads(*state, 12, 50), "thread-lock 10\n");
}

/* What was read at different moments may seem a circle: only one that lasts is told. */
static void threads_in_a_new_circle(void **state)
{
	assert_string_equal(findings_of_threads(*state, 11, END_NS - 1000), "");
}

static void thread_waits_for_one_that_works(void **state)
{
	assert_string_equal(findings_of_threads(*state, 10, 50), "");
}

static void thread_waits_for_one_that_is_gone(void **state)
{
	assert_string_equal(findings_of_threads(*state, 99, 50), "");
}

static void circle_with_outsider(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 30, "third", 4);
	two_in_a_circle(t);
	time_out(t, 6);
	assert_string_equal(findings_of(t), "");
}

/* The trace has fewer calls than its trailer says. */
static void circle_with_gap(void **state)
{
	struct trace_text *t = *state;

	two_in_a_circle(t);
	time_out(t, 7);
	assert_null(strstr(findings_of(t), "deadlock"));
}

/* 10 sends what is its descriptor 4 then, of which 30 has not read yet. */
static bool is_deadlock_with_sent(struct trace_text *t, uint64_t at_ns)
{
	trace_process(t, 30, "third");
	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", ",'peer':'unix:[1]'");
	trace_line(t, "{'type':'descriptors','event':'snapshot','at_ns':1,'pid':30,"
		      "'fds':[{'fd':3,'channel':'unix:[2]','access':'both'}]}");
	two_in_a_circle(t);
	trace_channel(t, "pipe:[9]", "pipe", "");
	trace_line(t, "{'type':'operation','id':14,'syscall':'pipe2','role':'open','pid':10,"
		      "'tid':10,'enter_ns':14,'exit_ns':15,'returned':0,'new_fds':["
		      "{'fd':7,'channel':'pipe:[9]','access':'read'},"
		      "{'fd':4,'channel':'pipe:[9]','access':'write'}]}");
	trace_call(t, (struct call){15, "sendmsg", "send", 10, 0, 8, "unix:[1]", at_ns, at_ns + 1,
				    1, ",'fds':[4]"});
	time_out(t, 8);
	return strstr(findings_of(t), "deadlock 10 20\n") != NULL;
}

/* The end on its way is of the circle, so 30 could break it; later it is another one. */
static void circle_with_end_sent(void **state)
{
	assert_false(is_deadlock_with_sent(*state, 8));
}

static void circle_with_another_end_sent(void **state)
{
	assert_true(is_deadlock_with_sent(*state, 40));
}

/* It reads, and could: only it has not run yet. */
static void woken(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 20, "pong", 5);
	trace_call(t, (struct call){9, "write", "send", 20, 0, 4, "pipe:[7]", 8, 9, 5, NULL});
	close_fd(t, 10, 10, 4, "pipe:[7]");
	close_fd(t, 11, 10, 5, "pipe:[8]");
	close_fd(t, 12, 20, 3, "pipe:[7]");
	close_fd(t, 13, 20, 6, "pipe:[8]");
	asleep(t, 20, "read", 10, ",'fd':3,'channel':'pipe:[7]'");
	asleep(t, 21, "read", 20, ",'fd':5,'channel':'pipe:[8]'");
	time_out(t, 7);
	assert_null(strstr(findings_of(t), "deadlock"));
}

/* The parent keeps the writing end and waits for the child's exit. */
static void parent_keeps(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 20, "wc", 5);
	close_fd(t, 10, 10, 3, "pipe:[7]");
	close_fd(t, 11, 20, 4, "pipe:[7]");
	asleep(t, 20, "read", 20, ",'fd':3,'channel':'pipe:[7]'");
	asleep(t, 21, "wait4", 10, ",'args':{'pid':20}");
	time_out(t, 4);
	assert_string_equal(findings_of(t), "no-eof 20 10\n");
}

/* Its only writer is itself. */
static void reader_keeps(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 20, "wc", 5);
	trace_exit(t, 20, "'exit_code':0", 6);
	asleep(t, 20, "read", 10, ",'fd':3,'channel':'pipe:[7]'");
	time_out(t, 2);
	assert_string_equal(findings_of(t), "no-eof 10\n");
}

/* 10 writes to 20, which writes to 30, which sleeps. */
static void chain(void **state)
{
	struct trace_text *t = *state;
	struct diagnosis *d;

	trace_fork(t, 10, 20, "tee", 5);
	trace_fork(t, 10, 30, "slow", 6);
	close_fd(t, 10, 10, 3, "pipe:[7]");
	close_fd(t, 11, 10, 5, "pipe:[8]");
	close_fd(t, 12, 10, 6, "pipe:[8]");
	close_fd(t, 13, 20, 4, "pipe:[7]");
	close_fd(t, 14, 20, 5, "pipe:[8]");
	close_fd(t, 15, 30, 3, "pipe:[7]");
	close_fd(t, 16, 30, 4, "pipe:[7]");
	close_fd(t, 17, 30, 6, "pipe:[8]");
	asleep(t, 20, "write", 10, ",'fd':4,'channel':'pipe:[7]'");
	asleep(t, 21, "write", 20, ",'fd':6,'channel':'pipe:[8]'");
	asleep(t, 22, "clock_nanosleep", 30, ",'timeout_ns':60000000000");
	time_out(t, 10);
	assert_string_equal(trace_findings(t, SEVERITY_NOTE), "full-channel 10 20 30\n");
	d = diagnose(t->model, t->pairing, LANGUAGE_EN);
	assert_string_equal(d->findings[0]->text,
			    "ping[10] waited 2 s to write to pipe:[7], which is full; it should be "
			    "read by tee[20] (fd 3); tee[20] waits to write to pipe:[8], which "
			    "slow[30] should read; slow[30] sleeps until its time is over (the "
			    "clock)");
	assert_non_null(strstr(d->findings[0]->advice, "look at slow[30]"));
	diagnosis_free(d);
}

/* A call on the lock of one file, which began at `at_ns` and was granted at once. */
static void locked(struct trace_text *t, unsigned id, uint32_t pid, uint64_t at_ns, const char *how)
{
	char more[128];

	snprintf(more, sizeof(more), ",'lock':{%s}", how);
	trace_call(t, (struct call){id, "fcntl", "control", pid, 0, 9, "file-lock:[5]", at_ns,
				    at_ns + 1, 0, more});
}

/* 10 waits for what `wanted` asks for. */
static void waits_for_lock(struct trace_text *t, const char *wanted, unsigned operations)
{
	char more[256];

	snprintf(more, sizeof(more), ",'fd':9,'channel':'file-lock:[5]','lock':{%s}", wanted);
	asleep(t, 90, "fcntl", 10, more);
	asleep(t, 91, "pause", 20, "");
	asleep(t, 92, "pause", 30, "");
	time_out(t, operations);
}

#define FLOCK(mode) "'kind':'flock','mode':'" mode "'"
#define RANGE(mode, offset, length)                                                                \
	"'kind':'posix','mode':'" mode "','from':'start','offset':" #offset ",'length':" #length

static const char *lock_waits(struct trace_text *t)
{
	const char *found = strstr(trace_findings(t, SEVERITY_NOTE), "blocked 10");

	return found ? found : t->shown;
}

static void lock_of_last(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "file-lock:[5]", "file-lock", "");
	trace_fork(t, 10, 20, "first", 5);
	trace_fork(t, 10, 30, "last", 6);
	locked(t, 50, 20, 20, FLOCK("exclusive"));
	locked(t, 51, 30, 40, FLOCK("exclusive")); /* the first one has closed the file */
	waits_for_lock(t, FLOCK("shared"), 4);
	assert_string_equal(lock_waits(t), "blocked 10 30\n");
}

static void locks_of_readers(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "file-lock:[5]", "file-lock", "");
	trace_fork(t, 10, 20, "first", 5);
	trace_fork(t, 10, 30, "last", 6);
	locked(t, 50, 20, 20, FLOCK("shared"));
	locked(t, 51, 30, 30, FLOCK("shared"));
	locked(t, 52, 20, 40, FLOCK("unlock"));
	waits_for_lock(t, FLOCK("exclusive"), 5);
	assert_string_equal(lock_waits(t), "blocked 10 30\n");
}

static void lock_of_range(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "file-lock:[5]", "file-lock", "");
	trace_fork(t, 10, 20, "first", 5);
	trace_fork(t, 10, 30, "last", 6);
	locked(t, 50, 20, 20, RANGE("exclusive", 10, 0));
	locked(t, 51, 30, 30, RANGE("exclusive", 0, 10));
	waits_for_lock(t, RANGE("exclusive", 12, 1), 4);
	assert_string_equal(lock_waits(t), "blocked 10 20\n");
}

/* Two small writes, then a read that sleeps 40 ms: three times, so it is no chance. */
static void delayed_ack(void **state)
{
	struct trace_text *t = *state;
	unsigned id = 50;

	trace_channel(t, "tcp:[9]", "tcp", "");
	for (uint64_t at = 100; at < 300000000; at += 100000000) {
		trace_call(t, (struct call){id++, "write", "send", 10, 0, 9, "tcp:[9]", at, at + 1,
					    8, ",'requested':8"});
		trace_call(t, (struct call){id++, "write", "send", 10, 0, 9, "tcp:[9]", at + 2,
					    at + 3, 8, ",'requested':8"});
		trace_call(t,
			   (struct call){id++, "read", "receive", 10, 0, 9, "tcp:[9]", at + 4,
					 at + 40000000, 8, ",'requested':8,'off_cpu_ns':39900000"});
	}
	time_out(t, 11);
	assert_string_equal(findings_of(t), "delayed-ack 10\n");
}

static void child_ends(struct trace_text *t, uint32_t pid, unsigned at_ns, const char *result)
{
	trace_fork(t, 10, pid, "child", at_ns - 1);
	trace_exit(t, pid, "'exit_code':0", at_ns);
	trace_line(t,
		   "{'type':'signal','event':'generate','at_ns':%u,'signal':'SIGCHLD','number':17,"
		   "'origin':'child','code':1,'from':{'pid':%u,'tid':%u},'to':{'pid':10,'tid':10},"
		   "'group':true,'result':'%s'}",
		   at_ns + 1, pid, pid, result);
}

/* Two children end within one SIGCHLD; the handler collects the first one. */
static const char *zombies_of(struct trace_text *t, const char *flags, const char *then)
{
	char more[128];

	trace_line(t, "{'type':'process','event':'exec','at_ns':6,'pid':10,'tid':10,'comm':'init',"
		      "'path':'/sbin/init','args':['init']}");
	snprintf(more, sizeof(more), ",'args':{'sig':17},'action':'handler','action_flags':[%s]",
		 flags);
	trace_call(t, (struct call){30, "rt_sigaction", "control", 10, 0, -1, NULL, 7, 8, 0, more});
	child_ends(t, 20, 20, "queued");
	child_ends(t, 30, 30, "coalesced");
	trace_line(t, "{'type':'signal','event':'deliver','at_ns':40,'signal':'SIGCHLD',"
		      "'number':17,'to':{'pid':10,'tid':10},'action':'handler'}");
	trace_call(t, (struct call){31, "wait4", "wait", 10, 0, -1, NULL, 41, 42, 20,
				    ",'args':{'pid':-1},'child':20"});
	asleep(t, 32, then, 10, ",'args':{'pid':50}");
	trace_line(t,
		   "{'type':'trailer','at_ns':%u,'why':'timeout','operations':4,'signals':3,"
		   "'lost':0}",
		   END_NS);
	return findings_of(t);
}

static void zombie(void **state)
{
	assert_string_equal(zombies_of(*state, "'SA_RESTART'", "pause"), "zombie 10 30\n");
}

/* None is kept. */
static void zombie_unwanted(void **state)
{
	assert_string_equal(zombies_of(*state, "'SA_NOCLDWAIT'", "pause"), "");
}

/* It waits for another child first. */
static void zombie_of_busy(void **state)
{
	assert_string_equal(zombies_of(*state, "", "wait4"), "");
}

/* 20 leaves unread what 10 sent it, and goes; 10 is told so. */
static const char *reset_of(struct trace_text *t, const char *mechanism, const char *how)
{
	trace_channel(t, "s:[1]", mechanism, ",'peer':'s:[2]'");
	trace_channel(t, "s:[2]", mechanism, ",'peer':'s:[1]'");
	trace_line(t, "{'type':'operation','id':1002,'syscall':'socketpair','role':'open',"
		      "'pid':10,'tid':10,'enter_ns':5,'exit_ns':6,'returned':0,'new_fds':["
		      "{'fd':5,'channel':'s:[1]','access':'both'},"
		      "{'fd':6,'channel':'s:[2]','access':'both'}]}");
	trace_fork(t, 10, 20, "helper", 7);
	close_fd(t, 8, 10, 6, "s:[2]");
	close_fd(t, 9, 20, 5, "s:[1]");
	trace_socket(t, 30, true, 10, "s:[1]", 10, 8, "");
	if (!how)
		close_fd(t, 40, 20, 6, "s:[2]");
	trace_exit(t, 20, how ? how : "'exit_code':0", how ? 40 : 60);
	trace_socket(t, 50, false, 10, "s:[1]", 50, -104, ",'error':'ECONNRESET'");
	trace_exit(t, 10, "'exit_code':0", 60);
	trace_ends(t, 70, "finished", how ? 7 : 8);
	return findings_of(t);
}

/* All that was sent to 10 had come: the peer's end, told by another name. */
static void reset_by_end(void **state)
{
	assert_string_equal(reset_of(*state, "unix-stream", "'exit_code':0"), "");
}

static void reset_by_kill(void **state)
{
	assert_string_equal(reset_of(*state, "unix-stream", "'signal':'SIGTERM'"), "");
}

static void reset_by_failure(void **state)
{
	assert_string_equal(reset_of(*state, "unix-stream", "'exit_code':1"),
			    "reset-with-data 10 20\n");
}

static void reset_by_close(void **state)
{
	assert_string_equal(reset_of(*state, "unix-stream", NULL), "reset-with-data 10 20\n");
}

/* TCP may throw away what was sent to 10 too. */
static void reset_of_tcp(void **state)
{
	assert_string_equal(reset_of(*state, "tcp", "'exit_code':0"), "reset-with-data 10 20\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(forgotten_by_many, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(few_crashes_stay_apart, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(many_crashes_are_one_finding, set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(circle, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(take_turns, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(take_no_turns, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_runner, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_idle_thread, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_closed_after_look, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_thread_at_clock, set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_thread_at_semaphore, set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_worker, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(threads_in_a_circle, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(thread_holds_its_own_lock, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(threads_in_a_new_circle, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(thread_waits_for_one_that_works, set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(thread_waits_for_one_that_is_gone, set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_outsider, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_gap, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_end_sent, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_another_end_sent, set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(woken, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(parent_keeps, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reader_keeps, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(chain, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(lock_of_last, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(locks_of_readers, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(lock_of_range, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(delayed_ack, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reset_by_end, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reset_by_kill, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reset_by_failure, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reset_by_close, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reset_of_tcp, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(zombie, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(zombie_unwanted, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(zombie_of_busy, set_up, trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
