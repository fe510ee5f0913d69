// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which processes a thinned trace leaves out whole, with their ends, and which it keeps. */
#include "tests/unit/pair/thinning.h"

#include <string.h>

enum {
	LIVES = 60,
	LIFE_NS = 100,
	LIFE_CALLS = 3,		   /* one of its own, two of its parent */
	LIFE_ENDS = ENDS / 10 + 1, /* so many stay at either end */
};

/* Process 10 forks the n-th child, whose calls and whose end have these times. */
static uint64_t born(unsigned number)
{
	return AT_NS + LIFE_NS * number;
}

static unsigned child_of(unsigned number)
{
	return 1000 + number;
}

/* The ids of the child's own call, of the one that collects it, and of one that finds none. */
static unsigned own(unsigned number)
{
	return FIRST + LIFE_CALLS * number;
}

static void set_mask(struct trace_text *t, unsigned id, unsigned pid, uint64_t at_ns)
{
	trace_call(t, (struct call){id, "rt_sigprocmask", "control", pid, 0, -1, NULL, at_ns,
				    at_ns + 1, 0, ",'args':{'how':2}"});
}

static void notify(struct trace_text *t, unsigned number)
{
	const char *const ends[] = {"deliver", "return"};
	const unsigned at_ns = (unsigned)born(number) + 42;

	trace_line(t,
		   "{'type':'signal','event':'generate','at_ns':%u,'signal':'SIGCHLD','number':17,"
		   "'origin':'child','code':1,'from':{'pid':%u,'tid':%u},'to':{'pid':10,'tid':10},"
		   "'group':true,'result':'queued'}",
		   at_ns, child_of(number), child_of(number));
	for (unsigned i = 0; i < 2; i++)
		trace_line(t,
			   "{'type':'signal','event':'%s','at_ns':%u,'signal':'SIGCHLD',"
			   "'number':17,'to':{'pid':10,'tid':10},'action':'handler'}",
			   ends[i], at_ns + 10 + i);
}

static void collect(struct trace_text *t, unsigned number)
{
	char more[96];

	snprintf(more, sizeof(more), ",'flags':0,'args':{'pid':-1},'child':%u", child_of(number));
	trace_call(t, (struct call){own(number) + 1, "wait4", "wait", 10, 0, -1, NULL,
				    born(number) + 30, born(number) + 50, child_of(number), more});
}

static void live(struct trace_text *t, unsigned number, const char *status)
{
	trace_fork(t, 10, child_of(number), "true", born(number));
	set_mask(t, own(number), child_of(number), born(number) + 5);
	trace_exit(t, child_of(number), status, born(number) + 40);
	notify(t, number);
	collect(t, number);
	set_mask(t, own(number) + 2, 10, born(number) + 60);
}

static bool holds_life(const struct viz_thinned *thinned, unsigned number)
{
	const bool held = viz_model_operation(thinned->model, own(number)) != NULL;

	assert_int_equal(held, viz_model_operation(thinned->model, own(number) + 1) != NULL);
	return held;
}

static unsigned count_held(const struct viz_thinned *thinned)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LIVES; i++)
		count += holds_life(thinned, i);
	return count;
}

static struct viz_thinned thin_lives(struct trace_text *t, unsigned odd, const char *status)
{
	trace_process(t, 10, "sh");
	for (unsigned i = 0; i < LIVES; i++)
		live(t, i, i == odd ? status : "'exit_code':0");
	for (unsigned i = 0; i < AROUND; i++) /* calls after the last but one, too */
		set_mask(t, own(LIVES) + i, 10, born(LIVES) + 2 * i);
	trace_trailer(t, born(LIVES + 1));
	return thin(t, ENDS);
}

static void lives_in_the_middle_are_left_out(void **state)
{
	struct viz_thinned thinned = thin_lives(*state, LIVES, NULL);

	assert_int_equal(count_held(&thinned), OF_LENGTH + 2 * LIFE_ENDS);
	assert_true(holds_life(&thinned, 0));
	assert_true(holds_life(&thinned, LIVES - 1));
	assert_false(holds_life(&thinned, LIVES / 2));
	assert_int_equal(thinned.pairing->signal_count, OF_LENGTH + 2 * LIFE_ENDS);
	assert_int_equal(thinned.model->signal_event_count, 3 * thinned.pairing->signal_count);
	viz_thinned_free(&thinned);
}

/* A child that a signal ended is told of, and so are the calls beside. */
static void who_was_killed_stays(void **state)
{
	const unsigned odd = LIVES / 2;
	struct viz_thinned thinned = thin_lives(*state, odd, "'signal':'SIGKILL'");

	assert_true(holds_life(&thinned, odd));
	assert_true(holds_life(&thinned, odd + 1));
	assert_false(holds_life(&thinned, odd + 2 + AROUND));
	viz_thinned_free(&thinned);
}

/* What a copy of its parent fails at may matter to the parent. */
static void a_copy_that_failed_stays(void **state)
{
	struct viz_thinned thinned = thin_lives(*state, LIVES / 2, "'exit_code':1");

	assert_true(holds_life(&thinned, LIVES / 2));
	viz_thinned_free(&thinned);
}

