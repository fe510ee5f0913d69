// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which signals a thinned trace leaves out, with their events and calls, and which it keeps. */
#include "tests/unit/pair/thinning.h"

#include <string.h>

enum { SIGNALS = 8000 };

static void signal_event(struct trace_text *t, const char *event, unsigned pid, uint64_t at_ns,
			 const char *more)
{
	trace_line(t,
		   "{'type':'signal','event':'%s','at_ns':%u,'signal':'SIGUSR1','number':10,"
		   "'to':{'pid':%u,'tid':%u}%s}",
		   event, (unsigned)at_ns, pid, pid, more);
}

/* Process 10 sends the n-th signal to `pid`. */
static void send_signal(struct trace_text *t, unsigned number, unsigned pid)
{
	char more[160];

	snprintf(more, sizeof(more),
		 ",'origin':'kill','code':0,'from':{'pid':10,'tid':10},'group':true,"
		 "'result':'queued','operation':%u",
		 put(number));
	signal_event(t, "generate", pid, at(number) + 1, more);
	snprintf(more, sizeof(more), ",'args':{'pid':%u,'sig':10}", pid);
	trace_call(t, (struct call){put(number), "kill", "signal", 10, 0, -1, NULL, at(number),
				    at(number) + 2, 0, more});
}

/* A handler takes it, having interrupted `call`, or (NULL) nothing. */
static void handle_signal(struct trace_text *t, unsigned number, const char *call)
{
	char more[96] = "";

	send_signal(t, number, 20);
	if (call) {
		trace_call(t,
			   (struct call){get(number), call, "wait", 20, 0, -1, NULL, at(number) - 5,
					 at(number) + 3, -514, ",'error':'ERESTARTNOHAND'"});
		snprintf(more, sizeof(more), ",'operation':%u", get(number));
	}
	strcat(more, ",'action':'handler'");
	signal_event(t, "deliver", 20, at(number) + 4, more);
	signal_event(t, "return", 20, at(number) + 5, call ? ",'interrupted':'EINTR'" : "");
}

/* Checks how much was left out. `events` and `calls`: of one signal. */
static void expect_signals(const struct viz_thinned *thinned, size_t events, size_t calls)
{
	const size_t kept = OF_LENGTH + 2 * ENDS, left_out = MESSAGES - kept;

	assert_int_equal(thinned->pairing->signal_count, kept);
	assert_int_equal(thinned->pairing->message_count, kept);
	assert_int_equal(thinned->model->signal_event_count, kept * events);
	assert_int_equal(thinned->model->ordinary_signal_events, left_out * events);
	assert_int_equal(thinned->model->ordinary_calls, left_out * calls);
	assert_int_equal(thinned->pairing->signals[0]->generate->at_ns, at(0) + 1);
	assert_int_equal(thinned->pairing->signals[kept - 1]->generate->at_ns,
			 at(MESSAGES - 1) + 1);
	for (size_t i = 0; i < thinned->model->signal_event_count; i++)
		assert_int_equal(thinned->model->signal_events[i]->index, i);
}

typedef void add_signal(struct trace_text *t, unsigned number);

static struct viz_thinned thin_signals(struct trace_text *t, add_signal *add)
{
	for (unsigned i = 0; i < MESSAGES; i++)
		add(t, i);
	trace_trailer(t, at(MESSAGES));
	return thin(t, ENDS);
}

/* Thins MESSAGES signals, each by `add`, and checks how much is left out. */
static void check_left_out(struct trace_text *t, add_signal *add, size_t events, size_t calls)
{
	struct viz_thinned thinned = thin_signals(t, add);

	expect_signals(&thinned, events, calls);
	viz_thinned_free(&thinned);
}

static void add_handled(struct trace_text *t, unsigned number)
{
	handle_signal(t, number, NULL);
}

static void handled_signals_are_left_out(void **state)
{
	check_left_out(*state, add_handled, 3, 1);
}

static void add_paused(struct trace_text *t, unsigned number)
{
	handle_signal(t, number, "pause");
}

static void pauses_go_with_their_signals(void **state)
{
	check_left_out(*state, add_paused, 3, 2);
}

static void add_accepted(struct trace_text *t, unsigned number)
{
	send_signal(t, number, 20);
	trace_call(t, (struct call){get(number), "rt_sigtimedwait", "wait", 20, 0, -1, NULL,
				    at(number) + 3, at(number) + 5, 10, ""});
}

static void accepted_signals_are_left_out(void **state)
{
	check_left_out(*state, add_accepted, 1, 2);
}

/* --- timers ---------------------------------------------------------------------------------- */

/* A timer of process 20 raises a signal, and a handler takes it. */
static void add_timed(struct trace_text *t, unsigned number)
{
	signal_event(t, "generate", 20, at(number) + 1,
		     ",'origin':'timer','group':true,'result':'queued'");
	signal_event(t, "deliver", 20, at(number) + 4, ",'code':128,'action':'handler'");
	signal_event(t, "return", 20, at(number) + 5, "");
}

static void signals_of_timers_are_left_out(void **state)
{
	check_left_out(*state, add_timed, 3, 0);
}

/* The same from a call that fails with that error. */
static void add_timed_break(struct trace_text *t, unsigned number, const char *call, int returned,
			    const char *error)
{
	char more[96];

	signal_event(t, "generate", 20, at(number) + 1,
		     ",'origin':'timer','group':true,'result':'queued'");
	snprintf(more, sizeof(more), ",'error':'%s'", error);
	trace_call(t, (struct call){get(number), call, "wait", 20, 0, -1, NULL, at(number) - 5,
				    at(number) + 3, returned, more});
	snprintf(more, sizeof(more), ",'code':128,'action':'handler','operation':%u", get(number));
	signal_event(t, "deliver", 20, at(number) + 4, more);
	signal_event(t, "return", 20, at(number) + 5, ",'interrupted':'EINTR'");
}

