// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Semaphores and mutexes that nobody gives back: whom a trace lets us accuse. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

#define END_NS 2000000000u

/* 10 has shared memory with its child 20, and a mutex in it. */
static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "ping");
	trace_channel(t, "shared-mmap:[5]", "shared-mmap", "");
	trace_channel(t, "futex:[5+0]", "futex", ",'memory':'shared-mmap:[5]'");
	trace_call(t, (struct call){1, "mmap", "open", 10, 0, -1, "shared-mmap:[5]", 2, 3, 0, ""});
	trace_fork(t, 10, 20, "pong", 5);
	trace_fork(t, 10, 30, "third", 6);
	*state = t;
	return 0;
}

static void waits(struct trace_text *t, const char *syscall, const char *channel, const char *more)
{
	trace_line(t,
		   "{'type':'operation','id':90,'syscall':'%s','role':'wait','pid':10,'tid':10,"
		   "'channel':'%s','enter_ns':100,'state':'pending','at_ns':%u%s}",
		   syscall, channel, END_NS, more);
}

static void wakes(struct trace_text *t, unsigned id, uint32_t pid, uint64_t at_ns)
{
	trace_call(t, (struct call){id, "futex", "wake", pid, 0, -1, "futex:[5+0]", at_ns,
				    at_ns + 1, 1, ""});
}

static void ends(struct trace_text *t, uint32_t pid, uint64_t at_ns)
{
	trace_exit(t, pid, "'exit_code':0", at_ns);
}

/* The text of semaphore-stuck, "" if it is not told. */
static const char *told(struct trace_text *t, unsigned operations)
{
	const struct viz_pairing *pairing;
	struct diagnosis *d;

	trace_ends(t, END_NS, "timeout", operations);
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	*t->shown = '\0';
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->findings[i]->row->name, "semaphore-stuck") == 0)
			snprintf(t->shown, sizeof(t->shown), "%s", d->findings[i]->text);
	diagnosis_free(d);
	return t->shown;
}

#define MUTEX_OF(tid) ",'futex':'mutex','owner':" #tid

static void owner_ended(void **state)
{
	struct trace_text *t = *state;

	waits(t, "futex", "futex:[5+0]", MUTEX_OF(20));
	ends(t, 20, 200);
	assert_string_equal(told(t, 1),
			    "ping[10] waits for futex at byte 0 of shared-mmap:[5], and "
			    "nobody will give it back: x[20], which has it, ended");
}

static void owner_lives(void **state)
{
	struct trace_text *t = *state;

	waits(t, "futex", "futex:[5+0]", MUTEX_OF(30));
	ends(t, 20, 200);
	assert_string_equal(told(t, 1), "");
}

/* Whoever was woken since may have it now. */
static void passed_on(void **state)
{
	struct trace_text *t = *state;

	waits(t, "futex", "futex:[5+0]", MUTEX_OF(20));
	wakes(t, 2, 20, 150);
	ends(t, 20, 200);
	assert_string_equal(told(t, 2), "");
}

static void passed_on_before(void **state)
{
	struct trace_text *t = *state;

	wakes(t, 2, 30, 50);
	waits(t, "futex", "futex:[5+0]", MUTEX_OF(20));
	ends(t, 20, 200);
	assert_non_null(strstr(told(t, 2), "x[20], which has it, ended"));
}

static void own_mutex(void **state)
{
	struct trace_text *t = *state;

	waits(t, "futex", "futex:[5+0]", MUTEX_OF(10));
	assert_non_null(strstr(told(t, 1), "it has it already itself"));
}

/* It ends by itself. */
static void with_a_timeout(void **state)
{
	struct trace_text *t = *state;

	waits(t, "futex", "futex:[5+0]", MUTEX_OF(20) ",'timeout_ns':9000000000");
	ends(t, 20, 200);
	assert_string_equal(told(t, 1), "");
}

/* It makes a pipe, with the reading end `fd`, and reads it: nobody else has it. */
static void reads_own_pipe(struct trace_text *t, uint32_t pid, const char *id, int fd)
{
	trace_channel(t, id, "pipe", "");
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'pipe2','role':'open','pid':%u,"
		   "'tid':%u,'enter_ns':7,'exit_ns':8,'returned':0,'new_fds':["
		   "{'fd':%d,'channel':'%s','access':'read'},"
		   "{'fd':%d,'channel':'%s','access':'write'}]}",
		   1000 + pid, pid, pid, fd, id, fd + 1, id);
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'read','role':'receive','pid':%u,"
		   "'tid':%u,'fd':%d,'channel':'%s','enter_ns':100,'state':'pending','at_ns':%u}",
		   2000 + pid, pid, pid, fd, id, END_NS);
}

/* That 30, which has the memory as well, goes on does not matter. */
static void owner_waits(void **state)
{
	struct trace_text *t = *state;

	reads_own_pipe(t, 20, TRACE_PIPE, 3);
	waits(t, "futex", "futex:[5+0]", MUTEX_OF(20));
	assert_string_equal(told(t, 2),
			    "ping[10] waits for futex at byte 0 of shared-mmap:[5], and "
			    "nobody will give it back: pong[20] has it, and waits itself; "
			    "pong[20] waits in read(3) for pong[20] itself");
}