static void who_is_not_collected_stays(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	trace_process(t, 10, "sh");
	for (unsigned i = 0; i < LIVES; i++) {
		trace_fork(t, 10, child_of(i), "true", born(i));
		set_mask(t, own(i), child_of(i), born(i) + 5);
		trace_exit(t, child_of(i), "'exit_code':0", born(i) + 40);
		notify(t, i);
	}
	trace_trailer(t, born(LIVES));
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.model->ordinary_calls, 0);
	viz_thinned_free(&thinned);
}

/* Who asks for a child that another call has collected is told which call that was. */
static void who_asks_in_vain_keeps_lives(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	trace_process(t, 10, "sh");
	trace_call(t, (struct call){1, "wait4", "wait", 10, 0, -1, NULL, 5, 6, -10,
				    ",'error':'ECHILD','flags':0,'args':{'pid':999}"});
	for (unsigned i = 0; i < LIVES; i++)
		live(t, i, "'exit_code':0");
	trace_trailer(t, born(LIVES));
	thinned = thin(t, ENDS);
	assert_int_equal(count_held(&thinned), LIVES);
	viz_thinned_free(&thinned);
}

static unsigned broken_off(unsigned number)
{
	return own(2 * LIVES) + number;
}

static void told_of_end(struct trace_text *t, unsigned number, uint64_t at_ns, const char *result)
{
	trace_line(t,
		   "{'type':'signal','event':'generate','at_ns':%u,'signal':'SIGCHLD','number':17,"
		   "'origin':'child','code':1,'from':{'pid':%u,'tid':%u},'to':{'pid':10,'tid':10},"
		   "'group':true,'result':'%s'}",
		   (unsigned)at_ns, child_of(number), child_of(number), result);
}

static void handle(struct trace_text *t, unsigned number, const char *event, uint64_t at_ns,
		   const char *more)
{
	trace_line(t,
		   "{'type':'signal','event':'%s','at_ns':%u,'signal':'SIGCHLD','number':17,"
		   "'to':{'pid':10,'tid':10},'operation':%u%s}",
		   event, (unsigned)at_ns, broken_off(number), more);
}

/* A server that forks: the end of its child breaks accept(2) off, and its handler collects it. */
static void serve(struct trace_text *t, unsigned number, const char *merged)
{
	trace_fork(t, 10, child_of(number), "true", born(number));
	set_mask(t, own(number), child_of(number), born(number) + 5);
	trace_exit(t, child_of(number), "'exit_code':0", born(number) + 20);
	told_of_end(t, number, born(number) + 22, "queued");
	if (merged) {
		trace_fork(t, 10, child_of(2 * LIVES), "true", born(number) + 1);
		trace_exit(t, child_of(2 * LIVES), "'exit_code':0", born(number) + 23);
		told_of_end(t, 2 * LIVES, born(number) + 24, merged);
	}
	trace_call(t, (struct call){broken_off(number), "accept", "open", 10, 0, 3, "tcp:[9]",
				    born(number) + 10, born(number) + 26, -512,
				    ",'error':'ERESTARTSYS','off_cpu_ns':12"});
	handle(t, number, "deliver", born(number) + 27, ",'action':'handler'");
	collect(t, number);
	handle(t, number, "return", born(number) + 52, ",'interrupted':'EINTR'");
	set_mask(t, own(number) + 2, 10, born(number) + 60);
}

static struct viz_thinned thin_served(struct trace_text *t, unsigned odd, const char *merged)
{
	trace_process(t, 10, "server");
	trace_channel(t, "tcp:[9]", "tcp", ",'listening':true");
	for (unsigned i = 0; i < LIVES; i++)
		serve(t, i, i == odd ? merged : NULL);
	for (unsigned i = 0; i < AROUND; i++)
		set_mask(t, own(LIVES) + i, 10, born(LIVES) + 2 * i);
	trace_trailer(t, born(LIVES + 1));
	return thin(t, ENDS);
}

static void what_an_end_broke_off_goes_with_it(void **state)
{
	struct viz_thinned thinned = thin_served(*state, LIVES, NULL);

	assert_int_equal(count_held(&thinned), OF_LENGTH + 2 * LIFE_ENDS);
	for (unsigned i = 0; i < LIVES; i++)
		assert_int_equal(viz_model_operation(thinned.model, broken_off(i)) != NULL,
				 holds_life(&thinned, i));
	viz_thinned_free(&thinned);
}

/* Of two that ended within one SIGCHLD one is perhaps never collected: only they are told of. */
static void who_ended_within_one_signal_stays(void **state)
{
	const unsigned odd = LIVES / 2;
	struct viz_thinned thinned = thin_served(*state, odd, "coalesced");

	assert_true(holds_life(&thinned, odd));
	assert_false(holds_life(&thinned, odd - 2 - AROUND));
	assert_false(holds_life(&thinned, odd + 2 + AROUND));
	viz_thinned_free(&thinned);
}

static int set_up(void **state)
{
	*state = trace_new();
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lives_in_the_middle_are_left_out),	 TEST(who_was_killed_stays),
		TEST(a_copy_that_failed_stays),		 TEST(who_is_not_collected_stays),
		TEST(who_asks_in_vain_keeps_lives),	 TEST(what_an_end_broke_off_goes_with_it),
		TEST(who_ended_within_one_signal_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