static void add_timed_pause(struct trace_text *t, unsigned number)
{
	add_timed_break(t, number, "pause", -514, "ERESTARTNOHAND");
}

static void pauses_go_with_the_signals_of_timers(void **state)
{
	check_left_out(*state, add_timed_pause, 3, 1);
}

static void add_timed_sleep(struct trace_text *t, unsigned number)
{
	add_timed_break(t, number, "clock_nanosleep", -516, "ERESTART_RESTARTBLOCK");
}

static void sleeps_go_with_the_signals_of_timers(void **state)
{
	check_left_out(*state, add_timed_sleep, 3, 1);
}

/* What somebody else sends may be what the sleeper is told, and is asked for if it waits next. */
static void add_broken_sleep(struct trace_text *t, unsigned number)
{
	handle_signal(t, number, "clock_nanosleep");
}

static void sleeps_that_others_break_off_stay(void **state)
{
	struct viz_thinned thinned = thin_signals(*state, add_broken_sleep);

	assert_int_equal(thinned.pairing->signal_count, MESSAGES);
	viz_thinned_free(&thinned);
}

/* One comes while another one is pending, and then one is never taken: both stay. */
static void lost_signals_of_timers_stay(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	size_t coalesced = 0, pending = 0;

	for (unsigned i = 0; i < MESSAGES; i++) {
		add_timed(t, i);
		if (i == MESSAGES / 2)
			signal_event(t, "generate", 20, at(i) + 6,
				     ",'origin':'timer','group':true,'result':'coalesced'");
	}
	signal_event(t, "generate", 20, at(MESSAGES),
		     ",'origin':'timer','group':true,'result':'queued'");
	trace_trailer(t, at(MESSAGES) + 1);
	thinned = thin(t, ENDS);
	for (size_t i = 0; i < thinned.pairing->signal_count; i++) {
		coalesced += thinned.pairing->signals[i]->fate == FATE_COALESCED;
		pending += thinned.pairing->signals[i]->fate == FATE_PENDING;
	}
	assert_int_equal(coalesced, 1);
	assert_int_equal(pending, 1);
	assert_int_equal(thinned.pairing->signal_count, OF_LENGTH + 2 * ENDS + 2);
	viz_thinned_free(&thinned);
}

/* --- what stays ------------------------------------------------------------------------------ */

/* Of an interrupted call that is made for something else, and of those beside it. */
static void what_interrupts_a_wait_for_others_stays(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned other = MESSAGES / 2;

	for (unsigned i = 0; i < MESSAGES; i++)
		handle_signal(t, i, i == other ? "wait4" : "pause");
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_true(holds(&thinned, other));
	assert_true(holds(&thinned, other + AROUND));
	assert_false(holds(&thinned, other - AROUND - 1));
	viz_thinned_free(&thinned);
}

/* Lost-wakeup tells which signal came last before a pause that never ends. */
static void signals_before_an_open_pause_stay(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < MESSAGES; i++)
		handle_signal(t, i, NULL);
	trace_line(t,
		   "{'type':'operation','id':5,'syscall':'pause','role':'wait','pid':20,'tid':20,"
		   "'enter_ns':%u,'state':'pending','at_ns':%u}",
		   (unsigned)at(MESSAGES) + 1, (unsigned)at(MESSAGES) + 2);
	trace_trailer(t, at(MESSAGES) + 3);
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.pairing->signal_count, MESSAGES);
	assert_int_equal(thinned.model->ordinary_signal_events, 0);
	viz_thinned_free(&thinned);
}

/* The list of events is closed up meanwhile; events that this version does not know are in none. */
static void many_signals_keep_their_events(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < SIGNALS; i++) {
		signal_event(t, "unheard-of", 20, at(i), "");
		handle_signal(t, i, NULL);
		if (i % 1000 == 500)
			signal_event(t, "generate", 20, at(i) + 6,
				     ",'origin':'kernel','result':'ignored'");
	}
	trace_trailer(t, at(SIGNALS));
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.pairing->signal_count, OF_LENGTH + 2 * ENDS + SIGNALS / 1000);
	for (size_t i = 0; i < thinned.pairing->signal_count; i++) {
		const struct viz_signal *signal = thinned.pairing->signals[i];

		assert_ptr_equal(thinned.model->signal_events[signal->generate->index],
				 signal->generate);
		if (signal->fate == FATE_IGNORED)
			continue;
		assert_int_equal(signal->deliver->at_ns, signal->generate->at_ns + 3);
		assert_int_equal(signal->end->at_ns, signal->generate->at_ns + 4);
	}
	viz_thinned_free(&thinned);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(handled_signals_are_left_out),
		TEST(pauses_go_with_their_signals),
		TEST(accepted_signals_are_left_out),
		TEST(signals_of_timers_are_left_out),
		TEST(pauses_go_with_the_signals_of_timers),
		TEST(sleeps_go_with_the_signals_of_timers),
		TEST(sleeps_that_others_break_off_stay),
		TEST(lost_signals_of_timers_stay),
		TEST(what_interrupts_a_wait_for_others_stays),
		TEST(signals_before_an_open_pause_stay),
		TEST(many_signals_keep_their_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
