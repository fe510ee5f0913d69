// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Waits of servers that have nothing to do are no fault, and those that only look alike are. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

#define END_NS 3000000000u

static void holds(struct trace_text *t, uint32_t pid, const char *channel, const char *access)
{
	trace_line(t,
		   "{'type':'descriptors','event':'snapshot','at_ns':6,'pid':%u,"
		   "'fds':[{'fd':5,'channel':'%s','access':'%s'}]}",
		   pid, channel, access);
}

static void reads(struct trace_text *t, unsigned id, uint32_t pid, const char *channel)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'read','role':'receive','pid':%u,"
		   "'tid':%u,'fd':5,'channel':'%s','enter_ns':100,'state':'pending','at_ns':%u}",
		   id, pid, pid, channel, END_NS);
}

/* Errors and warnings as "blocked\n", of a look that asks about the first `count` of 10 and 20. */
static const char *faults_of(struct trace_text *t, size_t count)
{
	const uint32_t asked[] = {10, 20};
	const struct viz_pairing *pairing;
	struct diagnosis *d;
	size_t len = 0;

	trace_ends(t, END_NS, "glance", 0);
	pairing = trace_pair(t);
	d = diagnose_only(t->model, pairing, LANGUAGE_EN, asked, count);
	*t->shown = '\0';
	for (size_t i = 0; i < d->count; i++)
		if (d->findings[i]->severity > SEVERITY_NOTE)
			len += (size_t)snprintf(t->shown + len, sizeof(t->shown) - len, "%s\n",
						d->findings[i]->row->name);
	diagnosis_free(d);
	return t->shown;
}

static const char *faults(struct trace_text *t)
{
	return faults_of(t, 2);
}

/* 10 and 20 read each from its own channel of that kind. */
static const char *each_reads(struct trace_text *t, const char *mechanism, const char *more)
{
	trace_channel(t, "one", mechanism, more);
	trace_channel(t, "two", mechanism, more);
	holds(t, 10, "one", "both");
	holds(t, 20, "two", "both");
	reads(t, 1, 10, "one");
	reads(t, 2, 20, "two");
	return faults(t);
}

/* They read from one FIFO. */
static const char *both_read(struct trace_text *t, const char *name)
{
	trace_channel(t, "fifo:[7]", "fifo", name);
	holds(t, 10, "fifo:[7]", "both");
	holds(t, 20, "fifo:[7]", "both");
	reads(t, 1, 10, "fifo:[7]");
	reads(t, 2, 20, "fifo:[7]");
	return faults(t);
}

static void serves_fifo(void **state)
{
	assert_string_equal(each_reads(*state, "fifo", ",'name':'jobs'"), "");
}

static void share_fifo(void **state)
{
	assert_string_equal(both_read(*state, ",'name':'jobs'"), "");
}

/* Nobody can open it any more. */
static void share_nameless(void **state)
{
	assert_string_equal(both_read(*state, ""), "deadlock\n");
}

/* Each reads another FIFO than the one that it should write to, and has both open. */
static void read_crosswise(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "fifo:[8]", "fifo", ",'name':'answers'");
	trace_channel(t, "fifo:[7]", "fifo", ",'name':'jobs'");
	trace_line(t, "{'type':'descriptors','event':'snapshot','at_ns':6,'pid':10,'fds':["
		      "{'fd':5,'channel':'fifo:[7]','access':'both'},"
		      "{'fd':6,'channel':'fifo:[8]','access':'both'}]}");
	trace_line(t, "{'type':'descriptors','event':'snapshot','at_ns':6,'pid':20,'fds':["
		      "{'fd':6,'channel':'fifo:[7]','access':'both'},"
		      "{'fd':5,'channel':'fifo:[8]','access':'both'}]}");
	reads(t, 1, 10, "fifo:[7]");
	reads(t, 2, 20, "fifo:[8]");
	assert_string_equal(faults(t), "deadlock\n");
}

static void reads_changes(void **state)
{
	assert_string_equal(each_reads(*state, "inotify", ""), "");
}

static void reads_signals(void **state)
{
	assert_string_equal(each_reads(*state, "signalfd", ""), "");
}

static void takes_datagrams(void **state)
{
	assert_string_equal(each_reads(*state, "udp", ",'local_address':'127.0.0.1:9'"), "");
}

/* Who has connected its socket to somebody has asked, and gets no answer. */
static void awaits_answer(void **state)
{
	assert_string_equal(each_reads(*state, "udp", ",'peer_address':'127.0.0.1:9'"),
			    "blocked\nblocked\n");
}

/* 10 waits for the end of its child, which sleeps in a call of which no more is known. */
static const char *waits_for_sleeper(struct trace_text *t, const char *since)
{
	trace_line(t, "{'type':'process','event':'snapshot','at_ns':1,'pid':40,'tid':40,'ppid':10,"
		      "'comm':'d'}");
	trace_line(t, "{'type':'operation','id':1,'syscall':'wait4','role':'wait','pid':10,"
		      "'tid':10,'enter_ns':0,'state':'pending','at_ns':2900000000,"
		      "'flags':0,'args':{'pid':40}}");
	trace_line(t,
		   "{'type':'state','at_ns':2900000000,'pid':40,'tid':40,'state':'blocked'%s,"
		   "'syscall':'vfork'}",
		   since);
	return faults_of(t, 1);
}

static void held_up(void **state)
{
	assert_string_equal(waits_for_sleeper(*state, ""), "blocked\n");
}

/* On a busy machine the look took three seconds, and the child ran in the first of them. */
static void ran_meanwhile(void **state)
{
	assert_string_equal(waits_for_sleeper(*state, ",'since_ns':1000000000"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(serves_fifo, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(share_fifo, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(share_nameless, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(read_crosswise, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(reads_changes, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reads_signals, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(takes_datagrams, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(awaits_answer, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(held_up, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(ran_meanwhile, trace_three_set_up, trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