/* Who has a semaphore is known only if no other one may have it. */
static void holder_waits(void **state)
{
	struct trace_text *t = *state;

	reads_own_pipe(t, 20, TRACE_PIPE, 3);
	waits(t, "futex", "futex:[5+0]", ",'futex':'semaphore'");
	ends(t, 30, 200);
	assert_non_null(strstr(told(t, 2), "pong[20], which could, waits itself; "));
}

static void some_holder_waits(void **state)
{
	struct trace_text *t = *state;

	reads_own_pipe(t, 20, TRACE_PIPE, 3);
	reads_own_pipe(t, 30, "pipe:[8]", 5);
	waits(t, "futex", "futex:[5+0]", ",'futex':'semaphore'");
	assert_non_null(strstr(told(t, 3), "all its users wait"));
}

/* Of a number in a semaphore's place nothing follows. */
static void no_mutex(void **state)
{
	struct trace_text *t = *state;

	waits(t, "futex", "futex:[5+0]", ",'futex':'semaphore','owner':20");
	ends(t, 20, 200);
	assert_string_equal(told(t, 1), "");
}

/* Of those that ended, only who lived when it was made could use it. */
static void ended_before(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 40, "early", 7);
	ends(t, 40, 8);
	ends(t, 20, 9);
	ends(t, 30, 10);
	trace_line(t, "{'type':'channel','id':'shared-mmap:[6]','at_ns':50,"
		      "'mechanism':'shared-mmap'}");
	trace_line(t, "{'type':'channel','id':'futex:[6+0]','at_ns':50,'mechanism':'futex',"
		      "'memory':'shared-mmap:[6]'}");
	trace_call(t,
		   (struct call){2, "mmap", "open", 10, 0, -1, "shared-mmap:[6]", 51, 52, 0, ""});
	trace_fork(t, 10, 50, "late", 60);
	waits(t, "futex", "futex:[6+0]", ",'futex':'semaphore'");
	ends(t, 50, 200);
	assert_non_null(strstr(told(t, 2), "x[50], which could use it, ended"));
	assert_null(strstr(t->shown, "x[40]"));
}

static void take(struct trace_text *t, unsigned id, uint32_t pid, unsigned number, int change)
{
	char more[100];

	snprintf(more, sizeof(more), ",'sems':[{'number':%u,'change':%d,'flags':0}]", number,
		 change);
	trace_call(t, (struct call){id, "semop", change > 0 ? "wake" : "wait", pid, 0, -1,
				    "sysv-sem:[4]", 10 * id, 10 * id + 1, 0, more});
}

static void sysv_set_up(struct trace_text *t)
{
	trace_channel(t, "sysv-sem:[4]", "sysv-sem", "");
	trace_call(t, (struct call){4, "semget", "open", 10, 0, -1, "sysv-sem:[4]", 7, 8, 4,
				    ",'args':{'key':0,'nsems':2}"});
}

static void sysv_wait(struct trace_text *t)
{
	waits(t, "semop", "sysv-sem:[4]", ",'sems':[{'number':1,'change':-1,'flags':0}]");
	ends(t, 20, 200);
	ends(t, 30, 201);
}

static void taken_and_ended(void **state)
{
	struct trace_text *t = *state;

	sysv_set_up(t);
	take(t, 5, 10, 1, 1);
	take(t, 6, 20, 1, -1);
	sysv_wait(t);
	assert_non_null(strstr(told(t, 4), "x[20], which took it last, at "));
}

/* It took another one of the set. */
static void another_taken(void **state)
{
	struct trace_text *t = *state;

	sysv_set_up(t);
	take(t, 6, 20, 0, -1);
	sysv_wait(t);
	assert_null(strstr(told(t, 3), "took it last"));
	assert_non_null(strstr(t->shown, "x[20], which could use it, ended"));
}

/* One that posts for others, again and again, is missed; who takes is none that gives back. */
static void poster_ended(void **state)
{
	struct trace_text *t = *state;

	sysv_set_up(t);
	take(t, 5, 30, 1, 1);
	take(t, 6, 30, 1, 1);
	take(t, 7, 20, 1, -1);
	take(t, 8, 20, 1, -1);
	sysv_wait(t);
	assert_non_null(strstr(told(t, 6), "x[30], which posted it last, at "));
}

/* Posts of 32-bit programs are not in the trace, whoever has ended. */
static void posted_unseen(void **state)
{
	struct trace_text *t = *state;

	sysv_set_up(t);
	take(t, 5, 10, 1, 1);
	take(t, 6, 20, 1, -1);
	trace_line(t, "{'type':'unseen','at_ns':100,'pid':30,'tid':30,'what':'32-bit'}");
	sysv_wait(t);
	assert_string_equal(told(t, 4), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(owner_ended, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(owner_lives, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(passed_on, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(passed_on_before, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(own_mutex, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(with_a_timeout, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(owner_waits, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(holder_waits, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(some_holder_waits, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(no_mutex, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(ended_before, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(taken_and_ended, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(another_taken, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(poster_ended, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(posted_unseen, set_up, trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
