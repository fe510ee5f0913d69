// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A process that has forked a child and then sleeps again and again until the time limit. */
#include "tests/unit/trace_text.h"

#include <stdio.h>

#include "viz/diagnose/diagnose.h"

#define NAPS 20
#define LIMIT_NS UINT64_C(10000000000)
#define SHORT_NS (50 * UINT64_C(1000000))
#define LONG_NS (300 * UINT64_C(1000000))

static void begins(struct trace_text *t)
{
	trace_command(t, "waiter");
	trace_line(t, "{'type':'process','event':'exec','at_ns':2,'pid':10,'tid':10,'ppid':1,"
		      "'comm':'waiter','path':'/waiter','args':['waiter']}");
}

static void forks(struct trace_text *t, bool ends)
{
	trace_fork(t, 10, 11, "waiter", 10);
	if (ends)
		trace_exit(t, 11, "'exit_code':0", 20);
}

static void nap_line(struct trace_text *t, uint64_t number, uint64_t at_ns, uint64_t long_ns,
		     const char *state)
{
	trace_line(t,
		   "{'type':'operation','id':%llu,'syscall':'clock_nanosleep','role':'wait',"
		   "'pid':10,'enter_ns':%llu,'timeout_ns':%llu,%s}",
		   (unsigned long long)number, (unsigned long long)at_ns,
		   (unsigned long long)long_ns, state);
}

/* The last of the naps lasts still. */
static void naps(struct trace_text *t, uint64_t long_ns)
{
	for (uint64_t i = 0; i <= NAPS; i++) {
		const uint64_t at_ns = LIMIT_NS - 1 - (NAPS - i) * long_ns;
		char end[96];

		snprintf(end, sizeof(end), "'began_ns':%llu,'exit_ns':%llu,'returned':0",
			 (unsigned long long)at_ns, (unsigned long long)(at_ns + long_ns - 1));
		nap_line(t, i + 100, at_ns, long_ns, "'state':'begin','at_ns':10000000000");
		nap_line(t, i + 100, at_ns, long_ns,
			 i == NAPS ? "'state':'pending','at_ns':10000000000" : end);
	}
}

/* The look saw it make these calls, as "'clock_nanosleep()'". */
static void looks(struct trace_text *t, const char *calls, const char *counts)
{
	trace_line(t, "{'type':'look','line':{'type':'header','format':'ipclens-trace','version':2,"
		      "'tool':'0','kernel':'6','machine':'x86_64','clock':'CLOCK_MONOTONIC',"
		      "'start_ns':10000000100,'realtime_offset_ns':0,'options':{},'hooks':{}}}");
	trace_line(t, "{'type':'look','line':{'type':'process','event':'snapshot',"
		      "'at_ns':10000000200,'pid':10,'tid':10,'ppid':1,'comm':'waiter'}}");
	trace_line(t,
		   "{'type':'look','line':{'type':'state','at_ns':10000000300,'pid':10,'tid':10,"
		   "'state':'blocked','watched_ns':200000000,'calls':[%s],'counts':[%s]}}",
		   calls, counts);
	trace_line(t, "{'type':'look','line':{'type':'trailer','at_ns':10000000400,'why':'glance',"
		      "'operations':0,'signals':0,'lost':0}}");
}

/* The severity of busy-wait; SEVERITY_NONE: there is none. */
static enum severity told_of(struct trace_text *t, unsigned operations)
{
	enum severity severity = SEVERITY_NONE;
	const struct viz_pairing *pairing;
	struct diagnosis *d;

	trace_ends(t, LIMIT_NS, "timeout", operations);
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	for (size_t i = 0; i < d->count; i++) {
		if (d->findings[i]->row != finding_row(FINDING_BUSY_WAIT))
			continue;
		assert_int_equal(severity, SEVERITY_NONE);
		severity = d->findings[i]->severity;
		assert_int_equal(d->findings[i]->times, NAPS + 1);
	}
	diagnosis_free(d);
	return severity;
}

static void only_naps(void **state)
{
	begins(*state);
	forks(*state, true);
	naps(*state, SHORT_NS);
	looks(*state, "'clock_nanosleep()'", "4");
	assert_int_equal(told_of(*state, NAPS), SEVERITY_WARNING);
}

/* It may wait for a file. */
static void also_asks(void **state)
{
	begins(*state);
	forks(*state, true);
	naps(*state, SHORT_NS);
	looks(*state, "'clock_nanosleep()','newfstatat() = ENOENT'", "4,4");
	assert_int_equal(told_of(*state, NAPS), SEVERITY_NONE);
}

static void not_looked_at(void **state)
{
	begins(*state);
	forks(*state, true);
	naps(*state, SHORT_NS);
	assert_int_equal(told_of(*state, NAPS), SEVERITY_NONE);
}

static void too_long_to_watch(void **state)
{
	begins(*state);
	forks(*state, true);
	naps(*state, LONG_NS);
	assert_int_equal(told_of(*state, NAPS), SEVERITY_NOTE);
}

static void child_lives(void **state)
{
	begins(*state);
	forks(*state, false);
	naps(*state, SHORT_NS);
	looks(*state, "'clock_nanosleep()'", "4");
	assert_int_equal(told_of(*state, NAPS), SEVERITY_NOTE);
}

/* A server and those that work for it. */
static void child_lives_unwatched(void **state)
{
	begins(*state);
	forks(*state, false);
	naps(*state, LONG_NS);
	assert_int_equal(told_of(*state, NAPS), SEVERITY_NONE);
}

static void shares_memory(void **state)
{
	begins(*state);
	trace_channel(*state, "shared-mmap:[5]", "shared-mmap", "");
	trace_line(*state, "{'type':'operation','id':1,'syscall':'mmap','role':'open','pid':10,"
			   "'channel':'shared-mmap:[5]','enter_ns':3,'exit_ns':4,'returned':0}");
	forks(*state, true);
	naps(*state, SHORT_NS);
	looks(*state, "'clock_nanosleep()'", "4");
	assert_int_equal(told_of(*state, NAPS + 1), SEVERITY_NONE);
}

static void child_executes(void **state)
{
	begins(*state);
	trace_fork(*state, 10, 11, "waiter", 10);
	trace_line(*state, "{'type':'process','event':'exec','at_ns':12,'pid':11,'tid':11,"
			   "'ppid':10,'comm':'true','path':'/bin/true','args':['true']}");
	trace_exit(*state, 11, "'exit_code':0", 20);
	naps(*state, SHORT_NS);
	looks(*state, "'clock_nanosleep()'", "4");
	assert_int_equal(told_of(*state, NAPS), SEVERITY_NONE);
}

static int set_up(void **state)
{
	*state = trace_new();
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, trace_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(only_naps),     TEST(also_asks),	      TEST(not_looked_at),
		TEST(child_lives),   TEST(too_long_to_watch), TEST(child_lives_unwatched),
		TEST(shares_memory), TEST(child_executes),
	};

	return cmocka_run_group_tests_name("variables after fork", tests, NULL, NULL);
}
